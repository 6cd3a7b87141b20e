// Relations about which keys a map shows to a row: poison in all others, all keys, and halves.

#include <algorithm>
#include <limits>
#include <memory>

#include "analysis/blocks/block_maps.hpp"
#include "analysis/blocks/block_relations.hpp"
#include "analysis/verify/relation_tensors.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;

constexpr std::size_t kRows = 24;

// Tokens of a set of places, by (batch element, key head).
class TokenSets {
 public:
  explicit TokenSets(const Problem& problem) : c_(problem.c) {
    sets_.assign(static_cast<std::size_t>(c_.batch * c_.kv_heads),
                 std::vector<bool>(static_cast<std::size_t>(c_.grid.seq_len()), false));
  }
  std::vector<bool>& of_kv(std::int64_t batch, std::int64_t kv_head) {
    return sets_[static_cast<std::size_t>(batch * c_.kv_heads + kv_head)];
  }
  const std::vector<bool>& of_query(const RowId& row) const {
    const std::int64_t kv_head = row.head / (c_.heads / c_.kv_heads);
    return sets_[static_cast<std::size_t>(row.batch * c_.kv_heads + kv_head)];
  }
  bool has(const RowId& kv_row) const {
    return sets_[static_cast<std::size_t>(kv_row.batch * c_.kv_heads + kv_row.head)]
                [static_cast<std::size_t>(kv_row.token)];
  }

 private:
  const Case& c_;
  std::vector<std::vector<bool>> sets_;
};

std::int64_t token_at(const HeadPattern& pattern, std::int64_t place) {
  return pattern.order ? std::int64_t{pattern.order->token(place)} : place;
}

// Query block of the way: 0 that with the fewest keys, 1 the last one.
std::int64_t chosen_row_block(const HeadPattern& pattern, int way) {
  std::int64_t chosen = pattern.map.rows.blocks() - 1;
  if (way == 1) return chosen;
  for (std::int64_t r = 0; r < pattern.map.rows.blocks(); ++r) {
    if (pattern.map.row(r).size() < pattern.map.row(chosen).size()) chosen = r;
  }
  return chosen;
}

// Key blocks that are poisoned, by the first query head of a group: all that one query block leaves
// out, so that its rows meet as much poison as can be (ways 0 and 1); or the block that the fewest
// attend, so that most rows can be compared (way 2).
std::vector<bool> bad_blocks(const HeadPattern& pattern, int way) {
  const BlockMap& map = pattern.map;
  const auto columns = static_cast<std::size_t>(map.columns.blocks());
  if (way == 2) {
    std::vector<std::int64_t> attended_by(columns, 0);
    for (const std::int32_t c : map.indices) ++attended_by[static_cast<std::size_t>(c)];
    std::vector<bool> bad(columns, false);
    bad[static_cast<std::size_t>(std::min_element(attended_by.begin(), attended_by.end()) -
                                 attended_by.begin())] = true;
    return bad;
  }
  std::vector<bool> bad(columns, true);
  for (const std::int32_t c : map.row(chosen_row_block(pattern, way))) {
    bad[static_cast<std::size_t>(c)] = false;
  }
  return bad;
}

TokenSets bad_tokens(const Problem& problem, int way) {
  TokenSets sets(problem);
  const std::int64_t group = problem.c.heads / problem.c.kv_heads;
  for (std::int64_t b = 0; b < problem.c.batch; ++b) {
    for (std::int64_t h = 0; h < problem.c.kv_heads; ++h) {
      const HeadPattern& pattern = problem.maps->head(b, h * group);
      const std::vector<bool> bad = bad_blocks(pattern, way);
      for (std::int64_t place = 0; place < problem.c.grid.seq_len(); ++place) {
        if (!bad[static_cast<std::size_t>(pattern.map.columns.block_of(place))]) continue;
        sets.of_kv(b, h)[static_cast<std::size_t>(token_at(pattern, place))] = true;
      }
    }
  }
  return sets;
}

// Whether a kept block of each query block holds a bad token, for one head.
std::vector<bool> spoilt_row_blocks(const HeadPattern& pattern, const std::vector<bool>& bad) {
  const BlockMap& map = pattern.map;
  std::vector<bool> bad_column(static_cast<std::size_t>(map.columns.blocks()), false);
  for (std::int64_t place = 0; place < map.columns.tokens(); ++place) {
    if (!bad[static_cast<std::size_t>(token_at(pattern, place))]) continue;
    bad_column[static_cast<std::size_t>(map.columns.block_of(place))] = true;
  }
  std::vector<bool> spoilt;
  for (std::int64_t r = 0; r < map.rows.blocks(); ++r) {
    const auto row = map.row(r);
    spoilt.push_back(std::any_of(row.begin(), row.end(), [&](std::int32_t c) {
      return bad_column[static_cast<std::size_t>(c)];
    }));
  }
  return spoilt;
}

