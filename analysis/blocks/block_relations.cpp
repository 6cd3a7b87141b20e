#include "analysis/blocks/block_relations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <set>

#include "analysis/blocks/block_maps.hpp"
#include "analysis/verify/relation_lists.hpp"
#include "analysis/verify/relation_tensors.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;

constexpr auto kRelations = joined(
    kCommonRelations,
    std::array{
        Relation{"batch-order", "permuted batch elements, maps with them, give permuted outputs",
                 check_map_batch_order},
        Relation{"head-order", "permuted heads, maps with them, give permuted outputs",
                 check_map_head_order},
        Relation{"batch-mates", "NaN in the other batch elements changes no bit",
                 check_map_batch_mates},
        Relation{"head-mates", "NaN in the other heads changes no bit", check_head_mates},
        Relation{"query-mates", "NaN in some query rows changes no bit of the others",
                 check_map_query_mates},
        Relation{"poison-nan", "NaN in key blocks changes no bit of rows that do not attend them",
                 check_map_poison_nan},
        Relation{"poison-infinity", "neither does infinity", check_map_poison_infinity},
        Relation{"poison-huge", "neither do the largest numbers", check_map_poison_huge},
        Relation{"groups-repeated", "K and V repeated for each query head give the same",
                 check_groups_repeated},
        Relation{"tokens-added", "blocks behind the last that nobody attends change nothing",
                 check_tokens_added},
        Relation{"order-outside", "tokens put in order before the call give the same as the order",
                 check_order_outside},
        Relation{"more-keys", "keys behind the last that nobody attends change nothing",
                 check_more_keys},
        Relation{"fewer-keys", "without the last key block: fewer keys than queries",
                 check_fewer_keys},
        Relation{"fewer-queries", "without the last query block: fewer queries than keys",
                 check_fewer_queries},
        Relation{"dense", "the map of all blocks gives dense attention", check_map_dense},
        Relation{"halves", "two halves of the map merge by log-sum-exp to the whole",
                 check_map_halves},
        Relation{"stale-data", "other data at the same addresses give their own results",
                 check_map_stale_data},
        Relation{"stale-map", "another map of equal sums at the same addresses counts",
                 check_stale_map},
        Relation{"stale-map-size", "a map of fewer blocks counts, and the first again after it",
                 check_stale_map_size},
    });

void set_maps(Problem& problem, std::vector<HeadPattern> heads) {
  problem.maps = std::make_shared<BlockMaps>(problem.maps->with(std::move(heads), problem.c.batch));
}

// The patterns of heads that come from others.
template <typename From>
std::vector<HeadPattern> moved_patterns(const Problem& problem, From from) {
  std::vector<HeadPattern> heads;
  for (std::int64_t b = 0; b < problem.c.batch; ++b) {
    for (std::int64_t h = 0; h < problem.c.heads; ++h) {
      heads.push_back(problem.maps->head(from(RowId{b, 0, h})));
    }
  }
  return heads;
}

Finding moved_rows(RelationContext& context, const Problem& other,
                   const std::function<RowId(RowId)>& from) {
  RowPairs rows = same_rows(other);
  for (RowPair& pair : rows) pair.there = from(pair.here);
  return holds_unless(rows_differ(other, context.call(other), context.base, rows));
}

// Appends `added` tokens of large random numbers, which form blocks of their own that attend
// nothing and that nobody attends.
HeadPattern with_more_places(const HeadPattern& pattern, std::int64_t added) {
  HeadPattern more = pattern;
  const auto longer = [&](const BlockAxis& axis) {
    std::vector<std::int64_t> begins = axis.begins();
    begins.push_back(axis.tokens() + added);
    return BlockAxis::of_begins(std::move(begins));
  };
  more.map.rows = longer(pattern.map.rows);
  more.map.columns = longer(pattern.map.columns);
  more.map.indptr.push_back(more.map.indptr.back());
  if (pattern.order) {
    std::vector<std::int32_t> tokens = pattern.order->tokens();
    tokens.resize(tokens.size() + static_cast<std::size_t>(added));
    std::iota(tokens.end() - added, tokens.end(), static_cast<std::int32_t>(pattern.order->size()));
    more.order = Permutation(std::move(tokens), "order");
  }
  return more;
}

}  // namespace

std::span<const Relation> block_relations() { return kRelations; }

Finding check_map_batch_order(RelationContext& context) {
  const Problem& problem = context.problem;
  const std::int64_t batch = problem.c.batch;
  if (batch < 2) return not_applicable("there is one batch element only");
  const auto from = [&](RowId row) {
    row.batch = (row.batch + 1) % batch;
    return row;
  };
  Problem other = problem;
  for (auto* tensor : {&other.q, &other.k, &other.v}) {
    *tensor = gathered(**tensor, other.c.layout, (*tensor)->shape(), from);
  }
  set_maps(other, moved_patterns(problem, from));
  return moved_rows(context, other, from);
}

