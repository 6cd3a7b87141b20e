#pragma once
// Self-attention calls in the order in which a rank sees them: recorded, or made from a plan.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analysis/diagnose/cache_rules.hpp"

namespace lvsa::analysis {

/// One self-attention call.
struct StepCall {
  std::int64_t layer = 0;
  std::int64_t seq_len = 0;
  std::optional<std::int64_t> published_step;  ///< what the pipeline says, where it does
  std::optional<std::int64_t> true_step;       ///< where it is known
  std::int64_t request = 0;                    ///< from 0; -1: a warm-up
};

using CallSink = std::function<void(const StepCall&)>;

/// A run of a server, to be made into calls.
struct TracePlan {
  std::int64_t blocks = 30;
  std::int64_t passes = 2;        ///< forward passes a step over all ranks (2 with guidance)
  std::int64_t cfg_parallel = 1;  ///< ranks that share the passes; each sees its part
  std::int64_t steps = 40;
  std::int64_t requests = 1;
  std::vector<std::int64_t> seq_lens = {32760};  ///< of the requests in turn, again from the front
  std::int64_t warmup_seq_len = 0;               ///< of one pass before all; 0: none
  std::int64_t batch = 1;  ///< requests whose passes alternate within each step
  bool publishes_step = false;
  CacheRule cache;
  std::vector<double> changes = {0.05};  ///< a step each, the last one again for all later steps
};

/// Largest trace that is made: beyond it Error(kValue) names the product.
inline constexpr std::int64_t kMostCalls = 1'000'000'000;

/// Calls `sink` for each call. Throws Error(kValue) that names a count below 1 or too many calls.
void make_trace(const TracePlan& plan, const CallSink& sink);

/// What a recorded trace held.
struct TraceFacts {
  std::int64_t calls = 0;
  bool has_true_steps = false;       ///< all calls said their step
  bool has_published_steps = false;  ///< at least one did
  bool has_requests = false;
};

/// Reads a trace, plain or gzip: CSV with a header of layer, seq_len and optionally
/// published_step, step, request; or a JSON value a line, {"layer": …, "seq_len": …, …} with the
/// same keys, or [layer, seq_len] or [layer, seq_len, published_step]. Blank lines and lines that
/// begin with # are skipped. Throws Error (kIo, kJson, kType, kValue) of one line with file, line
/// and what would be right; a trace without a call is an error.
TraceFacts read_trace(const std::string& path, const CallSink& sink);

/// Fills in what a recorded trace does not say. A new forward pass begins when the layer comes
/// again that began the one before, or with another length; a warm-up is a pass whose length
/// differs from that of the next and that is alone.
class StepTruth {
 public:
  /// `passes`: forward passes of a step that this rank sees; `steps`: of a generation.
  StepTruth(std::int64_t passes, std::optional<std::int64_t> steps);
  /// The same call with step and request filled in, if they were not.
  StepCall complete(StepCall call);

 private:
  std::int64_t passes_;
  std::optional<std::int64_t> steps_;
  std::optional<std::int64_t> first_layer_;
  std::optional<std::int64_t> seq_len_;
  std::int64_t pass_ = -1;  // of the generation
  std::int64_t request_ = -1;
};

}  // namespace lvsa::analysis
