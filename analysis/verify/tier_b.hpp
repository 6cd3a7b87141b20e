#pragma once
// Tier B: a kernel that declares its schedule is held against a replay of it, which leaves far less
// room than the bounds that know nothing of it. Derivation: docs/bounds_schedule.md.

#include <optional>
#include <span>
#include <vector>

#include "analysis/verify/bounds.hpp"
#include "core/kernel/lvsa_kernel.h"
#include "reference/attention/blocks/block_shadow.hpp"
#include "reference/attention/shadow.hpp"

namespace lvsa::analysis {

/// The schedule that a kernel declares; nothing when it declares none, or not all of it.
std::optional<reference::Schedule> declared_schedule(const lvsa_numerics& numerics);

/// What the shadow assumes of the arithmetic.
reference::ShadowErrors shadow_errors(const BoundModel& model, const lvsa_numerics& numerics);

/// Tolerance of output column c about shadow.out[c]. Its terms: p_rounding is what roundings in
/// doubt come to, scores what errors of scores do to sums and maxima.
Tolerance schedule_tolerance(const BoundModel& model, const reference::ShadowRow& shadow,
                             const reference::RowResult& exact, std::size_t c);

/// Tolerance of the log-sum-exp about shadow.lse, and its terms.
struct ScheduleLseTolerance {
  double scores = 0.0;        ///< errors of scores, maxima and factors; roundings in doubt
  double accumulation = 0.0;  ///< steps u_a
  double logarithm = 0.0;     ///< 2^-23 |lse|
  double total = 0.0;
};
ScheduleLseTolerance schedule_lse_terms(const BoundModel& model,
                                        const reference::ShadowRow& shadow);
inline double schedule_lse_tolerance(const BoundModel& model, const reference::ShadowRow& shadow) {
  return schedule_lse_terms(model, shadow).total;
}

/// What the sums of a schedule's terms are multiplied by: errors of second order.
inline constexpr double kScheduleFactor = 1.0 + 0x1p-6;

/// Whether the row's tolerances mean anything: its scores are finite, no p is off by 2^-8, and no
/// quarter of its denominator is in doubt.
bool shadow_is_sound(const reference::ShadowRow& shadow);

/// A declared schedule with the bounds that go with it, for rows of one problem.
class ScheduleJudge {
 public:
  ScheduleJudge(const lvsa_numerics& numerics, const reference::Schedule& schedule, DType dtype,
                std::int64_t head_dim);
  /// The rows by the schedule; exact[i] is the oracle's result of rows[i].
  std::vector<reference::ShadowRow> replay(const reference::AttentionProblem& problem,
                                           std::span<const reference::RowId> rows,
                                           std::span<const reference::RowResult> exact) const;
  /// The same for block maps (docs/blocks.md).
  std::vector<reference::ShadowRow> replay_maps(const reference::BlockAttention& attention,
                                                std::span<const reference::RowId> rows,
                                                std::span<const reference::RowResult> exact) const;
  /// One row of them, key by key.
  reference::ShadowTrace trace(const reference::AttentionProblem& problem,
                               const reference::RowId& row,
                               const reference::RowResult& exact) const {
    return trace_row(problem, row, schedule_, errors_, exact);
  }
  reference::ShadowTrace trace_maps(const reference::BlockAttention& attention,
                                    const reference::RowId& row,
                                    const reference::RowResult& exact) const {
    return trace_map_row(attention, row, schedule_, errors_, model_.scores, exact);
  }
  const BoundModel& model() const { return model_; }
  const reference::Schedule& schedule() const { return schedule_; }

 private:
  BoundModel model_;
  reference::Schedule schedule_;
  reference::ShadowErrors errors_;
};

/// Nothing where the kernel declares no schedule (null: it declares nothing at all).
std::optional<ScheduleJudge> make_schedule_judge(const lvsa_numerics* numerics, DType dtype,
                                                 std::int64_t head_dim);

}  // namespace lvsa::analysis
