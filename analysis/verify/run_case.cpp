#include "analysis/verify/run_case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "analysis/verify/judge.hpp"
#include "analysis/verify/kernel_call.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
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
  judge_outputs(result, outputs, tensors, pattern, rows, options.progress);
  return result;
}

}  // namespace lvsa::analysis
