#include "analysis/verify/bounds.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/verify/accumulators.hpp"
#include "reference/attention/sum_steps.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kFp32 = 0x1p-24;
constexpr double kDefaultExpUlps = 4.0;
/// A weight below the smallest normal fp32 number may be flushed to zero.
constexpr double kFlushed = 0x1p-126;

Denominator declared_denominator(const lvsa_numerics& numerics) {
  if (numerics.sum_rounded_p != 0) return Denominator::kRoundedP;
  const bool says_anything = numerics.key_tile > 0 || numerics.key_order != LVSA_KEY_ORDER_UNKNOWN;
  return says_anything ? Denominator::kExactP : Denominator::kUnknown;
}

void declare_rounding_of_p(BoundModel& model, const lvsa_numerics& numerics) {
  if (numerics.p_dtype != LVSA_DTYPE_NONE) {
    model.p_roundoff = unit_roundoff(numerics.p_dtype);
    model.p_underflow = underflow_error(numerics.p_dtype);
  }
  if (numerics.p_rounding == LVSA_P_TOWARD_ZERO) {
    model.p_roundoff *= 2.0;
    model.p_underflow *= 2.0;
  }
  model.p_underflow = std::ldexp(model.p_underflow, -numerics.p_scale_log2);
  model.denominator = declared_denominator(numerics);
  model.normalise_first = numerics.normalise_first != 0;
}

void declare(BoundModel& model, const lvsa_numerics& numerics) {
  declare_rounding_of_p(model, numerics);
  if (numerics.accumulator != LVSA_DTYPE_NONE) {
    model.accumulator_roundoff = unit_roundoff(numerics.accumulator);
  }
  if (numerics.accumulator_roundoff > 0) {
    model.accumulator_roundoff = numerics.accumulator_roundoff;
  }
  model.key_tile = std::max<std::int64_t>(0, numerics.key_tile);
  model.sum_step = std::max<std::int64_t>(0, numerics.sum_step);
  model.tiles_cross_frames = numerics.tiles_cross_frames;
  model.splits = std::max<std::int64_t>(1, numerics.split_keys);
  if (numerics.partial_dtype != LVSA_DTYPE_NONE) {
    model.partial_roundoff = unit_roundoff(numerics.partial_dtype);
  }
  model.rescales = numerics.max_rule != LVSA_MAX_FINAL;
  // Who declares a schedule says whether it drifts; else the common form is taken for granted,
  // exp(old - new), which is exactly 1 where nothing moved.
  model.rescales_drift =
      numerics.key_order != LVSA_KEY_ORDER_UNKNOWN && numerics.rescale_exact == 0;
  if (numerics.exp_ulps > 0) model.scores.constant = numerics.exp_ulps;
}

double merges(const BoundModel& model) { return static_cast<double>(model.splits - 1); }

}  // namespace

BoundModel make_bound_model(const lvsa_numerics* numerics, DType dtype, std::int64_t head_dim) {
  BoundModel model;
  model.p_roundoff = unit_roundoff(dtype);
  model.p_underflow = underflow_error(dtype);
  model.accumulator_roundoff = unknown_accumulator_roundoff(dtype);
  if (dtype == LVSA_E4M3 || dtype == LVSA_E5M2) model.factor_roundings = 2.0;
  model.scores.constant = kDefaultExpUlps;
  if (numerics != nullptr) declare(model, *numerics);
  model.scores.dot = 2.0 * static_cast<double>(head_dim) * model.accumulator_roundoff;
  // What the rounding of the partial log-sum-exps and the weights of a merge add.
  model.scores.score = 1.0 + model.factor_roundings + merges(model);
  model.scores.exponent = 3.0 + model.factor_roundings + 4.0 * merges(model);
  return model;
}

double accumulation_steps(const BoundModel& model, std::int64_t keys, std::int64_t tiles) {
  // Unknown tile: one key a tile passes through the most. Each merge multiplies, adds and divides
  // once more in both sums.
  const bool known = model.key_tile > 0;
  return reference::sum_steps(keys, known ? tiles : keys, known ? model.key_tile : 1,
                              model.sum_step) +
         4.0 * merges(model);
}

RowSteps row_steps(const BoundModel& model, std::int64_t keys, std::int64_t tiles) {
  return {accumulation_steps(model, keys, tiles),
          static_cast<double>(model.key_tile == 0 ? keys : tiles)};
}

