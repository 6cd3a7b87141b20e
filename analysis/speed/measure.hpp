#pragma once
// The measuring process: times both kernels in blocks, and tells the run what it measured. One
// message a line (analysis/run/wire.hpp). The run asks
//     who                            which kernels are these?
//     pilot                          how long do calls take, how much do they vary?
//     measure FIRST LAST CALLS...    blocks FIRST up to, not with, LAST of every case, with so many
//                                    calls a time, one number for each case (0: leave it out)
// and the process answers, "done" at the end of each answer:
//     side NUMBER DEVICE NAME        kernel 0 (A) or 1 (B) is loaded; DEVICE 1: a GPU's memory
//     device TEXT                    where the calls run
//     part TEXT                      what comes now, told when it crashes or hangs
//     left-out CASE REASON           the kernels cannot be timed on this case
//     pilot CASE CALLS A B RATIO...  seconds of a call, and ratios of A to itself
//     block CASE BLOCK RATIO NOISE A B CLOCK-A CLOCK-B
//     state ...                      encode_state()

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/speed/machine_state.hpp"
#include "analysis/speed/timed_case.hpp"
#include "analysis/verify/case.hpp"
#include "core/kernel/lvsa_kernel.h"

namespace lvsa::analysis {

struct MeasureSettings {
  TimeSource source = TimeSource::kWall;
  double slot_s = 0.004;     ///< least time of the calls that are timed together
  std::int32_t threads = 0;  ///< of host kernels; 0: their own choice
};

/// A state on one line, and back. Throws Error(kValue) for another text.
std::string encode_state(const MachineState& state);
MachineState decode_state(std::string_view text);

/// Numbers between blanks. Throws Error(kValue) for anything else.
std::vector<double> parse_numbers(std::string_view text);

/// A few sizes that take milliseconds: with a head or four for a processor, those of the Wan and
/// HunyuanVideo models for a GPU.
std::vector<Case> default_speed_cases(bool on_device);

class SpeedMeter {
 public:
  using Tell = std::function<void(std::string_view word, std::string_view text)>;
  /// The kernels must outlive it. Without cases those of default_speed_cases() are timed.
  SpeedMeter(const lvsa_kernel& a, const lvsa_kernel& b, std::vector<Case> cases,
             const MeasureSettings& settings, Tell tell);

  /// Answers one line of the run. Throws Error(kValue) for one that is none, and what TimedCase
  /// throws.
  void answer(const std::string& line);

 private:
  void who() const;
  void pilot();
  void pilot_case(std::size_t number);
  void measure(const std::vector<double>& numbers);
  void measure_block(TimedCase& timed, std::size_t number, std::int64_t block, std::int64_t calls);
  double time(TimedCase& timed, Side side, std::size_t number, std::int64_t calls);
  double clock() const;

  const lvsa_kernel& a_;
  const lvsa_kernel& b_;
  std::vector<Case> cases_;
  MeasureSettings settings_;
  Tell tell_;
  bool on_device_ = false;
  std::optional<GpuClocks> gpu_;  ///< of kernels on a GPU
};

}  // namespace lvsa::analysis
