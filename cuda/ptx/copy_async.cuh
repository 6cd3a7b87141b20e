#pragma once
// cp.async: copies of a few bytes a thread from global to shared memory. sm_80 and up.

#include <cstdint>

namespace lvsa::cuda::ptx {

/// Copies 16 bytes, both ends aligned to 16; of these the first `bytes` are read, the others become
/// zeros.
__device__ __forceinline__ void copy_async_16(std::uint32_t destination, const void* source,
                                              int bytes) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(destination),
               "l"(__cvta_generic_to_global(source)), "r"(bytes)
               : "memory");
}

/// Waits for this thread's copies.
__device__ __forceinline__ void copy_async_wait() {
  asm volatile("cp.async.wait_all;" ::: "memory");
}

}  // namespace lvsa::cuda::ptx
