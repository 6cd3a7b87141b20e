#pragma once
// Measured time of a sparse pattern: attention of a block-sparse kernel over its map beside the
// same kernel over all blocks, and what finding the pattern takes.

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "analysis/sweep/sample.hpp"
#include "core/blocks/lvsa_blocks.h"
#include "core/blocks/pattern_rule.hpp"

namespace lvsa::analysis {

/// Milliseconds a head. NaN: not measured.
struct MeasuredTime {
  double dense_ms = std::numeric_limits<double>::quiet_NaN();  ///< the kernel over all blocks
  double attention_ms = std::numeric_limits<double>::quiet_NaN();
  double ratio = std::numeric_limits<double>::quiet_NaN();  ///< attention over dense, paired
  double prediction_ms = std::numeric_limits<double>::quiet_NaN();
  double total_ms = std::numeric_limits<double>::quiet_NaN();  ///< attention and prediction
  double speedup =
      std::numeric_limits<double>::quiet_NaN();  ///< 1 / (ratio + prediction_ms / dense_ms)
};

/// A rule in force: its words name what a device's prediction has to do.
struct TimedRule {
  const PatternRule& rule;
  std::string words;
};

/// A pattern's time, or why there is none.
struct TimedPattern {
  MeasuredTime time;
  std::string untimed;  ///< one line; empty: it was timed
  bool lost = false;    ///< the kernel crashed or hung
};

/// What times the patterns of a comparison: a kernel in this process or in another one.
class TimesPatterns {
 public:
  virtual ~TimesPatterns() = default;
  /// Tensors, head, layer and step of what is timed from now on; they stay until the next ones.
  virtual void take(const PatternInput& input) = 0;
  /// Throws Error for tensors that the kernel cannot take at all.
  virtual TimedPattern measure(const HeadPattern& pattern, const std::string& words) = 0;
  /// For people: kernel, machine, heads, blocks.
  virtual std::string source() const = 0;
};

struct TimingOptions {
  std::int64_t blocks = 5;  ///< ABBA blocks of a pattern
  std::int64_t heads = 0;   ///< of a call, all the same; 0: 1 on the host, 8 on a GPU
  double slot_s = 0.004;    ///< least time of the calls that are timed together
  std::int32_t threads = 0;
  std::string library;  ///< of the kernel, empty: built in; a device's predictions are looked for
  std::function<void(std::string_view)> part{};  ///< told what is called next, between times
};

class PatternTimer {
 public:
  /// The kernel must outlive it. Throws Error(kKernel) for a kernel of device memory where no
  /// device is, Error(kValue) for options below 1.
  PatternTimer(const lvsa_block_kernel& kernel, const TimingOptions& options);
  ~PatternTimer();
  PatternTimer(const PatternTimer&) = delete;
  PatternTimer& operator=(const PatternTimer&) = delete;

  /// Tensors of what is timed from now on: `heads` copies of the sample's, in its type if the
  /// kernel takes that, else in the first of bf16, fp16 and fp32 that it takes, in its memory.
  void take(const Sample& sample);

  /// Why the kernel cannot be timed on a pattern of these words with the tensors, one line; empty
  /// when it can.
  std::string untimed_reason(const HeadPattern& pattern, const std::string& words) const;

  /// Attention and dense alternate in blocks A B B A (block_order()); medians over the blocks.
  /// Prediction: 0 for rules that need no tensors; for kernels of the host the time that
  /// rule.make() takes here; for those of a GPU that of lvsa_sparge_predict() of the kernel's
  /// library where the rule is sparge, else not measured. Throws KernelFailed, and what rule.make()
  /// throws.
  MeasuredTime time(const HeadPattern& pattern, const TimedRule& rule, const PatternInput& input);

  /// For people: kernel, machine, heads, blocks.
  std::string source() const;
  bool on_device() const;
  std::int64_t heads() const;  ///< of a call

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// A timer in this process.
class LocalTimer : public TimesPatterns {
 public:
  /// Both must outlive it. `make` makes the rules whose prediction is timed.
  LocalTimer(PatternTimer& timer,
             std::function<std::unique_ptr<PatternRule>(const std::string&)> make)
      : timer_(timer), make_(std::move(make)) {}
  void take(const PatternInput& input) override;
  TimedPattern measure(const HeadPattern& pattern, const std::string& words) override;
  std::string source() const override { return timer_.source(); }

 private:
  PatternTimer& timer_;
  std::function<std::unique_ptr<PatternRule>(const std::string&)> make_;
  PatternInput input_;
};

}  // namespace lvsa::analysis
