#pragma once
// The run's side of a comparison: starts measuring processes one after the other and gathers what
// they tell.

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/speed/speed_result.hpp"
#include "analysis/verify/case.hpp"

namespace lvsa::analysis {

struct BenchPlan {
  std::vector<std::string> argv;         ///< that start a measuring process
  std::vector<std::string> environment;  ///< "NAME=value", set for these processes
  std::vector<Case> cases;  ///< none: default_speed_cases(); the processes must know the same
  SpeedRules rules;
  std::int64_t processes = 15;
  std::int64_t blocks = 0;  ///< of a case, 0: by a pilot; made an odd multiple of `processes`
  /// That all of it may take, as far as 3 blocks a process allow it; of the default cases those are
  /// left out, the costliest first, for which there is no time.
  double seconds = 120.0;
  double timeout_s = 0.0;  ///< silence that is too long; 0: by the size of the case
  bool across_devices = false;
  std::function<void(std::string_view)> printed;  ///< a line that a kernel prints; may be empty
  std::function<void(std::int64_t, std::int64_t)> progress;  ///< processes done, of; may be empty
};

/// A case that was not measured, and why.
struct LeftOut {
  std::string line;
  std::string reason;
};

struct BenchOutcome {
  SpeedComparison comparison;  ///< judged; provenance and rules' origin are the caller's
  std::vector<LeftOut> left_out;
};

/// A kernel has ended its process, hangs, or has failed in a call: one line.
class KernelLost : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Measures and judges. Throws KernelLost; Error for kernels that cannot be loaded, cases that
/// cannot be made, kernels in different memory (unless across_devices), and when no case is left.
BenchOutcome run_bench(const BenchPlan& plan);

}  // namespace lvsa::analysis
