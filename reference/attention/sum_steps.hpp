#pragma once
// How many roundings a term of a row's sums passes through on its way: docs/bounds.md,
// "Accumulation".

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace lvsa::reference {

/// K + joins + N for `keys` keys in `tiles` tiles of at most `key_tile` (1 or more) keys: K - 1
/// additions among the `sum_step` keys that are summed among themselves (0: unknown, which counts
/// as 1) and the product's own rounding, an addition for each group of them that joins the running
/// sum, a multiplication for each tile's rescale.
inline double sum_steps(std::int64_t keys, std::int64_t tiles, std::int64_t key_tile,
                        std::int64_t sum_step) {
  const auto k = static_cast<double>(keys);
  const auto n = static_cast<double>(tiles);
  const auto tile = static_cast<double>(key_tile);
  const double step = std::clamp(static_cast<double>(sum_step), 1.0, tile);
  // Tiles that end with their frame may end in a step that is not full.
  const double joins = step < tile ? std::min(k, std::ceil(k / step) + n) : n;
  return step + joins + n;
}

/// The keys that count for sum_steps() where a mask hides some: groups of several keys may hold but
/// one that is not hidden, so all places count; sums of single keys do not change by hidden ones.
inline std::int64_t summed_keys(std::int64_t keys, std::int64_t places, std::int64_t sum_step) {
  return sum_step > 1 ? places : keys;
}

}  // namespace lvsa::reference
