#pragma once
// Patterns in which many queries in a row attend the same keys: much faster than query by query.

#include <cstdint>
#include <span>
#include <vector>

#include "core/blocks/head_pattern.hpp"

namespace lvsa {

/// The queries at the places [begin, end) attend the places of `keys`: half-open, ascending, not
/// touching.
struct QuerySegment {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::vector<KeyRange> keys;
};

/// The map and masks that attend exactly the pairs of the segments, which cover the queries' places
/// from 0 on without a gap. The same result as pattern_of_ranges() with the masks perhaps in
/// another order. Throws Error(kValue) for segments with a gap, Error(kOverflow) as
/// pattern_of_ranges() does.
HeadPattern pattern_of_segments(BlockAxis rows, BlockAxis columns,
                                std::span<const QuerySegment> segments);

/// Adds [begin, end) behind ranges, joined to the last of them where the two touch.
void append_range(std::vector<KeyRange>& ranges, std::int64_t begin, std::int64_t end);

}  // namespace lvsa
