#pragma once
// The functions of a kernel, called so that what a kernel does to its surroundings (exceptions, the
// floating-point environment) ends here.

#include <cstddef>
#include <optional>
#include <string>

#include "analysis/verify/guarded_tensor.hpp"
#include "core/kernel/lvsa_kernel.h"

namespace lvsa::analysis {

/// What a function of a kernel returned, and one line on it where that is not LVSA_OK.
struct KernelStatus {
  lvsa_status status = LVSA_OK;
  std::string text;
};

/// Bytes of workspace for a problem. Throws Error(kKernel) for an exception of the kernel's.
KernelStatus query_workspace(const lvsa_kernel& kernel, const lvsa_problem& problem,
                             std::size_t& bytes);
/// Throws Error(kKernel) where there is not that much memory.
GuardedBytes make_workspace(const lvsa_kernel& kernel, std::size_t bytes, unsigned char fill);
/// Runs it. Throws Error(kKernel) for an exception of the kernel's.
KernelStatus invoke_kernel(const lvsa_kernel& kernel, const lvsa_problem& problem,
                           GuardedBytes& workspace);
/// What the kernel declares of its numerics; nothing when it declares none.
std::optional<lvsa_numerics> query_numerics(const lvsa_kernel& kernel, const lvsa_problem& problem);

}  // namespace lvsa::analysis
