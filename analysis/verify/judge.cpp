#include "analysis/verify/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "analysis/verify/oracle_problem.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;
using reference::RowResult;

ElementReport locate(const Case& c, const RowId& row, std::int64_t column) {
  ElementReport element;
  element.batch = row.batch;
  element.token = row.token;
  element.head = row.head;
  element.column = column;
  const bool text = row.token >= c.grid.video_tokens();
  element.frame = text ? -1 : row.token / c.grid.patches_per_frame;
  element.row_in_frame =
      text ? row.token - c.grid.video_tokens() : row.token % c.grid.patches_per_frame;
  return element;
}

// Records one element's comparison; the worst one kept is a failing one as soon as there is any.
void record(OutputCheck& check, const ElementReport& element, const Interval& accepted) {
  const bool failed = !accepted.contains(element.got);
  ++check.checked;
  check.failed += failed ? 1 : 0;
  const bool first_failure = failed && check.failed == 1;
  const bool comparable = failed || check.failed == 0;
  if (check.checked == 1 || first_failure || (comparable && element.ratio > check.worst_ratio)) {
    check.worst = element;
    check.worst_ratio = element.ratio;
  }
}

// Share of its tolerance that an output uses up, the rounding to its own type set aside.
double error_ratio(double exact, double got, double tolerance, DType dtype) {
  const double error = unrounded_error(exact, got, dtype);
  if (error == 0.0) return 0.0;
  return tolerance > 0.0 ? error / tolerance : std::numeric_limits<double>::infinity();
}

void judge_row(CaseResult& result, const KernelOutputs& outputs, const BoundModel& model,
               const FramePattern& pattern, const RowId& row, const RowResult& exact) {
  const Case& c = result.c;
  const double steps = row_steps(model, c.grid, pattern, row, exact.keys);
  std::vector<double> got(static_cast<std::size_t>(c.head_dim));
  outputs.out.read_row(row.batch, row.token, row.head, got.data());
  double row_worst = 0.0;
  for (std::int64_t column = 0; column < c.head_dim; ++column) {
    const auto i = static_cast<std::size_t>(column);
    ElementReport element = locate(c, row, column);
    element.tolerance = output_tolerance(model, exact, i, steps);
    element.expected = exact.out[i];
    element.got = got[i];
    element.ratio = error_ratio(element.expected, element.got, element.tolerance.total, c.dtype);
    record(result.output, element, accept_interval(exact.out[i], element.tolerance.total, c.dtype));
    result.mean_signal += std::fabs(exact.out[i]);
    result.mean_tolerance += element.tolerance.total;
    row_worst = std::max(row_worst, element.ratio);
  }
  if (outputs.lse) {
    ElementReport element = locate(c, row, 0);
    element.tolerance.total = lse_tolerance(model, exact, steps);
    element.expected = exact.lse;
    element.got = outputs.lse(row.batch, row.token, row.head);
    element.ratio = error_ratio(element.expected, element.got, element.tolerance.total, LVSA_F32);
    record(result.lse, element, accept_interval(exact.lse, element.tolerance.total, LVSA_F32));
  }
  if (scores_are_weak(exact)) ++result.weak_rows;
  const std::int64_t frame = std::min(row.token / c.grid.patches_per_frame, c.grid.frames);
  double& frame_worst = result.frame_worst_ratio[static_cast<std::size_t>(frame)];
  frame_worst = std::max(frame_worst, row_worst);
}

std::string failure_text(const char* what, const OutputCheck& check) {
  const ElementReport& e = check.worst;
  const std::string place = e.frame < 0 ? fmt::format("text row {}", e.row_in_frame)
                                        : fmt::format("frame {} row {}", e.frame, e.row_in_frame);
  return fmt::format(
      "{}: {} of {} checked elements outside their bounds; worst at batch {}, {}, head "
      "{}, column {}: got {:.9g}, expected {:.9g} +- {:.3g}",
      what, check.failed, check.checked, e.batch, place, e.head, e.column, e.got, e.expected,
      e.tolerance.total);
}

void decide(CaseResult& result) {
  const double elements = std::max(1.0, static_cast<double>(result.output.checked));
  result.mean_signal /= elements;
  result.mean_tolerance /= elements;
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
  } else if (result.mean_tolerance > result.mean_signal) {
    result.status = Status::kWeak;
    result.message = fmt::format(
        "the mean tolerance {:.3g} exceeds the mean output {:.3g}: this case "
        "would not see a wrong kernel",
        result.mean_tolerance, result.mean_signal);
  } else if (result.weak_rows > 0) {
    result.status = Status::kWeak;
    result.message = fmt::format(
        "{} of {} rows have a score error of 2^-8 or more: their bounds mean "
        "little",
        result.weak_rows, result.rows_checked);
  }
}

}  // namespace

double row_steps(const BoundModel& model, const FrameGrid& grid, const FramePattern& pattern,
                 const RowId& row, std::int64_t keys) {
  const std::int64_t frames =
      row.token >= grid.video_tokens()
          ? grid.frames
          : static_cast<std::int64_t>(pattern.row(row.token / grid.patches_per_frame).size());
  return accumulation_steps(model, keys, count_tiles(model, grid, frames, keys));
}

void judge_outputs(CaseResult& result, const KernelOutputs& outputs,
                   const AttentionTensors& tensors, const FramePattern& pattern,
                   const std::vector<RowId>& rows,
                   const std::function<void(double)>& progress) {
  const Case& c = result.c;
  const BoundModel model =
      make_bound_model(outputs.numerics ? &*outputs.numerics : nullptr, c.dtype, c.head_dim);
  const auto start = std::chrono::steady_clock::now();
  const auto problem = oracle_problem(c, tensors.q.view(), tensors.k.view(), tensors.v.view());
  std::size_t done = 0;
  const auto exact = attend_rows(problem, rows, model.scores, [&] {
    if (progress) progress(static_cast<double>(++done) / static_cast<double>(rows.size()));
  });
  result.rows_checked = static_cast<std::int64_t>(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    judge_row(result, outputs, model, pattern, rows[i], exact[i]);
  }
  result.output.unwritten = outputs.unwritten_outputs;
  result.lse.unwritten = outputs.unwritten_lse;
  result.timings.oracle_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  decide(result);
}

}  // namespace lvsa::analysis
