// Relations about the shape of a problem: batch elements, heads, groups and frames.

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "analysis/verify/relation_tensors.hpp"
#include "analysis/verify/relations.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;

// Frames that none of the others attends, behind the last; so many that what follows, the text,
// keeps its place in a grid of key tiles. 0: no such number is small.
std::int64_t added_frames(const Problem& problem, const Outputs& base) {
  const FrameGrid& grid = problem.c.grid;
  if (grid.text_tokens == 0 || !base.numerics || base.numerics->tiles_cross_frames != 1) return 1;
  const std::int64_t tile = std::max<std::int64_t>(1, base.numerics->key_tile);
  constexpr std::int64_t kMost = 16;
  for (std::int64_t count = 1; count <= kMost; ++count) {
    if (count * grid.patches_per_frame % tile == 0) return count;
  }
  return 0;
}

// The problem with `added` more frames, whose tokens are bell-shaped and large, and which attend
// themselves.
Problem with_more_frames(const Problem& problem, std::int64_t added) {
  Problem other = problem;
  FrameGrid& grid = other.c.grid;
  const std::int64_t video = grid.video_tokens();
  grid.frames += added;
  const std::int64_t more = grid.video_tokens() - video;
  const auto extended = [&](const GuardedTensor& tensor, std::uint64_t stream) {
    return with_more_tokens(tensor, other.c.layout, video, more, problem.c.seed, stream);
  };
  other.q = extended(*problem.q, 200);
  other.k = extended(*problem.k, 201);
  other.v = extended(*problem.v, 202);
  auto rows = problem.lists.rows();
  for (std::int64_t f = grid.frames - added; f < grid.frames; ++f) {
    rows.push_back({static_cast<std::int32_t>(f)});
  }
  other.lists.set(rows);
  std::erase_if(other.wanted, [&](std::int64_t token) { return token >= video; });
  return other;
}

}  // namespace

std::shared_ptr<GuardedTensor> with_more_tokens(const GuardedTensor& tensor, Layout layout,
                                                std::int64_t at, std::int64_t added,
                                                std::uint64_t seed, std::uint64_t stream) {
  std::array<std::int64_t, 4> shape = tensor.shape();
  shape[1] += added;
  auto made = gathered(tensor, layout, shape, [&](RowId row) {
    if (row.token >= at) row.token = row.token < at + added ? -1 : row.token - added;
    return row;
  });
  const std::size_t width = dtype_bytes(tensor.dtype());
  std::uint64_t counter = 0;
  for (std::int64_t r = 0; r < shape[0] * added * shape[2]; ++r) {
    std::byte* row = made->row(r / (added * shape[2]), at + r / shape[2] % added, r % shape[2]);
    for (std::int64_t i = 0; i < shape[3]; ++i, row += width) {
      encode(tensor.dtype(), 4.0 * static_cast<double>(bell(random_bits(seed, stream, counter++))),
             row);
    }
  }
  return made;
}

Finding check_batch_order(RelationContext& context) {
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
  const Case& c = problem.c;
  other.q_scale = moved_scales(problem.q_scale, c.heads, batch, c.heads, from);
  other.k_scale = moved_scales(problem.k_scale, c.kv_heads, batch, c.kv_heads, from);
  other.v_scale = moved_scales(problem.v_scale, c.kv_heads, batch, c.kv_heads, from);
  RowPairs rows = same_rows(other);
  for (RowPair& pair : rows) pair.there = from(pair.here);
  return holds_unless(rows_differ(other, context.call(other), context.base, rows));
}

// Groups move on by one, and so do the query heads within each.
Finding check_head_order(RelationContext& context) {
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
  const std::int64_t batch = problem.c.batch;
  other.q_scale = moved_scales(problem.q_scale, problem.c.heads, batch, problem.c.heads, q_from);
  other.k_scale = moved_scales(problem.k_scale, kv_heads, batch, kv_heads, kv_from);
  other.v_scale = moved_scales(problem.v_scale, kv_heads, batch, kv_heads, kv_from);
  RowPairs rows = same_rows(other);
  for (RowPair& pair : rows) pair.there = q_from(pair.here);
  return holds_unless(rows_differ(other, context.call(other), context.base, rows));
}

Finding check_groups_repeated(RelationContext& context) {
  const Problem& problem = context.problem;
  const std::int64_t group = problem.c.heads / problem.c.kv_heads;
  if (group < 2) return not_applicable("each query head has its own key head already");
  Problem other = problem;
  other.c.kv_heads = other.c.heads;
  const auto repeated = [&](const GuardedTensor& tensor) {
    std::array<std::int64_t, 4> shape = tensor.shape();
    shape[2] = problem.c.heads;
    return gathered(tensor, other.c.layout, shape, [&](RowId row) {
      row.head /= group;
      return row;
    });
  };
  other.k = repeated(*problem.k);
  other.v = repeated(*problem.v);
  const auto of_group = [&](RowId row) {
    row.head /= group;
    return row;
  };
  const Case& c = problem.c;
  other.k_scale = moved_scales(problem.k_scale, c.kv_heads, c.batch, c.heads, of_group);
  other.v_scale = moved_scales(problem.v_scale, c.kv_heads, c.batch, c.heads, of_group);
  return equal_to_base(context, other, context.call(other), "K and V repeated", same_rows(other));
}

Finding check_frames_added(RelationContext& context) {
  const Problem& problem = context.problem;
  const std::int64_t added = added_frames(problem, context.base);
  const Problem other = with_more_frames(problem, std::max<std::int64_t>(1, added));
  const bool any_video = problem.wanted.empty() || !other.wanted.empty();
  if (!any_video) return not_applicable("no row of a frame is wanted");
  const Outputs outputs = context.call(other);
  // Text rows attend the new frames too.
  RowPairs rows = same_rows(problem);
  std::erase_if(
      rows, [&](const RowPair& pair) { return pair.here.token >= problem.c.grid.video_tokens(); });
  if (added > 0) return equal_to_base(context, other, outputs, "frames added", rows);
  return holds_unless(outside_bounds(other, outputs, some_of(rows, 16)));
}

}  // namespace lvsa::analysis
