#pragma once
// TMA: copies of boxes of a tensor, described by a tensor map, into shared memory. sm_90 and up.

#include <cuda.h>

#include <cstdint>

namespace lvsa::cuda::ptx {

__device__ __forceinline__ void tma_prefetch(const CUtensorMap* map) {
  asm volatile("prefetch.tensormap [%0];" ::"l"(reinterpret_cast<std::uint64_t>(map)) : "memory");
}

/// Copies the box at (c0 .. c4), c0 the fastest dimension, to `destination` in shared memory; its
/// bytes arrive at `barrier`. Elements outside the tensor arrive as zeros and count as bytes.
__device__ __forceinline__ void tma_load_5d(std::uint32_t destination, const CUtensorMap* map,
                                            std::uint32_t barrier, int c0, int c1, int c2, int c3,
                                            int c4) {
  asm volatile(
      "cp.async.bulk.tensor.5d.shared::cluster.global.mbarrier::complete_tx::bytes "
      "[%0], [%1, {%3, %4, %5, %6, %7}], [%2];" ::"r"(destination),
      "l"(reinterpret_cast<std::uint64_t>(map)), "r"(barrier), "r"(c0), "r"(c1), "r"(c2), "r"(c3),
      "r"(c4)
      : "memory");
}

/// Copies `bytes` (a multiple of 16) from global to shared memory, both aligned to 16 bytes; they
/// arrive at `barrier`.
__device__ __forceinline__ void bulk_load(std::uint32_t destination, const void* source,
                                          std::uint32_t bytes, std::uint32_t barrier) {
  asm volatile(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::
          "r"(destination),
      "l"(reinterpret_cast<std::uint64_t>(source)), "r"(bytes), "r"(barrier)
      : "memory");
}

}  // namespace lvsa::cuda::ptx
