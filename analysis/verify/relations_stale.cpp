// What a kernel may have kept from an earlier call: the next one must not see it.

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "analysis/verify/relation_tensors.hpp"
#include "analysis/verify/relations.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;
using Rows = std::vector<std::vector<std::int32_t>>;

constexpr std::size_t kRows = 16;

// V marks the frame of each key, so that a frame too many or too few shows in its own column
// whatever the scores are.
std::shared_ptr<GuardedTensor> frame_marks(const Problem& problem) {
  auto made = copy_of(*problem.v, problem.c.layout);
  const std::size_t width = dtype_bytes(made->dtype());
  const auto& shape = made->shape();
  for (std::int64_t r = 0; r < shape[0] * shape[1] * shape[2]; ++r) {
    const std::int64_t token = r / shape[2] % shape[1];
    const std::int64_t marked = indicator_class(problem.c.grid, token, shape[3]);
    std::byte* row = made->row(r / (shape[1] * shape[2]), token, r % shape[2]);
    for (std::int64_t i = 0; i < shape[3]; ++i) {
      encode(made->dtype(), i == marked ? 1.0 : 0.0, row + static_cast<std::size_t>(i) * width);
    }
  }
  return made;
}

// The second call finds the workspace as the first one left it.
OutputOptions workspace_kept() {
  OutputOptions options;
  options.keep_workspace = true;
  return options;
}

// A copy of everything at addresses of its own.
Problem moved(const Problem& problem) {
  Problem other = problem;
  for (auto* tensor : {&other.q, &other.k, &other.v}) {
    *tensor = copy_of(**tensor, other.c.layout);
  }
  return other;
}

// Other rows in the same place: token s gets what token s + 7 had.
void turn_tokens(GuardedTensor& tensor, Layout layout) {
  const auto before = copy_of(tensor, layout);
  const auto& shape = tensor.shape();
  for (std::int64_t b = 0; b < shape[0]; ++b) {
    for (std::int64_t s = 0; s < shape[1]; ++s) {
      for (std::int64_t h = 0; h < shape[2]; ++h) {
        std::memcpy(tensor.row(b, s, h), before->row(b, (s + 7) % shape[1], h), tensor.row_bytes());
      }
    }
  }
}

// Some rows whose frames attend other lists than before.
std::vector<RowId> changed_rows(const Problem& problem, const Rows& before) {
  const Rows now = problem.lists.rows();
  RowPairs rows = same_rows(problem);
  std::erase_if(rows, [&](const RowPair& pair) {
    if (pair.here.token >= problem.c.grid.video_tokens()) return true;
    const auto f = static_cast<std::size_t>(pair.here.token / problem.c.grid.patches_per_frame);
    return now[f] == before[f];
  });
  return some_of(rows, kRows);
}

}  // namespace

Rows with_equal_sums(const Rows& lists, std::int32_t frames) {
  Rows changed = lists;
  for (auto& row : changed) {
    const auto is_free = [&](std::int32_t f) {
      return f >= 0 && f < frames && !std::binary_search(row.begin(), row.end(), f);
    };
    const auto up =
        std::find_if(row.begin(), row.end(), [&](std::int32_t f) { return is_free(f + 1); });
    if (up == row.end()) continue;
    const auto down = std::find_if(
        up + 1, row.end(), [&](std::int32_t f) { return is_free(f - 1) && f - 1 != *up + 1; });
    if (down != row.end()) {
      ++*up;
      --*down;
      continue;
    }
    // The other way round: an earlier frame down, a later one up.
    const auto low =
        std::find_if(row.begin(), row.end(), [&](std::int32_t f) { return is_free(f - 1); });
    if (low == row.end()) continue;
    const auto high =
        std::find_if(low + 1, row.end(), [&](std::int32_t f) { return is_free(f + 1); });
    if (high == row.end()) continue;
    --*low;
    ++*high;
  }
  return changed;
}

