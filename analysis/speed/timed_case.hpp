#pragma once
// One case as it is timed: both kernels on the same tensors, outputs and workspace.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "analysis/speed/block_order.hpp"
#include "analysis/verify/case.hpp"
#include "core/kernel/lvsa_kernel.h"

namespace lvsa::analysis {

/// What counts as time: that on the wall, or that of this process's processors.
enum class TimeSource { kWall, kCpu };

/// Why the two cannot be timed on a case, one line; nothing when they can.
std::optional<std::string> untimed_reason(const lvsa_kernel& a, const lvsa_kernel& b,
                                          const Case& c);

/// Tensors made once, in the memory that the kernels want; both write to the same output, and
/// workspaces begin at the same address. The log-sum-exp is asked for where both give it. The
/// kernels must outlive it.
class TimedCase {
 public:
  /// `threads`: of a host kernel, 0: its own choice. Throws Error for sizes beyond memory,
  /// KernelFailed for a kernel that refuses the problem.
  TimedCase(const lvsa_kernel& a, const lvsa_kernel& b, const Case& c, std::int32_t threads);
  ~TimedCase();
  TimedCase(const TimedCase&) = delete;
  TimedCase& operator=(const TimedCase&) = delete;

  /// Calls a kernel so many times in a row and waits for the last: seconds for all together. Throws
  /// KernelFailed, Error(kKernel) for an exception of the kernel's, DeviceLost.
  double seconds(Side side, std::int64_t calls, TimeSource source);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace lvsa::analysis
