#include "analysis/verify/run_case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "analysis/verify/kernel_call.hpp"
#include "analysis/verify/oracle_problem.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;
using reference::RowResult;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

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

std::int64_t attended_frames(const CaseResult& result, const FramePattern& pattern,
                             const RowId& row) {
  const FrameGrid& grid = result.c.grid;
  if (row.token >= grid.video_tokens()) return grid.frames;
  return static_cast<std::int64_t>(pattern.row(row.token / grid.patches_per_frame).size());
}

void judge_row(CaseResult& result, const KernelOutputs& outputs, const BoundModel& model,
               const FramePattern& pattern, const RowId& row, const RowResult& exact) {
  const Case& c = result.c;
  const std::int64_t tiles =
      count_tiles(model, c.grid, attended_frames(result, pattern, row), exact.keys);
  const double steps = accumulation_steps(model, exact.keys, tiles);
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

std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char ch : text) quoted += ch == '\'' ? std::string("'\\''") : std::string(1, ch);
  return quoted + "'";
}

void describe_pattern(CaseResult& result, const FramePattern& pattern) {
  const Case& c = result.c;
  const CaseSchedule schedule = case_schedule(c);
  result.interval = schedule.interval.value_or(0);
  result.offset = schedule.offset;
  result.frames_attended_min = c.grid.frames;
  for (std::int64_t f = 0; f < c.grid.frames; ++f) {
    const auto count = static_cast<std::int64_t>(pattern.row(f).size());
    result.frames_attended_min = std::min(result.frames_attended_min, count);
    result.frames_attended_max = std::max(result.frames_attended_max, count);
  }
  result.density = token_density(pattern, c.grid);
  result.frame_worst_ratio.assign(
      static_cast<std::size_t>(c.grid.frames + (c.grid.text_tokens > 0 ? 1 : 0)), -1.0);
}

void judge_outputs(CaseResult& result, const KernelOutputs& outputs,
                   const AttentionTensors& tensors, const FramePattern& pattern,
                   const std::vector<RowId>& rows, const RunOptions& options) {
  const Case& c = result.c;
  const BoundModel model =
      make_bound_model(outputs.numerics ? &*outputs.numerics : nullptr, c.dtype, c.head_dim);
  const auto start = std::chrono::steady_clock::now();
  const auto problem = oracle_problem(c, tensors.q.view(), tensors.k.view(), tensors.v.view());
  std::size_t done = 0;
  const auto exact = attend_rows(problem, rows, model.scores, [&] {
    if (options.progress)
      options.progress(static_cast<double>(++done) / static_cast<double>(rows.size()));
  });
  result.rows_checked = static_cast<std::int64_t>(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    judge_row(result, outputs, model, pattern, rows[i], exact[i]);
  }
  result.output.unwritten = outputs.unwritten_outputs;
  result.lse.unwritten = outputs.unwritten_lse;
  result.timings.oracle_s = seconds_since(start);
  decide(result);
}

CaseResult run_case(const Case& c, const lvsa_kernel& kernel, const RunOptions& options) {
  CaseResult result;
  result.c = c;
  result.line = to_line(c);
  result.kernel = kernel.name;
  result.command =
      fmt::format("lvsa-verify kernel --kernel {} --case {}",
                  shell_quoted(options.kernel_option.empty() ? kernel.name : options.kernel_option),
                  shell_quoted(result.line));
  const FramePattern pattern = build_frame_pattern(case_pattern_spec(c));
  describe_pattern(result, pattern);
  if (const auto reason = unsupported_reason(kernel, c)) {
    result.status = Status::kUnsupported;
    result.message = *reason;
    return result;
  }
  auto start = std::chrono::steady_clock::now();
  AttentionTensors tensors = case_tensors(c);
  result.timings.inputs_s = seconds_since(start);
  const std::vector<RowId> rows = sample_rows(c);
  std::vector<std::int64_t> wanted;
  if (c.only_wanted) {
    for (const RowId& row : rows) wanted.push_back(row.token);
  }
  KernelCall call(kernel, c, tensors, pattern, options.threads, std::move(wanted));
  try {
    start = std::chrono::steady_clock::now();
    call.run();
    result.timings.kernel_s = seconds_since(start);
  } catch (const Error& error) {
    result.status = Status::kError;
    result.message = error.what();
    return result;
  }
  if (!c.only_wanted) {  // else the kernel chose how much it computed
    const double tokens = static_cast<double>(c.grid.seq_len());
    result.useful_gflops = 4e-9 * static_cast<double>(c.head_dim * c.heads * c.batch) *
                           result.density * tokens * tokens / result.timings.kernel_s;
  }
  KernelOutputs outputs;
  outputs.out = call.out().view();
  if (call.has_lse()) {
    outputs.lse = [&call](auto b, auto s, auto h) { return call.lse(b, s, h); };
    outputs.unwritten_lse = call.unwritten_lse();
  }
  outputs.unwritten_outputs = call.unwritten_outputs();
  outputs.numerics = call.numerics();
  judge_outputs(result, outputs, tensors, pattern, rows, options);
  return result;
}

}  // namespace lvsa::analysis
