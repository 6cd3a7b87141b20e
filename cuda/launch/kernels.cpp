// The entry point of liblvsa_cuda.so: the kernels that it offers through the C interface.

#include <array>
#include <cstdint>

#include "core/kernel/lvsa_kernel.h"
#include "cuda/launch/hopper_kernel.hpp"
#include "cuda/launch/host_memory.hpp"
#include "cuda/launch/portable_kernel.hpp"

extern "C" __attribute__((visibility("default"))) const lvsa_kernel* lvsa_kernels(
    std::uint32_t abi_version, std::uint32_t* count) {
  using namespace lvsa::cuda;
  static const std::array<lvsa_kernel, 6> kernels = {
      hopper_kernel(),
      fp8_kernel(),
      portable_kernel(),
      host_memory_kernel<hopper_kernel>("cuda-host"),
      host_memory_kernel<fp8_kernel>("cuda-fp8-host"),
      host_memory_kernel<portable_kernel>("cuda-portable-host"),
  };
  if (abi_version != LVSA_KERNEL_ABI_VERSION || count == nullptr) return nullptr;
  *count = static_cast<std::uint32_t>(kernels.size());
  return kernels.data();
}
