#pragma once
// Which of a tile's scores count, where not all do.

#include <cstdint>

#include "cuda/attention/blocks_hopper/parameters.hpp"
#include "cuda/attention/blocks_hopper/shared_layout.cuh"
#include "cuda/attention/hopper/softmax.cuh"

namespace lvsa::cuda::blocks {

/// A bit for each key of a thread's two rows, from the thread's first column on.
struct TileMask {
  std::uint64_t word[2][2];  ///< [row][unit]
};

/// Reads the masks of a tile; `row` is the thread's first row within its row block.
__device__ __forceinline__ TileMask read_mask(const DeviceMaps& maps, const int (&keys)[2],
                                              const int (&mask)[2], int row, int lane) {
  TileMask result;
#pragma unroll
  for (int u = 0; u < 2; ++u) {
    const std::uint64_t there =
        keys[u] >= kUnit ? ~std::uint64_t{0} : (std::uint64_t{1} << keys[u]) - 1;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      std::uint64_t word = mask[u] == kNotAttended ? 0 : there;
      if (mask[u] >= 0) {
        const std::int64_t index =
            (std::int64_t{mask[u]} * maps.block_rows + row + 8 * r) * maps.mask_words;
        word &= maps.mask_bits[index + (maps.mask_words > 1 ? u : 0)];
      }
      result.word[r][u] = word >> (lane & 3) * 2;
    }
  }
  return result;
}

/// Scores that do not count become -inf.
__device__ __forceinline__ void apply_mask(float (&s)[kKeyTile / 2], const TileMask& mask) {
#pragma unroll
  for (int i = 0; i < kKeyTile / 2; ++i) {
    const std::uint64_t word = mask.word[i >> 1 & 1][i / 32];
    if ((word >> (i % 32 / 4 * 8 + (i & 1)) & 1) == 0) s[i] = hopper::kMinusInfinity;
  }
}

}  // namespace lvsa::cuda::blocks