// Groups move on by one, and so do the query heads within each.
Finding check_map_head_order(RelationContext& context) {
  const Problem& problem = context.problem;
  if (problem.c.heads < 2) return not_applicable("there is one head only");
  const std::int64_t kv_heads = problem.c.kv_heads;
  const std::int64_t group = problem.c.heads / kv_heads;
  const auto kv_from = [&](RowId row) {
    row.head = (row.head + 1) % kv_heads;
    return row;
  };
  const auto q_from = [&](RowId row) {
    row.head = (row.head / group + 1) % kv_heads * group + (row.head % group + 1) % group;
    return row;
  };
  Problem other = problem;
  other.q = gathered(*other.q, other.c.layout, other.q->shape(), q_from);
  other.k = gathered(*other.k, other.c.layout, other.k->shape(), kv_from);
  other.v = gathered(*other.v, other.c.layout, other.v->shape(), kv_from);
  set_maps(other, moved_patterns(problem, q_from));
  return moved_rows(context, other, q_from);
}

Finding check_map_batch_mates(RelationContext& context) {
  const Problem& problem = context.problem;
  if (problem.c.batch > 1) return check_batch_mates(context);
  if (context.kernel.capabilities.batch == 0) return not_applicable("no batch above 1");
  // The given batch element and one of NaN, in both orders, each with the same maps.
  for (const std::int64_t real : {0, 1}) {
    Problem other = problem;
    other.c.batch = 2;
    for (auto* tensor : {&other.q, &other.k, &other.v}) {
      std::array<std::int64_t, 4> shape = (*tensor)->shape();
      shape[0] = 2;
      *tensor = gathered(**tensor, other.c.layout, shape, [&](RowId row) {
        if (row.batch != real) row.token = -1;  // NaN
        row.batch = 0;
        return row;
      });
    }
    set_maps(other, moved_patterns(other, [](RowId row) {
               row.batch = 0;
               return row;
             }));
    RowPairs rows = same_rows(problem);
    for (RowPair& pair : rows) pair.here.batch = real;
    Finding finding =
        equal_to_base(context, other, context.call(other), "NaN in another batch element", rows);
    if (finding.state != CheckState::kHolds) return finding;
  }
  return holds();
}

// Where a skip rule looks at all rows of a query block, its rows do depend on each other.
Finding check_map_query_mates(RelationContext& context) {
  if (context.problem.maps->has_skip()) {
    return not_applicable("the skip rule looks at the other rows of a block");
  }
  return check_query_mates(context);
}

Finding check_tokens_added(RelationContext& context) {
  const Problem& problem = context.problem;
  // Whole blocks, so that those before stay the last of their kind; a ragged one would not.
  const std::int64_t rows = problem.maps->nominal().rows;
  const std::int64_t columns = problem.maps->nominal().columns;
  const BlockMap& map = problem.maps->heads().front().map;
  const std::int64_t last_row = map.rows.size(map.rows.blocks() - 1);
  const std::int64_t last_column = map.columns.size(map.columns.blocks() - 1);
  if (last_row != rows || last_column != columns) {
    return not_applicable("the last block is smaller, and would not be the last");
  }
  const std::int64_t added = std::min(rows, columns);
  Problem other = problem;
  const std::int64_t tokens = other.c.grid.seq_len();
  other.c.grid.text_tokens += added;
  std::uint64_t stream = 200;
  for (auto* tensor : {&other.q, &other.k, &other.v}) {
    *tensor = with_more_tokens(**tensor, other.c.layout, tokens, added, problem.c.seed, stream++);
  }
  std::vector<HeadPattern> heads;
  for (const HeadPattern& head : problem.maps->heads()) {
    heads.push_back(with_more_places(head, added));
  }
  set_maps(other, std::move(heads));
  const Outputs outputs = context.call(other);
  RowPairs pairs = same_rows(problem);
  std::erase_if(pairs, [&](const RowPair& pair) { return pair.here.token >= tokens; });
  return equal_to_base(context, other, outputs, "blocks added", pairs);
}

Finding check_order_outside(RelationContext& context) {
  const Problem& problem = context.problem;
  const auto& heads = problem.maps->heads();
  if (std::none_of(heads.begin(), heads.end(), [](const auto& head) { return !!head.order; })) {
    return not_applicable("no head has an order");
  }
  Problem other = problem;
  other.wanted.clear();
  const std::int64_t group = problem.c.heads / problem.c.kv_heads;
  other.c.kv_heads = other.c.heads;  // each head may have its own order
  const auto ordered = [&](RowId row) {
    const HeadPattern& pattern = problem.maps->head(row);
    if (pattern.order) row.token = pattern.order->token(row.token);
    return row;
  };
  other.q = gathered(*problem.q, other.c.layout, problem.q->shape(), ordered);
  for (auto* tensor : {&other.k, &other.v}) {
    *tensor = gathered(**tensor, other.c.layout, problem.q->shape(), [&](RowId row) {
      row = ordered(row);
      row.head /= group;
      return row;
    });
  }
  std::vector<HeadPattern> plain = heads;
  for (HeadPattern& head : plain) head.order.reset();
  set_maps(other, std::move(plain));
  // Row pairs by the places of the tokens that are compared.
  RowPairs rows;
  for (const RowPair& pair : same_rows(problem)) {
    RowId here = pair.here;
    here.token = place_of_token(problem.maps->head(here), here.token);
    rows.push_back({here, pair.there});
  }
  return equal_to_base(context, other, context.call(other), "tokens put in order before the call",
                       rows);
}

}  // namespace lvsa::analysis
