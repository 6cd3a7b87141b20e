#pragma once
// Items with many more key blocks than the rest, text rows above all, begin first: one that began
// last would run alone at the end.

#include <cstdint>

#include "cuda/attention/blocks_hopper/parameters.hpp"

namespace lvsa::cuda::blocks {

/// Whether an item of a head has three quarters of all key blocks.
__device__ __forceinline__ bool item_is_long(const Parameters& p, bool paired, int batch_head,
                                             int item) {
  const std::int32_t* const counts =
      p.maps.row_count + std::int64_t{p.maps.map_of_head[batch_head]} * p.maps.row_blocks;
  int count = counts[paired ? 2 * item : item];
  if (paired && 2 * item + 1 < p.maps.row_blocks) count = max(count, counts[2 * item + 1]);
  return 4 * std::int64_t{count} >= 3 * std::int64_t{p.maps.column_blocks};
}

}  // namespace lvsa::cuda::blocks