// Judged by bounds, and by a call at addresses that the kernel has not seen.
Finding check_stale_data(RelationContext& context) {
  Problem problem = moved(context.problem);
  if (problem.c.grid.seq_len() < 2) return not_applicable("there is one row only");
  Outputs outputs = context.call(problem, workspace_kept());
  problem.c.input = InputKind::kIndicator;
  turn_tokens(*problem.q, problem.c.layout);
  turn_tokens(*problem.k, problem.c.layout);
  const auto marks = frame_marks(problem);
  std::memcpy(problem.v->bytes(), marks->bytes(), marks->size_bytes());
  context.run(problem, outputs);
  const auto outside = outside_bounds(problem, outputs, spread_rows(problem, kRows));
  if (outside) return fails(*outside);
  const Problem elsewhere = moved(problem);
  const auto difference =
      rows_differ(elsewhere, outputs, context.call(elsewhere), same_rows(elsewhere));
  return difference ? fails("at other addresses the same data give another result: " + *difference)
                    : holds();
}

// What a kernel that tells data by a part of them, the first row or some checksum, takes for the
// same: one key turns to 0 and its value to -8, in the middle of those that somebody attends.
Finding check_stale_row(RelationContext& context) {
  Problem problem = moved(context.problem);
  const std::int64_t patches = problem.c.grid.patches_per_frame;
  const Rows lists = problem.lists.rows();
  const auto attends = std::find_if(lists.begin() + static_cast<std::ptrdiff_t>(lists.size() / 2),
                                    lists.end(), [](const auto& row) { return !row.empty(); });
  if (attends == lists.end()) return not_applicable("no frame of the second half attends any");
  const std::int32_t frame = (*attends)[attends->size() / 2];
  const std::int64_t token = frame * patches + patches / 2;
  Outputs outputs = context.call(problem, workspace_kept());
  const std::size_t width = dtype_bytes(problem.c.dtype);
  for (std::int64_t r = 0; r < problem.c.batch * problem.c.kv_heads; ++r) {
    const RowId row{r / problem.c.kv_heads, token, r % problem.c.kv_heads};
    for (std::int64_t i = 0; i < problem.c.head_dim; ++i) {
      const std::size_t at = static_cast<std::size_t>(i) * width;
      encode(problem.c.dtype, 0.0, problem.k->row(row.batch, token, row.head) + at);
      encode(problem.c.dtype, -8.0, problem.v->row(row.batch, token, row.head) + at);
    }
  }
  context.run(problem, outputs);
  RowPairs rows = same_rows(problem);
  std::erase_if(rows, [&](const RowPair& pair) {
    if (pair.here.token >= problem.c.grid.video_tokens()) return false;
    const auto& list = lists[static_cast<std::size_t>(pair.here.token / patches)];
    return !std::binary_search(list.begin(), list.end(), frame);
  });
  if (rows.empty()) return not_applicable("no compared row attends the changed key");
  return holds_unless(outside_bounds(problem, outputs, some_of(rows, kRows)));
}

Finding check_stale_pattern(RelationContext& context) {
  Problem problem = context.problem;
  problem.v = frame_marks(problem);
  const Rows before = problem.lists.rows();
  const Rows after = with_equal_sums(before, static_cast<std::int32_t>(before.size()));
  if (after == before) return not_applicable("no row has a frame that could be another");
  Outputs outputs = context.call(problem, workspace_kept());
  problem.lists.set(after);
  const auto rows = changed_rows(problem, before);
  if (rows.empty()) return not_applicable("no compared row has a frame that could be another");
  context.run(problem, outputs);
  return holds_unless(outside_bounds(problem, outputs, rows));
}

// Another number of entries, as another step or another interval may have: one frame less in every
// list.
Finding check_stale_step(RelationContext& context) {
  Problem problem = context.problem;
  problem.v = frame_marks(problem);
  const Rows before = problem.lists.rows();
  const Outputs due = context.call(problem);
  Problem other = problem;
  Rows after = before;
  for (auto& row : after) {
    if (row.size() > 1) row.erase(row.begin() + static_cast<std::ptrdiff_t>(row.size() / 2));
  }
  other.lists.set(after);
  const auto rows = changed_rows(other, before);
  if (rows.empty()) return not_applicable("no compared row attends more than one frame");
  const auto outside = outside_bounds(other, context.call(other), rows);
  if (outside) return fails(*outside);
  const Outputs again = context.call(problem);
  const auto difference = rows_differ(problem, again, due, same_rows(problem));
  return difference ? fails("the first pattern again: " + *difference) : holds();
}

}  // namespace lvsa::analysis
