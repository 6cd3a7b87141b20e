#include "analysis/verify/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "analysis/verify/inputs.hpp"
#include "analysis/verify/localise.hpp"
#include "analysis/verify/oracle_problem.hpp"
#include "analysis/verify/output_check.hpp"
#include "analysis/verify/tier_b.hpp"
#include "analysis/verify/tier_c.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;
using reference::RowResult;
using reference::ShadowRow;

void judge_row(CaseResult& result, FrameHeadWorst& frame_heads, const KernelOutputs& outputs,
               const BoundModel& model, const RowSteps& steps, const RowId& row,
               const RowResult& exact) {
  const Case& c = result.c;
  std::vector<double> got(static_cast<std::size_t>(c.head_dim));
  outputs.out.read_row(row.batch, row.token, row.head, got.data());
  double row_worst = 0.0;
  for (std::int64_t column = 0; column < c.head_dim; ++column) {
    const auto i = static_cast<std::size_t>(column);
    ElementReport element = locate(c, row, column);
    element.tolerance = output_tolerance(model, exact, i, steps);
    compare(element, exact.out[i], got[i], output_dtype(c));
    record(result.output, element, output_dtype(c));
    result.mean_signal += std::fabs(exact.out[i]);
    result.mean_tolerance += element.tolerance.total;
    row_worst = std::max(row_worst, element.ratio);
  }
  if (outputs.lse) {
    ElementReport element = locate(c, row, 0);
    element.tolerance.total = lse_tolerance(model, exact, steps);
    compare(element, exact.lse, outputs.lse(row.batch, row.token, row.head), LVSA_F32);
    record(result.lse, element, LVSA_F32);
  }
  const std::int64_t frame = std::min(row.token / c.grid.patches_per_frame, c.grid.frames);
  double& frame_worst = result.frame_worst_ratio[static_cast<std::size_t>(frame)];
  frame_worst = std::max(frame_worst, row_worst);
  frame_heads.add(frame, row.head, row_worst);
}

// What came of the replay of the declared schedule.
struct ScheduleOutcome {
  OutputCheck output;
  OutputCheck lse;
  double tolerance = 0.0;   // mean
  std::vector<bool> sound;  // of each row: its bounds mean something; empty: no schedule declared

  bool complete() const {
    return !sound.empty() && std::all_of(sound.begin(), sound.end(), [](bool x) { return x; });
  }
};

void judge_schedule_row(ScheduleOutcome& outcome, const CaseResult& result,
                        const KernelOutputs& outputs, const BoundModel& model, const RowId& row,
                        const RowResult& exact, const ShadowRow& shadow) {
  const Case& c = result.c;
  std::vector<double> got(static_cast<std::size_t>(c.head_dim));
  outputs.out.read_row(row.batch, row.token, row.head, got.data());
  for (std::int64_t column = 0; column < c.head_dim; ++column) {
    const auto i = static_cast<std::size_t>(column);
    ElementReport element = locate(c, row, column);
    element.tolerance = schedule_tolerance(model, shadow, exact, i);
    compare(element, shadow.out[i], got[i], output_dtype(c));
    record(outcome.output, element, output_dtype(c));
    outcome.tolerance += element.tolerance.total;
  }
  if (!outputs.lse) return;
  ElementReport element = locate(c, row, 0);
  element.tolerance.total = schedule_lse_tolerance(model, shadow);
  compare(element, shadow.lse, outputs.lse(row.batch, row.token, row.head), LVSA_F32);
  record(outcome.lse, element, LVSA_F32);
}

ScheduleOutcome judge_schedule(const CaseResult& result, const KernelOutputs& outputs,
                               std::span<const RowId> rows, std::span<const RowResult> exact,
                               const ScheduleRows& schedule) {
  ScheduleOutcome outcome;
  if (schedule.model == nullptr) return outcome;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const ShadowRow& shadow = schedule.shadows[i];
    outcome.sound.push_back(shadow_is_sound(shadow));
    if (!outcome.sound.back()) continue;
    judge_schedule_row(outcome, result, outputs, *schedule.model, rows[i], exact[i], shadow);
  }
  outcome.tolerance /= std::max(1.0, static_cast<double>(outcome.output.checked));
  return outcome;
}

// One check of the two: the worst element is the output's, unless only the log-sum-exp fails.
OutputCheck joined(const ScheduleOutcome& outcome) {
  OutputCheck check = outcome.output;
  check.checked += outcome.lse.checked;
  check.failed += outcome.lse.failed;
  if (outcome.output.failed == 0 && outcome.lse.failed > 0) {
    check.worst = outcome.lse.worst;
    check.worst_ratio = outcome.lse.worst_ratio;
  }
  return check;
}

