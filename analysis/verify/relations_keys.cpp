// Relations about the set of keys: all of them at once, and in two halves.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "analysis/verify/relation_tensors.hpp"
#include "analysis/verify/relations.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;
using reference::RowResult;
using Rows = std::vector<std::vector<std::int32_t>>;

constexpr std::size_t kRows = 24;

std::optional<std::string> prefixed(const char* what, const std::optional<std::string>& message) {
  if (!message) return std::nullopt;
  return fmt::format("{}: {}", what, *message);
}

// The problem without its text. Every video row attends the text, so it would be in both halves.
Problem without_text(const Problem& problem) {
  if (problem.c.grid.text_tokens == 0) return problem;
  Problem other = problem;
  other.c.grid.text_tokens = 0;
  const std::int64_t video = other.c.grid.video_tokens();
  for (auto* tensor : {&other.q, &other.k, &other.v}) {
    TensorView view = (*tensor)->view();
    view.shape[1] = video;
    *tensor = std::make_shared<GuardedTensor>(view, other.c.layout, false, kNanByte);
  }
  std::erase_if(other.wanted, [&](std::int64_t token) { return token >= video; });
  return other;
}

// One half of every list: its front or back for even frames, every second entry for odd ones.
Rows half_of(const Rows& lists, bool second) {
  Rows half(lists.size());
  for (std::size_t f = 0; f < lists.size(); ++f) {
    for (std::size_t i = 0; i < lists[f].size(); ++i) {
      const bool behind = f % 2 == 0 ? i >= (lists[f].size() + 1) / 2 : i % 2 == 1;
      if (behind == second) half[f].push_back(lists[f][i]);
    }
  }
  return half;
}

// What rounding to the output's type can do to a value.
double rounding(double value, DType dtype) {
  return unit_roundoff(dtype) * std::fabs(value) + underflow_error(dtype);
}

double value_at(const GuardedTensor& tensor, const RowId& row, std::size_t column) {
  std::vector<double> values(static_cast<std::size_t>(tensor.shape()[3]));
  tensor.view().read_row(row.batch, row.token, row.head, values.data());
  return values[column];
}

// How far the merged value may be from the exact whole: each half's tolerance by its weight, and
// what errors of the log-sum-exps do to the weights.
double merged_tolerance(const PartOfKeys& a, const PartOfKeys& b, const RowId& row, std::size_t r,
                        std::size_t column, double weight_a) {
  double sum = 0;
  double lse = 0;
  for (const PartOfKeys* half : {&a, &b}) {
    const double weight = half == &a ? weight_a : 1.0 - weight_a;
    const RowResult& exact = half->exact[r];
    const BoundModel model = model_of(half->problem, half->outputs);
    const RowSteps steps = problem_steps(model, half->problem, row, exact.keys);
    const double t = output_tolerance(model, exact, column, steps).total;
    sum += weight * (t + rounding(std::fabs(exact.out[column]) + t, output_dtype(half->problem.c)));
    lse += exact.keys > 0 ? lse_tolerance(model, exact, steps) + rounding(exact.lse, LVSA_F32) : 0;
  }
  const double apart = std::fabs(a.exact[r].out[column] - b.exact[r].out[column]);
  return 1.02 * (sum + weight_a * (1.0 - weight_a) * lse * apart);
}

// The merge of docs/bounds.md; a half without keys has no weight.
double weight_of_first(double lse_a, double lse_b) {
  if (lse_a == -INFINITY) return 0.0;
  if (lse_b == -INFINITY) return 1.0;
  return 1.0 / (1.0 + std::exp(lse_b - lse_a));
}

}  // namespace

std::optional<std::string> merge_differs(const PartOfKeys& a, const PartOfKeys& b,
                                         const PartOfKeys& whole, const std::vector<RowId>& rows) {
  const BoundModel model = model_of(whole.problem, whole.outputs);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const double weight =
        weight_of_first(value_at(*a.outputs.lse, rows[r], 0), value_at(*b.outputs.lse, rows[r], 0));
    const double exact_weight = weight_of_first(a.exact[r].lse, b.exact[r].lse);
    const RowResult& exact = whole.exact[r];
    const RowSteps steps = problem_steps(model, whole.problem, rows[r], exact.keys);
    for (std::size_t i = 0; i < exact.out.size(); ++i) {
      const double merged = weight * value_at(a.outputs.out, rows[r], i) +
                            (1.0 - weight) * value_at(b.outputs.out, rows[r], i);
      const double got = value_at(whole.outputs.out, rows[r], i);
      const double t = output_tolerance(model, exact, i, steps).total;
      const double tolerance = merged_tolerance(a, b, rows[r], r, i, exact_weight) + t +
                               rounding(std::fabs(exact.out[i]) + t, output_dtype(whole.problem.c));
      if (std::fabs(merged - got) <= tolerance) continue;
      return fmt::format(
          "output at {}, column {}: halves merge to {:.9g}, the whole is {:.9g}, "
          "at most {:.3g} apart is due",
          place_of(whole.problem, rows[r]), i, merged, got, tolerance);
    }
  }
  return std::nullopt;
}

// Twice: as frames that attend every frame, and as one frame that holds the whole video.
Finding check_dense(RelationContext& context) {
  Problem every = context.problem;
  const auto frames = static_cast<std::size_t>(every.c.grid.frames);
  std::vector<std::int32_t> all(frames);
  std::iota(all.begin(), all.end(), 0);
  every.lists.set(Rows(frames, all));
  const auto rows = spread_rows(every, kRows);
  const auto outside =
      prefixed("every frame attended", outside_bounds(every, context.call(every), rows));
  if (outside) return fails(*outside);
  Problem one = context.problem;
  one.c.grid = {1, every.c.grid.video_tokens(), every.c.grid.text_tokens};
  one.lists.set({{0}});
  return holds_unless(
      prefixed("the video as one frame", outside_bounds(one, context.call(one), rows)));
}

Finding check_halves(RelationContext& context) {
  if (!context.base.lse) return not_applicable("the kernel has no log-sum-exp to merge by");
  const Problem whole = without_text(context.problem);
  if (whole.wanted.empty() != context.problem.wanted.empty()) {
    return not_applicable("no row of a frame is wanted");
  }
  const auto rows = spread_rows(whole, kRows);
  const auto half = [&](const Rows& lists) {
    Problem problem = whole;
    problem.lists.set(lists);
    Outputs outputs = context.call(problem);
    auto exact =
        reference::attend_rows(oracle_of(problem), rows, model_of(problem, outputs).scores);
    return PartOfKeys{std::move(problem), std::move(outputs), std::move(exact)};
  };
  const Rows lists = whole.lists.rows();
  return holds_unless(
      merge_differs(half(half_of(lists, false)), half(half_of(lists, true)), half(lists), rows));
}

}  // namespace lvsa::analysis
