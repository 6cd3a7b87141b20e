// Poison: values in memory that a row must not depend on.

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "analysis/verify/relation_tensors.hpp"
#include "analysis/verify/relations.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The frames to poison: all that one frame leaves out, so that the rows of that frame meet as much
// poison as can be. 0: those of the frame that leaves out most, 1: of the last frame; 2: only the
// frame that the fewest attend, so that most rows can be compared.
std::set<std::int32_t> frames_to_poison(const Problem& problem, int way) {
  const auto rows = problem.lists.rows();
  std::set<std::int32_t> frames;
  for (std::int32_t f = 0; f < problem.c.grid.frames; ++f) frames.insert(f);
  if (way == 2) {
    std::vector<std::int64_t> attended_by(rows.size(), 0);
    for (const auto& row : rows) {
      for (const std::int32_t f : row) ++attended_by[static_cast<std::size_t>(f)];
    }
    const auto rarest = std::min_element(attended_by.begin(), attended_by.end());
    return {static_cast<std::int32_t>(rarest - attended_by.begin())};
  }
  const auto shortest = std::min_element(
      rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
  for (const std::int32_t f : way == 0 ? *shortest : rows.back()) frames.erase(f);
  return frames;
}

Finding check_poisoned_frames(RelationContext& context, double value, int way) {
  const Problem& problem = context.problem;
  const std::int64_t patches = problem.c.grid.patches_per_frame;
  const std::int64_t video = problem.c.grid.video_tokens();
  const std::set<std::int32_t> frames = frames_to_poison(problem, way);
  const auto is_bad = [&](const RowId& row) {
    return row.token < video && frames.contains(static_cast<std::int32_t>(row.token / patches));
  };
  const auto lists = problem.lists.rows();
  RowPairs rows = same_rows(problem);
  std::erase_if(rows, [&](const RowPair& pair) {
    if (pair.here.token >= video) return true;  // text attends every frame
    const auto& list = lists[static_cast<std::size_t>(pair.here.token / patches)];
    return std::any_of(list.begin(), list.end(),
                       [&](std::int32_t f) { return frames.contains(f); });
  });
  if (frames.empty() || rows.empty()) {
    return not_applicable("every compared row attends a frame that would be poisoned");
  }
  Problem other = problem;
  other.k = poisoned(*problem.k, other.c.layout, value, is_bad);
  other.v = poisoned(*problem.v, other.c.layout, value, is_bad);
  return holds_unless(rows_differ(other, context.call(other), context.base, rows));
}

// Two batch elements, the given one and one of NaN, in both orders.
Finding check_joined_batch(RelationContext& context) {
  const Problem& problem = context.problem;
  if (context.kernel.capabilities.batch == 0) return not_applicable("no batch above 1");
  for (const std::int64_t real : {0, 1}) {
    Problem other = problem;
    other.c.batch = 2;
    for (auto* tensor : {&other.q, &other.k, &other.v}) {
      std::array<std::int64_t, 4> shape = (*tensor)->shape();
      shape[0] = 2;
      auto made = std::make_shared<GuardedTensor>((*tensor)->dtype(), shape, other.c.layout, false,
                                                  kNanByte);
      std::byte* start = made->row(real, 0, 0);
      std::copy_n((*tensor)->bytes(), (*tensor)->size_bytes(), start);
      *tensor = std::move(made);
    }
    for (auto* scales : {&other.q_scale, &other.k_scale, &other.v_scale}) {
      const std::vector<float> once = *scales;
      scales->insert(scales->end(), once.begin(), once.end());
    }
    RowPairs rows = same_rows(problem);
    for (RowPair& pair : rows) pair.here.batch = real;
    const Finding finding = equal_to_base(
        context, other, context.call(other),
        real == 0 ? "NaN in a second batch element" : "NaN in a first batch element", rows);
    if (finding.state != CheckState::kHolds) return finding;
  }
  return holds();
}

}  // namespace

double largest_number(DType dtype) {
  if (dtype == LVSA_F16) return 65504.0;
  if (dtype == LVSA_BF16) return 0x1.fep127;
  if (dtype == LVSA_E4M3) return 448.0;
  if (dtype == LVSA_E5M2) return 57344.0;
  return std::numeric_limits<float>::max();
}

Finding check_poison_nan(RelationContext& context) {
  for (const int way : {0, 2}) {
    const Finding finding = check_poisoned_frames(context, kNan, way);
    if (finding.state != CheckState::kHolds) return finding;
  }
  return holds();
}

Finding check_poison_infinity(RelationContext& context) {
  if (context.problem.c.dtype == LVSA_E4M3) return not_applicable("the type has no infinity");
  return check_poisoned_frames(context, std::numeric_limits<double>::infinity(), 1);
}

Finding check_poison_huge(RelationContext& context) {
  return check_poisoned_frames(context, largest_number(context.problem.c.dtype), 0);
}

Finding check_batch_mates(RelationContext& context) {
  const Problem& problem = context.problem;
  if (problem.c.batch < 2) return check_joined_batch(context);
  for (const std::int64_t kept : {std::int64_t{0}, problem.c.batch - 1}) {
    const auto others = [&](const RowId& row) { return row.batch != kept; };
    Problem other = problem;
    for (auto* tensor : {&other.q, &other.k, &other.v}) {
      *tensor = poisoned(**tensor, other.c.layout, kNan, others);
    }
    RowPairs rows = same_rows(problem);
    std::erase_if(rows, [&](const RowPair& pair) { return pair.here.batch != kept; });
    const auto difference = rows_differ(other, context.call(other), context.base, rows);
    if (difference) return fails(*difference);
  }
  return holds();
}

Finding check_head_mates(RelationContext& context) {
  const Problem& problem = context.problem;
  const std::int64_t group = problem.c.heads / problem.c.kv_heads;
  if (problem.c.heads < 2) return not_applicable("there is one head only");
  for (const std::int64_t kept : {std::int64_t{0}, problem.c.heads - 1}) {
    Problem other = problem;
    const auto other_kv = [&](const RowId& row) { return row.head != kept / group; };
    other.q = poisoned(*problem.q, other.c.layout, kNan,
                       [&](const RowId& row) { return row.head != kept; });
    other.k = poisoned(*problem.k, other.c.layout, kNan, other_kv);
    other.v = poisoned(*problem.v, other.c.layout, kNan, other_kv);
    RowPairs rows = same_rows(problem);
    std::erase_if(rows, [&](const RowPair& pair) { return pair.here.head != kept; });
    const auto difference = rows_differ(other, context.call(other), context.base, rows);
    if (difference) return fails(*difference);
  }
  return holds();
}

// Two of three query rows, so that each row that is left has a poisoned one beside it.
Finding check_query_mates(RelationContext& context) {
  const Problem& problem = context.problem;
  const std::vector<std::int64_t> tokens = problem.tokens();
  std::set<std::int64_t> kept;
  for (std::size_t i = 0; i < tokens.size(); i += 3) kept.insert(tokens[i]);
  if (problem.c.grid.seq_len() < 2) return not_applicable("there is one row only");
  Problem other = problem;
  other.q = poisoned(*problem.q, other.c.layout, kNan,
                     [&](const RowId& row) { return !kept.contains(row.token); });
  RowPairs rows = same_rows(problem);
  std::erase_if(rows, [&](const RowPair& pair) { return !kept.contains(pair.here.token); });
  return holds_unless(rows_differ(other, context.call(other), context.base, rows));
}

}  // namespace lvsa::analysis
