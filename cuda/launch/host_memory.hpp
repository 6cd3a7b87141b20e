#pragma once
// A kernel for device memory, run on tensors in host memory: this is how lvsa-verify, which knows
// nothing of CUDA, judges the kernels of this library.

#include <cstddef>

#include "core/kernel/lvsa_kernel.h"

namespace lvsa::cuda {

/// Copies q, k, v, out and lse to the device as they lie (strides, gaps and alignment kept, NaN
/// around them), runs `kernel`, waits, and copies out and lse back: what the kernel writes beside
/// its rows arrives in the caller's gaps. Strides below 0 are refused.
lvsa_status run_on_host_tensors(const lvsa_kernel& kernel, const lvsa_problem* problem,
                                char* message, std::size_t message_size);

/// The table of such a kernel, under another name. `kOf` gives the kernel for device memory.
template <const lvsa_kernel& (*kOf)()>
lvsa_kernel host_memory_kernel(const char* name) {
  lvsa_kernel kernel = kOf();
  kernel.name = name;
  kernel.capabilities.memory = LVSA_HOST;
  kernel.workspace = nullptr;
  kernel.numerics = [](const lvsa_problem* problem, lvsa_numerics* numerics) {
    return kOf().numerics(problem, numerics);
  };
  kernel.run = [](const lvsa_problem* problem, void*, std::size_t, void*, char* message,
                  std::size_t message_size) {
    return run_on_host_tensors(kOf(), problem, message, message_size);
  };
  return kernel;
}

}  // namespace lvsa::cuda
