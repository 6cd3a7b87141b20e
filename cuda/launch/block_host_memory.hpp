#pragma once
// A block-sparse kernel for device memory, run on tensors in host memory (see host_memory.hpp).

#include <cstddef>

#include "core/blocks/lvsa_blocks.h"

namespace lvsa::cuda {

/// As run_on_host_tensors(): q, k, v, out and lse are copied as they lie, with NaN around them.
lvsa_status run_blocks_on_host_tensors(const lvsa_block_kernel& kernel,
                                       const lvsa_block_problem* problem, char* message,
                                       std::size_t message_size);

/// The table of such a kernel, under another name. `kOf` gives the kernel for device memory.
template <const lvsa_block_kernel& (*kOf)()>
lvsa_block_kernel host_memory_block_kernel(const char* name) {
  lvsa_block_kernel kernel = kOf();
  kernel.name = name;
  kernel.capabilities.memory = LVSA_HOST;
  kernel.workspace = nullptr;
  kernel.numerics = [](const lvsa_block_problem* problem, lvsa_numerics* numerics) {
    return kOf().numerics(problem, numerics);
  };
  kernel.run = [](const lvsa_block_problem* problem, void*, std::size_t, void*, char* message,
                  std::size_t message_size) {
    return run_blocks_on_host_tensors(kOf(), problem, message, message_size);
  };
  return kernel;
}

}  // namespace lvsa::cuda
