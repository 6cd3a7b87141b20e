#include "analysis/verify/bounds.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lvsa::analysis {
namespace {

constexpr double kFirstOrder = 1.0 + 0x1p-6;
constexpr double kTruncatingAccumulator = 0x1p-23;
constexpr double kDefaultExpUlps = 4.0;

}  // namespace

BoundModel make_bound_model(const lvsa_numerics* numerics, DType dtype, std::int64_t head_dim) {
  BoundModel model;
  DType p_dtype = dtype;
  model.accumulator_roundoff = kTruncatingAccumulator;
  model.scores.constant = kDefaultExpUlps;
  if (numerics != nullptr) {
    if (numerics->p_dtype != LVSA_DTYPE_NONE) p_dtype = numerics->p_dtype;
    if (numerics->accumulator != LVSA_DTYPE_NONE) {
      model.accumulator_roundoff = unit_roundoff(numerics->accumulator);
    }
    if (numerics->accumulator_roundoff > 0) {
      model.accumulator_roundoff = numerics->accumulator_roundoff;
    }
    model.key_tile = std::max<std::int64_t>(0, numerics->key_tile);
    model.tiles_cross_frames = numerics->tiles_cross_frames != 0;
    model.splits = std::max<std::int64_t>(1, numerics->split_keys);
    if (numerics->exp_ulps > 0) model.scores.constant = numerics->exp_ulps;
  }
  model.p_roundoff = unit_roundoff(p_dtype);
  model.p_underflow = underflow_error(p_dtype);
  model.scores.dot = 2.0 * static_cast<double>(head_dim) * model.accumulator_roundoff;
  return model;
}

double accumulation_steps(const BoundModel& model, std::int64_t keys, std::int64_t tiles) {
  // Unknown tile: B + 2N with B * N >= keys is largest at one key a tile.
  const double steps = model.key_tile == 0
                           ? 1.0 + 2.0 * static_cast<double>(keys)
                           : static_cast<double>(model.key_tile) + 2.0 * static_cast<double>(tiles);
  // Each merge of a partial result costs about as much as a rescale.
  return steps + 2.0 * static_cast<double>(model.splits - 1);
}

std::int64_t count_tiles(const BoundModel& model, const FrameGrid& grid,
                         std::int64_t frames_attended, std::int64_t keys) {
  if (model.key_tile == 0) return keys;
  const auto tiles_of = [&](std::int64_t tokens) {
    return (tokens + model.key_tile - 1) / model.key_tile;
  };
  if (model.tiles_cross_frames) return tiles_of(keys);
  return frames_attended * tiles_of(grid.patches_per_frame) + tiles_of(grid.text_tokens);
}

Tolerance output_tolerance(const BoundModel& model, const reference::RowResult& row, std::size_t c,
                           double steps) {
  Tolerance t;
  t.p_rounding = model.p_roundoff * row.magnitude[c];
  t.scores = row.score_shift[c];
  t.accumulation =
      (steps + 4.0) * model.accumulator_roundoff * (row.magnitude[c] + std::fabs(row.out[c]));
  t.underflow = model.p_underflow * row.value_sum[c];
  t.total = kFirstOrder * (t.p_rounding + t.scores + t.accumulation + t.underflow);
  return t;
}

double lse_tolerance(const BoundModel& model, const reference::RowResult& row, double steps) {
  if (row.keys == 0) return 0.0;
  return kFirstOrder *
         (row.lse_shift + steps * model.accumulator_roundoff + 0x1p-23 * std::fabs(row.lse));
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
