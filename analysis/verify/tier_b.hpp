#pragma once
// Tier B: a kernel that declares its schedule is held against a replay of it, which leaves far less
// room than the bounds that know nothing of it. Derivation: docs/bounds.md.

#include <optional>
#include <span>
#include <vector>

#include "analysis/verify/bounds.hpp"
#include "core/kernel/lvsa_kernel.h"
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

/// Tolerance of the log-sum-exp about shadow.lse.
double schedule_lse_tolerance(const BoundModel& model, const reference::ShadowRow& shadow);

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
  const BoundModel& model() const { return model_; }

 private:
  BoundModel model_;
  reference::Schedule schedule_;
  reference::ShadowErrors errors_;
};

/// Nothing where the kernel declares no schedule (null: it declares nothing at all).
std::optional<ScheduleJudge> make_schedule_judge(const lvsa_numerics* numerics, DType dtype,
                                                 std::int64_t head_dim);

}  // namespace lvsa::analysis