// Rows none of whose kept blocks holds a bad token. Masked pairs of a kept block do not count as
// unattended: a weight of 0 times NaN is NaN, and kernels may compute that.
RowPairs clean_rows(const Problem& problem, const TokenSets& bad) {
  std::vector<std::vector<bool>> spoilt;
  for (std::int64_t b = 0; b < problem.c.batch; ++b) {
    for (std::int64_t h = 0; h < problem.c.heads; ++h) {
      spoilt.push_back(spoilt_row_blocks(problem.maps->head(b, h), bad.of_query({b, 0, h})));
    }
  }
  RowPairs rows = same_rows(problem);
  std::erase_if(rows, [&](const RowPair& pair) {
    const RowId& row = pair.here;
    const auto& of_head = spoilt[static_cast<std::size_t>(row.batch * problem.c.heads + row.head)];
    return of_head[static_cast<std::size_t>(row_block_of(problem.maps->head(row), row.token))] ==
           true;
  });
  return rows;
}

Finding check_poisoned_blocks(RelationContext& context, double value, int way) {
  const Problem& problem = context.problem;
  const TokenSets bad = bad_tokens(problem, way);
  const RowPairs rows = clean_rows(problem, bad);
  bool any = false;
  const auto is_bad = [&](const RowId& row) {
    any = any || bad.has(row);
    return bad.has(row);
  };
  Problem other = problem;
  other.k = poisoned(*problem.k, other.c.layout, value, is_bad);
  other.v = poisoned(*problem.v, other.c.layout, value, is_bad);
  if (!any || rows.empty()) {
    return not_applicable("every compared row attends a block that would be poisoned");
  }
  return holds_unless(rows_differ(other, context.call(other), context.base, rows));
}

// The entries of a map that `keeps(row, i-th kept block)` picks, with their masks.
template <typename Keeps>
HeadPattern part_of(const HeadPattern& pattern, Keeps keeps) {
  HeadPattern part = pattern;
  part.skip.reset();  // a rule on all of the keys, not on a part
  part.map.indices.clear();
  part.map.indptr.assign(1, 0);
  part.mask.entry.clear();
  for (std::int64_t r = 0; r < pattern.map.rows.blocks(); ++r) {
    const std::int32_t first = pattern.map.indptr[static_cast<std::size_t>(r)];
    const auto row = pattern.map.row(r);
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!keeps(r, i, row.size())) continue;
      part.map.indices.push_back(row[i]);
      if (pattern.mask.entry.empty()) continue;
      part.mask.entry.push_back(pattern.mask.mask_of(first + static_cast<std::int64_t>(i)));
    }
    part.map.indptr.push_back(static_cast<std::int32_t>(part.map.indices.size()));
  }
  return part;
}

// One half of every row: its front or back for even rows, every second block for odd ones.
bool in_second_half(std::int64_t r, std::size_t i, std::size_t size) {
  return r % 2 == 0 ? i >= (size + 1) / 2 : i % 2 == 1;
}

template <typename Change>
Problem with_patterns(const Problem& problem, Change change) {
  Problem other = problem;
  std::vector<HeadPattern> heads;
  for (const HeadPattern& head : problem.maps->heads()) heads.push_back(change(head));
  other.maps = std::make_shared<BlockMaps>(problem.maps->with(std::move(heads), problem.c.batch));
  return other;
}

}  // namespace

Finding check_map_poison_nan(RelationContext& context) {
  const Finding finding =
      check_poisoned_blocks(context, std::numeric_limits<double>::quiet_NaN(), 0);
  if (finding.state == CheckState::kFails) return finding;
  const Finding rarest =
      check_poisoned_blocks(context, std::numeric_limits<double>::quiet_NaN(), 2);
  return rarest.state == CheckState::kNotApplicable ? finding : rarest;
}

Finding check_map_poison_infinity(RelationContext& context) {
  return check_poisoned_blocks(context, std::numeric_limits<double>::infinity(), 1);
}

Finding check_map_poison_huge(RelationContext& context) {
  return check_poisoned_blocks(context, largest_number(context.problem.c.dtype), 0);
}

Finding check_map_dense(RelationContext& context) {
  const Problem every = with_patterns(context.problem, [](const HeadPattern& head) {
    HeadPattern full;
    full.map = full_block_map(head.map.rows, head.map.columns);
    full.order = head.order;
    return full;
  });
  return holds_unless(outside_bounds(every, context.call(every), spread_rows(every, kRows)));
}

Finding check_map_halves(RelationContext& context) {
  if (!context.base.lse) return not_applicable("the kernel has no log-sum-exp to merge by");
  const auto rows = spread_rows(context.problem, kRows);
  const auto part = [&](auto keeps) {
    Problem problem = with_patterns(context.problem,
                                    [&](const HeadPattern& head) { return part_of(head, keeps); });
    Outputs outputs = context.call(problem);
    auto exact = exact_rows(problem, rows, model_of(problem, outputs).scores);
    return PartOfKeys{std::move(problem), std::move(outputs), std::move(exact)};
  };
  return holds_unless(
      merge_differs(part([](auto r, auto i, auto size) { return !in_second_half(r, i, size); }),
                    part([](auto r, auto i, auto size) { return in_second_half(r, i, size); }),
                    part([](auto, auto, auto) { return true; }), rows));
}

}  // namespace lvsa::analysis
