// Relations of calls with another number of keys than of queries.

#include <algorithm>

#include "analysis/blocks/block_maps.hpp"
#include "analysis/blocks/block_relations.hpp"
#include "analysis/verify/relation_tensors.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;

// Why a problem has no variant of this kind; nothing where it has.
std::optional<std::string> not_served(const Problem& problem) {
  if (problem.maps->kernel().capabilities.unequal_tokens == 0) {
    return "no other number of keys than of queries";
  }
  const auto& heads = problem.maps->heads();
  if (std::any_of(heads.begin(), heads.end(), [](const auto& head) { return !!head.order; })) {
    return "an order is of queries and keys alike";
  }
  return std::nullopt;
}

BlockAxis without_last(const BlockAxis& axis) {
  std::vector<std::int64_t> begins = axis.begins();
  begins.pop_back();
  return BlockAxis::of_begins(std::move(begins));
}

HeadPattern with_more_keys(const HeadPattern& pattern, std::int64_t added) {
  HeadPattern more = pattern;
  std::vector<std::int64_t> begins = pattern.map.columns.begins();
  begins.push_back(begins.back() + added);
  more.map.columns = BlockAxis::of_begins(std::move(begins));
  return more;
}

// Without the last key block; masks keep their size, which is that of the largest block.
HeadPattern with_fewer_keys(const HeadPattern& pattern) {
  HeadPattern fewer;
  const BlockMap& map = pattern.map;
  const auto last = static_cast<std::int32_t>(map.columns.blocks() - 1);
  fewer.map.rows = map.rows;
  fewer.map.columns = without_last(map.columns);
  fewer.map.indptr = {0};
  fewer.skip = pattern.skip;
  for (std::int64_t r = 0; r < map.rows.blocks(); ++r) {
    const std::int64_t first = map.indptr[static_cast<std::size_t>(r)];
    for (std::size_t i = 0; i < map.row(r).size(); ++i) {
      if (map.row(r)[i] == last) continue;
      fewer.map.indices.push_back(map.row(r)[i]);
      fewer.mask.entry.push_back(pattern.mask.mask_of(first + static_cast<std::int64_t>(i)));
    }
    fewer.map.indptr.push_back(static_cast<std::int32_t>(fewer.map.indices.size()));
  }
  if (pattern.mask.masks() == 0) {
    fewer.mask = {};
  } else {
    fewer.mask.block_rows = pattern.mask.block_rows;
    fewer.mask.words = pattern.mask.words;
    fewer.mask.bits = pattern.mask.bits;
  }
  return fewer;
}

HeadPattern with_fewer_queries(const HeadPattern& pattern) {
  HeadPattern fewer = pattern;
  fewer.map.rows = without_last(pattern.map.rows);
  fewer.map.indptr.pop_back();
  const auto kept = static_cast<std::size_t>(fewer.map.indptr.back());
  fewer.map.indices.resize(kept);
  if (!fewer.mask.entry.empty()) fewer.mask.entry.resize(kept);
  return fewer;
}

template <typename Change>
void change_heads(Problem& problem, Change change) {
  std::vector<HeadPattern> heads;
  for (const HeadPattern& head : problem.maps->heads()) heads.push_back(change(head));
  problem.maps = std::make_shared<BlockMaps>(problem.maps->with(std::move(heads), problem.c.batch));
}

std::shared_ptr<GuardedTensor> first_tokens(const Problem& problem, const GuardedTensor& tensor,
                                            std::int64_t tokens) {
  std::array<std::int64_t, 4> shape = tensor.shape();
  shape[1] = tokens;
  return gathered(tensor, problem.c.layout, shape, [](RowId row) { return row; });
}

}  // namespace

Finding check_more_keys(RelationContext& context) {
  const Problem& problem = context.problem;
  if (const auto reason = not_served(problem)) return not_applicable(*reason);
  const BlockAxis& columns = problem.maps->heads().front().map.columns;
  const std::int64_t added = columns.largest();  // masks are as wide as the largest block
  const bool whole = columns.size(columns.blocks() - 1) == problem.maps->nominal().columns;
  if (!whole && problem.maps->kernel().capabilities.segments == 0) {
    return not_applicable("the last block is smaller, and would not be the last");
  }
  Problem other = problem;
  std::uint64_t stream = 300;
  for (auto* tensor : {&other.k, &other.v}) {
    *tensor = with_more_tokens(**tensor, other.c.layout, columns.tokens(), added, problem.c.seed,
                               stream++);
  }
  change_heads(other, [&](const HeadPattern& head) { return with_more_keys(head, added); });
  return equal_to_base(context, other, context.call(other), "more keys than queries",
                       same_rows(other));
}

Finding check_fewer_keys(RelationContext& context) {
  const Problem& problem = context.problem;
  if (const auto reason = not_served(problem)) return not_applicable(*reason);
  const BlockAxis& columns = problem.maps->heads().front().map.columns;
  if (columns.blocks() < 2) return not_applicable("there is one key block only");
  Problem other = problem;
  const std::int64_t left = columns.begin(columns.blocks() - 1);
  for (auto* tensor : {&other.k, &other.v}) *tensor = first_tokens(problem, **tensor, left);
  // Where the largest block was the last, masks would be larger than the rest.
  if (without_last(columns).largest() != columns.largest()) {
    return not_applicable("the last key block is the only whole one");
  }
  change_heads(other, with_fewer_keys);
  const Outputs outputs = context.call(other);
  constexpr std::size_t kRows = 32;
  const auto outside = outside_bounds(other, outputs, some_of(same_rows(other), kRows));
  return outside ? fails("fewer keys than queries: " + *outside) : holds();
}

Finding check_fewer_queries(RelationContext& context) {
  const Problem& problem = context.problem;
  if (const auto reason = not_served(problem)) return not_applicable(*reason);
  const BlockAxis& rows = problem.maps->heads().front().map.rows;
  if (rows.blocks() < 2) return not_applicable("there is one query block only");
  if (without_last(rows).largest() != rows.largest()) {
    return not_applicable("the last query block is the only whole one");
  }
  Problem other = problem;
  const std::int64_t left = rows.begin(rows.blocks() - 1);
  other.q = first_tokens(problem, *problem.q, left);
  other.c.grid = {1, left, 0};
  std::erase_if(other.wanted, [&](std::int64_t token) { return token >= left; });
  if (!problem.wanted.empty() && other.wanted.empty()) {
    return not_applicable("the rows that are wanted are those of the last block");
  }
  change_heads(other, with_fewer_queries);
  return equal_to_base(context, other, context.call(other), "fewer queries than keys",
                       same_rows(other));
}

}  // namespace lvsa::analysis
