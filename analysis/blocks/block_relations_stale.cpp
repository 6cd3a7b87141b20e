// What a kernel may have kept of the maps of an earlier call: the next one must not see it.

#include <algorithm>
#include <memory>

#include "analysis/blocks/block_maps.hpp"
#include "analysis/blocks/block_relations.hpp"
#include "analysis/verify/relation_tensors.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;
using Rows = std::vector<std::vector<std::int32_t>>;

constexpr std::size_t kRows = 16;

// V marks the key block of each key by the first head of its group, so that a block too many or too
// few shows in its own column whatever the scores are.
std::shared_ptr<GuardedTensor> block_marks(const Problem& problem) {
  auto made = poisoned(*problem.v, problem.c.layout, 0.0, [](const RowId&) { return true; });
  const std::size_t width = dtype_bytes(made->dtype());
  const auto& shape = made->shape();
  const std::int64_t group = problem.c.heads / problem.c.kv_heads;
  for (std::int64_t b = 0; b < shape[0]; ++b) {
    for (std::int64_t h = 0; h < shape[2]; ++h) {
      const HeadPattern& pattern = problem.maps->head(b, h * group);
      for (std::int64_t token = 0; token < shape[1]; ++token) {
        const std::int64_t block = pattern.map.columns.block_of(place_of_token(pattern, token));
        encode(made->dtype(), 1.0,
               made->row(b, token, h) + static_cast<std::size_t>(block % shape[3]) * width);
      }
    }
  }
  return made;
}

Rows rows_of(const BlockMap& map) {
  Rows rows;
  for (std::int64_t r = 0; r < map.rows.blocks(); ++r) {
    rows.emplace_back(map.row(r).begin(), map.row(r).end());
  }
  return rows;
}

void set_rows(BlockMap& map, const Rows& rows) {
  map.indptr.assign(1, 0);
  map.indices.clear();
  for (const auto& row : rows) {
    map.indices.insert(map.indices.end(), row.begin(), row.end());
    map.indptr.push_back(static_cast<std::int32_t>(map.indices.size()));
  }
}

// The problem with maps alone, no masks (which belong to an entry) and no skip (which hides).
template <typename Change>
Problem with_rows(const Problem& problem, Change change) {
  Problem other = problem;
  std::vector<HeadPattern> heads;
  for (HeadPattern head : problem.maps->heads()) {
    head.mask = {};
    head.skip.reset();
    set_rows(head.map,
             change(rows_of(head.map), static_cast<std::int32_t>(head.map.columns.blocks())));
    heads.push_back(std::move(head));
  }
  other.maps = std::make_shared<BlockMaps>(problem.maps->with(std::move(heads), problem.c.batch));
  return other;
}

Rows unchanged(const Rows& rows, std::int32_t) { return rows; }

// Some rows whose query blocks attend other blocks than before.
std::vector<RowId> changed_rows(const Problem& before, const Problem& after) {
  RowPairs rows = same_rows(after);
  std::erase_if(rows, [&](const RowPair& pair) {
    const HeadPattern& was = before.maps->head(pair.here);
    const HeadPattern& is = after.maps->head(pair.here);
    const std::int64_t r = row_block_of(is, pair.here.token);
    return std::ranges::equal(was.map.row(r), is.map.row(r));
  });
  return some_of(rows, kRows);
}

// Writes the maps of `after` over those of `before`, whose owner is not const; false where they are
// not stored alike.
bool overwrite(BlockMaps& before, const BlockMaps& after) {
  lvsa_block_problem to{};
  lvsa_block_problem from{};
  before.arrays().fill(to);
  after.arrays().fill(from);
  if (to.map_count != from.map_count) return false;
  if (!std::equal(to.map_of_head, to.map_of_head + to.batch * to.heads, from.map_of_head)) {
    return false;
  }
  for (std::int64_t m = 0; m < to.map_count; ++m) {
    const auto entries = to.maps[m].indptr[to.row_blocks];
    if (from.maps[m].indptr[to.row_blocks] != entries) return false;
    std::copy_n(from.maps[m].indices, entries, const_cast<std::int32_t*>(to.maps[m].indices));
  }
  return true;
}

}  // namespace

Finding check_map_stale_data(RelationContext& context) {
  // Its V marks frames, which are there as well.
  return check_stale_data(context);
}

Finding check_stale_map(RelationContext& context) {
  Problem marked = context.problem;
  marked.v = block_marks(marked);
  Problem problem = with_rows(marked, unchanged);
  const Problem after = with_rows(marked, with_equal_sums);
  const auto rows = changed_rows(problem, after);
  if (rows.empty()) return not_applicable("no compared row has a block that could be another");
  const auto in_place =
      std::make_shared<BlockMaps>(problem.maps->with(problem.maps->heads(), problem.c.batch));
  problem.maps = in_place;
  OutputOptions options;
  options.keep_workspace = true;
  Outputs outputs = context.call(problem, options);
  if (!overwrite(*in_place, *after.maps)) return not_applicable("heads that differ become alike");
  context.run(problem, outputs);
  return holds_unless(outside_bounds(after, outputs, rows));
}

// Another number of entries, as another threshold may give: one block less in every row.
Finding check_stale_map_size(RelationContext& context) {
  Problem marked = context.problem;
  marked.v = block_marks(marked);
  const Problem problem = with_rows(marked, unchanged);
  const Problem fewer = with_rows(marked, [](Rows rows, std::int32_t) {
    for (auto& row : rows) {
      if (row.size() > 1) row.erase(row.begin() + static_cast<std::ptrdiff_t>(row.size() / 2));
    }
    return rows;
  });
  const auto rows = changed_rows(problem, fewer);
  if (rows.empty()) return not_applicable("no compared row attends more than one block");
  const Outputs due = context.call(problem);
  const auto outside = outside_bounds(fewer, context.call(fewer), rows);
  if (outside) return fails(*outside);
  const Outputs again = context.call(problem);
  const auto difference = rows_differ(problem, again, due, same_rows(problem));
  return difference ? fails("the first map again: " + *difference) : holds();
}

}  // namespace lvsa::analysis
