#pragma once
// The functions of a kernel, called so that what a kernel does to its surroundings (exceptions, the
// floating-point environment) ends here. The problems are in host memory; for a kernel that wants
// device memory they are moved there and back.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "analysis/verify/guarded_tensor.hpp"
#include "core/error.hpp"
#include "core/kernel/lvsa_kernel.h"

namespace lvsa::analysis {

/// What a function of a kernel returned, and one line on it where that is not LVSA_OK.
struct KernelStatus {
  lvsa_status status = LVSA_OK;
  std::string text;
  double seconds = 0.0;  ///< of run(), without the way to the device and back
  /// Bytes changed in red zones that are on the device only; those in host memory are the caller's.
  std::int64_t changed_outside = 0;
};

/// A kernel's function has not returned LVSA_OK.
class KernelFailed : public Error {
 public:
  explicit KernelFailed(const KernelStatus& told)
      : Error(ErrorKind::kKernel, told.text), status_(told.status) {}
  lvsa_status status() const { return status_; }

 private:
  lvsa_status status_;
};

/// Calls a function of a kernel behind any C interface, which writes its line to the message it is
/// given. Throws Error(kKernel) for an exception of the kernel's.
KernelStatus call_contained(const char* kernel, const char* step,
                            const std::function<int(char* message, std::size_t size)>& call);

/// The same for run() behind any C interface, timed: `wait`, when given, is called before the time
/// is taken. Throws DeviceLost, too.
KernelStatus run_contained(const char* kernel,
                           const std::function<int(char* message, std::size_t size)>& run,
                           const std::function<void()>& wait);

/// Bytes of workspace for a problem. Throws Error(kKernel) for an exception of the kernel's.
KernelStatus query_workspace(const lvsa_kernel& kernel, const lvsa_problem& problem,
                             std::size_t& bytes);
/// The same for a problem that is where the kernel wants it.
KernelStatus workspace_in_place(const lvsa_kernel& kernel, const lvsa_problem& problem,
                                std::size_t& bytes);
/// Throws Error(kKernel) where there is not that much memory.
GuardedBytes make_workspace(const lvsa_kernel& kernel, std::size_t bytes, unsigned char fill);
/// Runs it and waits for the end. Throws Error(kKernel) for an exception of the kernel's,
/// Error(kOverflow) for a problem that the device has no room for, and DeviceLost.
KernelStatus invoke_kernel(const lvsa_kernel& kernel, const lvsa_problem& problem,
                           GuardedBytes& workspace);
/// Runs it on a problem, workspace included, that is where the kernel wants it; `wait`, when given,
/// is called before the time is taken. Throws as invoke_kernel() does.
KernelStatus invoke_in_place(const lvsa_kernel& kernel, const lvsa_problem& problem,
                             void* workspace, std::size_t bytes, void* stream,
                             const std::function<void()>& wait);
/// What the kernel declares of its numerics; nothing when it declares none.
std::optional<lvsa_numerics> query_numerics(const lvsa_kernel& kernel, const lvsa_problem& problem);

}  // namespace lvsa::analysis
