#pragma once
// A band of places around the diagonal, with what is attended beside it: exact maps with masks.

#include <cstdint>
#include <cstdlib>

#include "core/blocks/head_pattern.hpp"

namespace lvsa::sparse {

/// Which pairs of places are attended.
struct TokenBand {
  std::int64_t half = -1;       ///< |query - key| <= half; below 0: no pair by this
  std::int64_t dense_from = 0;  ///< places from here on attend all and are attended by all
  std::int64_t sinks = 0;       ///< keys 0, stride, .. (sinks - 1) * stride are attended by all
  std::int64_t stride = 1;

  bool attends(std::int64_t query, std::int64_t key) const {
    return query >= dense_from || key >= dense_from || std::llabs(query - key) <= half ||
           (key < sinks * stride && key % stride == 0);
  }
};

/// The map and masks that attend exactly these pairs, over the same places for queries and keys.
HeadPattern pattern_of_band(BlockAxis rows, BlockAxis columns, const TokenBand& band);

}  // namespace lvsa::sparse
