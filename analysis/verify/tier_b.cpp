#include "analysis/verify/tier_b.hpp"

#include <algorithm>
#include <cmath>

#include "reference/attention/sum_steps.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kFp32 = 0x1p-24;
/// A kernel may flush what is below the smallest normal fp32 number.
constexpr double kFlushed = 0x1p-126;

bool is_order(std::int32_t order) {
  return order == LVSA_KEYS_ASCENDING || order == LVSA_KEYS_TEXT_FIRST ||
         order == LVSA_KEYS_DESCENDING;
}

bool splits_are_declared(const lvsa_numerics& n) {
  if (n.split_keys <= 1) return true;
  if (n.normalise_first != 0) return false;
  return n.split_rule == LVSA_SPLIT_ROUND_ROBIN ||
         (n.split_rule == LVSA_SPLIT_RUNS && n.split_tiles > 0);
}

bool is_declared(const lvsa_numerics& n) {
  const bool text_apart = n.tiles_cross_frames == 0 || n.tiles_cross_frames == 2;
  return n.key_tile > 0 && n.p_dtype != LVSA_DTYPE_NONE && is_order(n.key_order) &&
         (n.key_order != LVSA_KEYS_TEXT_FIRST || text_apart) &&
         (text_apart || n.tiles_cross_frames == 1) &&
         (n.max_rule == LVSA_MAX_RUNNING || n.max_rule == LVSA_MAX_FINAL) &&
         (n.p_rounding == LVSA_P_NEAREST_EVEN || n.p_rounding == LVSA_P_TOWARD_ZERO) &&
         std::abs(n.p_scale_log2) <= 64 &&
         (n.normalise_first == 0 || n.max_rule == LVSA_MAX_FINAL) && splits_are_declared(n);
}

double steps(const BoundModel& model, const reference::ShadowRow& shadow) {
  const std::int64_t keys = reference::summed_keys(shadow.keys, shadow.places, model.sum_step);
  return accumulation_steps(model, keys, shadow.tiles);
}

}  // namespace

std::optional<reference::Schedule> declared_schedule(const lvsa_numerics& n) {
  if (!is_declared(n)) return std::nullopt;
  reference::Schedule schedule;
  schedule.key_tile = n.key_tile;
  schedule.tiles_cross_frames = n.tiles_cross_frames;
  schedule.key_order = static_cast<lvsa_key_order>(n.key_order);
  schedule.max_rule = static_cast<lvsa_max_rule>(n.max_rule);
  schedule.p_dtype = n.p_dtype;
  schedule.p_rounding = static_cast<lvsa_p_rounding>(n.p_rounding);
  schedule.p_scale_log2 = n.p_scale_log2;
  schedule.normalise_first = n.normalise_first != 0;
  // What is divided by the sum first cannot be in it.
  schedule.sum_rounded_p = n.sum_rounded_p != 0 && !schedule.normalise_first;
  schedule.rescale_exact = n.rescale_exact != 0;
  schedule.splits = std::max<std::int64_t>(1, n.split_keys);
  schedule.split_rule = static_cast<lvsa_split_rule>(n.split_rule);
  schedule.split_tiles = n.split_tiles;
  if (n.partial_dtype != LVSA_DTYPE_NONE) schedule.partial_dtype = n.partial_dtype;
  return schedule;
}

reference::ShadowErrors shadow_errors(const BoundModel& model, const lvsa_numerics& numerics) {
  reference::ShadowErrors errors;
  errors.accumulator = model.accumulator_roundoff;
  errors.score_step = std::max<std::int64_t>(0, numerics.score_step);
  errors.sum_step = model.sum_step;
  errors.exp_units = model.scores.constant;
  errors.factor_roundings = model.factor_roundings;
  return errors;
}

Tolerance schedule_tolerance(const BoundModel& model, const reference::ShadowRow& shadow,
                             const reference::RowResult& exact, std::size_t c) {
  // |P| may exceed p by its own rounding.
  const double magnitude = (1.0 + 2.0 * model.p_roundoff) * exact.magnitude[c];
  Tolerance t;
  t.p_rounding = shadow.doubts[c];
  t.scores = shadow.scores[c];
  t.accumulation = (steps(model, shadow) * model.accumulator_roundoff +
                    model.last_roundings() * std::max(model.accumulator_roundoff, kFp32)) *
                   (magnitude + std::fabs(shadow.out[c]));
  t.underflow = kFlushed * exact.value_sum[c];
  t.total = kScheduleFactor * (t.p_rounding + t.scores + t.accumulation + t.underflow);
  return t;
}

ScheduleLseTolerance schedule_lse_terms(const BoundModel& model,
                                        const reference::ShadowRow& shadow) {
  ScheduleLseTolerance t;
  if (shadow.keys == 0) return t;
  t.scores = shadow.lse_shift;
  t.accumulation = steps(model, shadow) * model.accumulator_roundoff;
  t.logarithm = 0x1p-23 * std::fabs(shadow.lse);
  t.total = kScheduleFactor * (t.scores + t.accumulation + t.logarithm);
  return t;
}

bool shadow_is_sound(const reference::ShadowRow& shadow) {
  return shadow.finite && shadow.max_eta < 0x1p-8 && shadow.sum_doubt < 0.25;
}

ScheduleJudge::ScheduleJudge(const lvsa_numerics& numerics, const reference::Schedule& schedule,
                             DType dtype, std::int64_t head_dim)
    : model_(make_bound_model(&numerics, dtype, head_dim)),
      schedule_(schedule),
      errors_(shadow_errors(model_, numerics)) {}

std::vector<reference::ShadowRow> ScheduleJudge::replay(
    const reference::AttentionProblem& problem, std::span<const reference::RowId> rows,
    std::span<const reference::RowResult> exact) const {
  return replay_rows(problem, rows, schedule_, errors_, exact);
}

std::vector<reference::ShadowRow> ScheduleJudge::replay_maps(
    const reference::BlockAttention& attention, std::span<const reference::RowId> rows,
    std::span<const reference::RowResult> exact) const {
  return replay_map_rows(attention, rows, schedule_, errors_, model_.scores, exact);
}

std::optional<ScheduleJudge> make_schedule_judge(const lvsa_numerics* numerics, DType dtype,
                                                 std::int64_t head_dim) {
  if (numerics == nullptr) return std::nullopt;
  const auto schedule = declared_schedule(*numerics);
  if (!schedule) return std::nullopt;
  return ScheduleJudge(*numerics, *schedule, dtype, head_dim);
}

}  // namespace lvsa::analysis
