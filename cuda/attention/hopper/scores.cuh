#pragma once
// The first product of attention.

#include <cstdint>

#include "cuda/ptx/wgmma.cuh"

namespace lvsa::cuda::hopper {

/// S = Q K^T of 64 query rows and a tile of keys in shared memory (addresses), swizzled: 64 columns
/// of the head a piece, from one to the next Layout::kQueryHalf and Layout::kKeyHalf bytes.
/// Queued as one group, not waited for.
template <class Element, class Layout, int kHeadDim, int kKeyTile>
__device__ __forceinline__ void issue_scores(float (&s)[kKeyTile / 2], std::uint32_t queries,
                                             std::uint32_t keys) {
  const std::uint64_t a = ptx::swizzled_operand(queries, 0);
  const std::uint64_t b = ptx::swizzled_operand(keys, 0);
  ptx::keep_registers(s);
  ptx::wgmma_fence();
#pragma unroll
  for (int k = 0; k < kHeadDim / 16; ++k) {
    // 16 columns are 32 bytes; descriptors count in 16.
    const std::uint32_t a_step = k / 4 * (Layout::kQueryHalf / 16) + k % 4 * 2;
    const std::uint32_t b_step = k / 4 * (Layout::kKeyHalf / 16) + k % 4 * 2;
    ptx::WgmmaShared<kKeyTile, Element>::run(s, a + a_step, b + b_step, k > 0);
  }
  ptx::wgmma_commit();
}

}  // namespace lvsa::cuda::hopper