void decide(CaseResult& result, const ScheduleOutcome& schedule) {
  const double elements = std::max(1.0, static_cast<double>(result.output.checked));
  result.mean_signal /= elements;
  result.mean_tolerance /= elements;
  const double tolerance = schedule.complete() ? std::min(result.mean_tolerance, schedule.tolerance)
                                               : result.mean_tolerance;
  if (result.output.failed > 0) {
    result.status = Status::kFail;
    result.message = failure_text("output", result.output);
  } else if (result.output.unwritten > 0 || result.lse.unwritten > 0) {
    result.status = Status::kFail;
    result.message =
        fmt::format("{} elements of the output and {} of the log-sum-exp were not written",
                    result.output.unwritten, result.lse.unwritten);
  } else if (result.lse.failed > 0) {
    result.status = Status::kFail;
    result.message = failure_text("log-sum-exp", result.lse);
  } else if (result.schedule.failed > 0) {
    result.status = Status::kFail;
    result.message = failure_text(
        fmt::format("tier B: within the bounds of any kernel, but not what the declared schedule "
                    "computes: {}",
                    schedule.output.failed > 0 ? "output" : "log-sum-exp"),
        result.schedule);
  } else if (tolerance > result.mean_signal) {
    result.status = Status::kWeak;
    result.message = fmt::format(
        "the mean tolerance {:.3g} exceeds the mean output {:.3g}: this case "
        "would not see a wrong kernel",
        tolerance, result.mean_signal);
  } else if (result.weak_rows > 0) {
    result.status = Status::kWeak;
    result.message = fmt::format(
        "{} of {} rows have a score error of 2^-8 or more: their bounds mean "
        "little",
        result.weak_rows, result.rows_checked);
  }
}

void compare_rows(CaseResult& result, const KernelOutputs& outputs, const BoundModel& model,
                  const ExactRows& exact, const ScheduleOutcome& schedule) {
  result.rows_checked = static_cast<std::int64_t>(exact.rows.size());
  FrameHeadWorst frame_heads(result.c.grid.frames, result.c.heads);
  for (std::size_t i = 0; i < exact.rows.size(); ++i) {
    const RowSteps steps = exact.steps(exact.rows[i], exact.results[i].keys);
    judge_row(result, frame_heads, outputs, model, steps, exact.rows[i], exact.results[i]);
    const bool sound = !schedule.sound.empty() && schedule.sound[i];
    if (scores_are_weak(exact.results[i]) && !sound) ++result.weak_rows;
  }
  result.frame_heads = frame_heads.map();
  result.output.unwritten = outputs.unwritten_outputs;
  result.lse.unwritten = outputs.unwritten_lse;
}

}  // namespace

void judge_rows(CaseResult& result, const KernelOutputs& outputs, const BoundModel& model,
                const ExactRows& exact, const ScheduleRows& schedule) {
  const ScheduleOutcome outcome =
      judge_schedule(result, outputs, exact.rows, exact.results, schedule);
  result.schedule = joined(outcome);
  compare_rows(result, outputs, model, exact, outcome);
  decide(result, outcome);
}

RowSteps row_steps(const BoundModel& model, const FrameGrid& grid, const FramePattern& pattern,
                   const RowId& row, std::int64_t keys) {
  const std::int64_t frames =
      row.token >= grid.video_tokens()
          ? grid.frames
          : static_cast<std::int64_t>(pattern.row(row.token / grid.patches_per_frame).size());
  return row_steps(model, keys, count_tiles(model, grid, frames, keys));
}

void judge_outputs(CaseResult& result, const KernelOutputs& outputs,
                   const AttentionTensors& tensors, const FramePattern& pattern,
                   const std::vector<RowId>& rows, const std::function<void(double)>& progress) {
  const Case& c = result.c;
  const BoundModel model =
      make_bound_model(outputs.numerics ? &*outputs.numerics : nullptr, c.dtype, c.head_dim);
  const auto start = std::chrono::steady_clock::now();
  const auto problem = oracle_problem(c, tensors.q.view(), tensors.k.view(), tensors.v.view());
  std::size_t done = 0;
  const auto exact = attend_rows(problem, rows, model.scores, [&] {
    if (progress) progress(static_cast<double>(++done) / static_cast<double>(rows.size()));
  });
  const auto judge =
      make_schedule_judge(outputs.numerics ? &*outputs.numerics : nullptr, c.dtype, c.head_dim);
  ScheduleRows schedule;
  if (judge) schedule = {&judge->model(), judge->replay(problem, rows, exact)};
  const auto steps = [&](const RowId& row, std::int64_t keys) {
    return row_steps(model, c.grid, pattern, row, keys);
  };
  judge_rows(result, outputs, model, {rows, exact, steps}, schedule);
  result.timings.oracle_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (is_failure(result.status)) {
    result.where = where_it_fails({c, pattern, outputs, problem, model, rows, exact});
  } else {
    result.suspect = tier_c_remark(outputs, c.dtype, problem, rows, exact, model);
  }
}

}  // namespace lvsa::analysis