std::int64_t count_tiles(const BoundModel& model, const FrameGrid& grid,
                         std::int64_t frames_attended, std::int64_t keys) {
  if (model.key_tile == 0) return keys;
  const auto tiles_of = [&](std::int64_t tokens) {
    return (tokens + model.key_tile - 1) / model.key_tile;
  };
  if (model.tiles_cross_frames == 1) return tiles_of(keys);
  if (model.tiles_cross_frames == 2) {
    return tiles_of(keys - grid.text_tokens) + tiles_of(grid.text_tokens);
  }
  return frames_attended * tiles_of(grid.patches_per_frame) + tiles_of(grid.text_tokens);
}

double rescale_error(const BoundModel& model, const reference::RowResult& row,
                     const RowSteps& steps) {
  if (row.keys == 0) return 0.0;
  double units = 0.0;
  if (model.rescales) units += model.scores.constant * std::max(0.0, steps.tiles - 1.0);
  if (model.rescales_drift) units += steps.tiles * std::fabs(row.max_score);
  const double log_keys = std::log(static_cast<double>(row.keys));
  units += merges(model) * (model.scores.constant + 5.0 * log_keys);
  return units * kFp32;
}

double higher_order_factor(const BoundModel& model, const reference::RowResult& row,
                           const RowSteps& steps) {
  const double sum =
      model.p_roundoff + row.max_eta + rescale_error(model, row, steps) +
      (steps.sums + model.last_roundings()) * std::max(model.accumulator_roundoff, kFp32);
  const double held = std::min(sum, 0.5);  // beyond that the row is WEAK
  return std::max(1.0 + 0x1p-6, 1.0 / ((1.0 - held / 2.0) * (1.0 - held)));
}

Tolerance output_tolerance(const BoundModel& model, const reference::RowResult& row, std::size_t c,
                           const RowSteps& steps) {
  const double magnitude = row.magnitude[c];
  const double deviation = row.deviation[c];
  const double out = std::fabs(row.out[c]);
  Tolerance t;
  switch (model.denominator) {
    case Denominator::kExactP:
      t.p_rounding = model.p_roundoff * magnitude;
      break;
    case Denominator::kRoundedP:
      t.p_rounding = model.p_roundoff * deviation;
      break;
    case Denominator::kUnknown:
      t.p_rounding = model.p_roundoff * std::max(magnitude, deviation);
      break;
  }
  t.scores = row.score_shift[c] + rescale_error(model, row, steps) * deviation;
  t.accumulation = (steps.sums * model.accumulator_roundoff +
                    model.last_roundings() * std::max(model.accumulator_roundoff, kFp32)) *
                   (magnitude + out);
  if (model.splits > 1) t.accumulation += model.partial_roundoff * magnitude;
  t.underflow = model.p_underflow * row.value_sum[c];
  if (model.denominator != Denominator::kExactP && row.keys > 0) {
    t.underflow += model.p_underflow * static_cast<double>(row.keys) / row.normaliser * out;
  }
  if (model.normalise_first) t.underflow *= row.normaliser;
  t.underflow += kFlushed * row.value_sum[c];
  t.total = higher_order_factor(model, row, steps) *
            (t.p_rounding + t.scores + t.accumulation + t.underflow);
  return t;
}

LseTolerance lse_terms(const BoundModel& model, const reference::RowResult& row,
                       const RowSteps& steps) {
  LseTolerance t;
  if (row.keys == 0) return t;
  t.scores = row.lse_shift + rescale_error(model, row, steps);
  if (model.denominator != Denominator::kExactP) {
    t.p_rounding =
        model.p_roundoff + model.p_underflow * static_cast<double>(row.keys) / row.normaliser;
  }
  t.accumulation = steps.sums * model.accumulator_roundoff;
  t.logarithm =
      3.0 * kFp32 *
      (std::fabs(row.max_score) + std::fabs(row.lse - row.max_score) + std::fabs(row.lse));
  t.total = higher_order_factor(model, row, steps) *
            (t.scores + t.p_rounding + t.accumulation + t.logarithm);
  return t;
}

Interval accept_interval(double exact, double tolerance, DType out_dtype) {
  return {round_to_dtype(out_dtype, exact - tolerance),
          round_to_dtype(out_dtype, exact + tolerance)};
}

double unrounded_error(double exact, double got, DType out_dtype) {
  if (got == exact || round_to_dtype(out_dtype, exact) == got) return 0.0;
  if (!std::isfinite(got)) return std::numeric_limits<double>::infinity();
  // Values up to the midpoint between `got` and its neighbour on the side of `exact` round to it.
  const double midpoint = 0.5 * (got + next_in_dtype(out_dtype, got, exact));
  return std::fabs(exact - midpoint);
}

bool scores_are_weak(const reference::RowResult& row) { return row.max_eta >= 0x1p-8; }

}  // namespace lvsa::analysis
