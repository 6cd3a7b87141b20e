#pragma once
// The pattern of one head of one call: a block map, and what may go with it.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/blocks/block_map.hpp"
#include "core/blocks/element_mask.hpp"
#include "core/blocks/permutation.hpp"

namespace lvsa {

/// SpargeAttn's online skip, in log2 units of the scaled scores. Over the kept blocks of a query
/// block in ascending order, the last one left out: delta = the largest (row maximum of the block -
/// maximum of that row before the block) of the block's rows; the block is skipped when
/// delta + threshold <= 0. A row's first maximum is -infinity, so the first block never is; the
/// maximum is updated by skipped blocks too. 50: off for practical purposes.
struct SkipRule {
  double threshold_log2 = 50.0;
  bool operator==(const SkipRule&) const = default;
};

struct HeadPattern {
  BlockMap map;      ///< over places: tokens in `order`, or in the sequence's own order without one
  ElementMask mask;  ///< of the map's entries
  std::optional<Permutation> order;  ///< of queries and keys alike
  std::optional<SkipRule> skip;
  /// What a rule decided for this head ("spatial", "local", ...); empty where it decides nothing.
  std::string choice;
  bool operator==(const HeadPattern&) const = default;
};

/// Keys [first, second).
using KeyRange = std::pair<std::int64_t, std::int64_t>;

/// Throws Error(kValue) that starts with `name`: what check_block_map() and check_element_mask()
/// throw, an order of another length, a threshold that is no number.
void check_head_pattern(const HeadPattern& pattern, const std::string& name);

/// The map and masks that attend exactly the pairs of a rule for places: `ranges(place, out)` fills
/// `out` (given empty) with the keys' places of a query's place: half-open, ascending, not
/// touching. Blocks without a pair are left out.
HeadPattern pattern_of_ranges(
    BlockAxis rows, BlockAxis columns,
    const std::function<void(std::int64_t, std::vector<KeyRange>&)>& ranges);

/// The tokens that a query token attends, as half-open ranges of tokens, ascending and not
/// touching; the skip rule does not count.
std::vector<KeyRange> visible_tokens(const HeadPattern& pattern, std::int64_t query_token);

/// Attended pairs of tokens, masks counted, the skip rule not.
std::int64_t attended_pairs(const HeadPattern& pattern);
/// attended_pairs() over all pairs.
double token_density(const HeadPattern& pattern);

}  // namespace lvsa
