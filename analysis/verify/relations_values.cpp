// Relations about V: the output is linear in it, and the weights do not depend on it.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/verify/relations.hpp"

namespace lvsa::analysis {
namespace {

// V with every element put through `change`.
template <typename Change>
std::shared_ptr<GuardedTensor> changed_values(const Problem& problem, Change change) {
  auto made = copy_of(*problem.v, problem.c.layout);
  const std::size_t width = dtype_bytes(made->dtype());
  std::byte* element = made->bytes();
  for (std::int64_t i = 0; i < made->elements(); ++i, element += width) {
    encode(made->dtype(), change(decode(made->dtype(), element)), element);
  }
  return made;
}

// What a row of `keys` keys may give with V = 1; 0 without keys.
Interval accepted_one(const BoundModel& model, const Problem& problem, const reference::RowId& row,
                      std::int64_t keys, bool rounds_both) {
  reference::RowResult exact;
  exact.magnitude = exact.out = {keys > 0 ? 1.0 : 0.0};
  exact.deviation = exact.score_shift = {0.0};
  exact.value_sum = {static_cast<double>(keys)};  // the largest p is 1, so L is at least 1
  exact.normaliser = 1.0;
  exact.keys = keys;
  Tolerance t = output_tolerance(model, exact, 0, problem_steps(model, problem, row, keys));
  if (rounds_both) t.total -= t.p_rounding;
  return accept_interval(exact.out[0], t.total, output_dtype(problem.c));
}

}  // namespace

const Outputs& RelationContext::with_ones() {
  if (!ones) {
    Problem other = problem;
    other.v = changed_values(problem, [](double) { return 1.0; });
    std::fill(other.v_scale.begin(), other.v_scale.end(), 1.0F);
    ones = call(other);
  }
  return *ones;
}

// By bounds, since scaling by another number may round elsewhere.
Finding check_scale(RelationContext& context) {
  Problem other = context.problem;
  other.scale = 0.5 / std::sqrt(static_cast<double>(other.c.head_dim));
  return holds_unless(outside_bounds(other, context.call(other), spread_rows(other, 16)));
}

Finding check_values_doubled(RelationContext& context) {
  const auto& numerics = context.base.numerics;
  if (numerics && numerics->accumulator != LVSA_DTYPE_NONE &&
      dtype_bytes(numerics->accumulator) < 4) {
    return not_applicable("accumulators of 16 bits have subnormal sums, which do not double");
  }
  Problem other = context.problem;
  bool fits = true;
  other.v = changed_values(other, [&](double value) {
    const double twice = round_to_dtype(other.c.dtype, 2.0 * value);
    fits = fits && (twice == 2.0 * value || !std::isfinite(value));
    return twice;
  });
  if (!fits) return not_applicable("2V overflows its type");
  return holds_unless(rows_differ(other, context.call(other), context.base, same_rows(other),
                                  Expect::kDoubled, false));
}

Finding check_values_negated(RelationContext& context) {
  Problem other = context.problem;
  other.v = changed_values(other, [](double value) { return -value; });
  return holds_unless(rows_differ(other, context.call(other), context.base, same_rows(other),
                                  Expect::kNegated, false));
}

// With V = 1 the scores' errors cancel and what is left is the rounding of P, where the denominator
// sums the unrounded ones, the accumulation, and the output's own rounding. No oracle is needed, so
// every row counts.
Finding check_values_one(RelationContext& context) {
  const Problem& problem = context.problem;
  const Outputs& outputs = context.with_ones();
  const BoundModel model = model_of(problem, outputs);
  const bool rounds_both = outputs.numerics && outputs.numerics->sum_rounded_p != 0 &&
                           !outputs.numerics->normalise_first;
  std::int64_t keys = -1;
  Interval accepted;
  std::vector<double> got(static_cast<std::size_t>(problem.c.head_dim));
  for (const RowPair& pair : same_rows(problem)) {
    const reference::RowId& row = pair.here;
    if (const std::int64_t count = row_keys(problem, row); count != keys) {
      keys = count;
      accepted = accepted_one(model, problem, row, keys, rounds_both);
    }
    outputs.out.view().read_row(row.batch, row.token, row.head, got.data());
    for (std::size_t column = 0; column < got.size(); ++column) {
      if (accepted.contains(got[column])) continue;
      return fails(fmt::format("output at {}, column {}: {:.9g} where {:.9g} .. {:.9g} is due",
                               place_of(problem, row), column, got[column], accepted.low,
                               accepted.high));
    }
  }
  return holds();
}

Finding check_lse_of_values(RelationContext& context) {
  if (!context.base.lse) return not_applicable("the kernel has no log-sum-exp");
  return holds_unless(
      lse_differs(context.problem, context.with_ones(), context.base, same_rows(context.problem)));
}

// Nothing rounds but the exponential of a difference that is nearly 0, the division and the output.
// An output of 16 bits therefore has one right value, or two where the exact mean lies between.
Finding check_integers(RelationContext& context) {
  const Problem& problem = context.problem;
  if (problem.c.input != InputKind::kIntegers) return not_applicable("for input=integers only");
  const auto& numerics = context.base.numerics;
  const bool shares = numerics && numerics->normalise_first != 0;
  if (shares) return not_applicable("P is divided before P.V, which rounds 1/n to its type");
  const bool exact_p = numerics && numerics->p_dtype == LVSA_F32;
  const double relative = exact_p ? 0x1p-21 : 0x1p-15;
  constexpr std::size_t kMostRows = 512;
  const auto rows = spread_rows(problem, kMostRows);
  const auto exact = exact_rows(problem, rows, {});
  std::vector<double> got(static_cast<std::size_t>(problem.c.head_dim));
  for (std::size_t r = 0; r < rows.size(); ++r) {
    context.base.out.view().read_row(rows[r].batch, rows[r].token, rows[r].head, got.data());
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double due = exact[r].out[i];
      if (accept_interval(due, relative * std::fabs(due), output_dtype(problem.c))
              .contains(got[i])) {
        continue;
      }
      return fails(
          fmt::format("output at {}, column {}: {:.9g} where the {} of {:.0f} values, "
                      "{:.9g}, is due",
                      place_of(problem, rows[r]), i, got[i],
                      exact[r].normaliser == 1.0 ? "gather" : "mean", exact[r].normaliser, due));
    }
  }
  return holds();
}

}  // namespace lvsa::analysis
