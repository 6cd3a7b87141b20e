#include "analysis/verify/run_case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "analysis/verify/byte_hash.hpp"
#include "analysis/verify/judge.hpp"
#include "analysis/verify/kernel_call.hpp"
#include "analysis/verify/kernel_invoke.hpp"
#include "analysis/verify/probes.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

InputHashes hash_inputs(const AttentionTensors& tensors) {
  const auto hash = [](const Tensor& tensor) {
    return byte_hash(tensor.bytes(), tensor.size_bytes());
  };
  return {hash(tensors.q), hash(tensors.k), hash(tensors.v)};
}

namespace {

bool same_hashes(const InputHashes& a, const InputHashes& b) {
  return a.q == b.q && a.k == b.k && a.v == b.v;
}

// What the call of the case itself says of memory.
void add_call_checks(CaseResult& result, const KernelCall& call, bool inputs_kept) {
  const auto add = [&](std::string_view name, bool good, const std::string& message) {
    result.checks.push_back({std::string(name), good ? CheckState::kHolds : CheckState::kFails,
                             good ? std::string() : message});
  };
  add(kInputsCheck, inputs_kept, "q, k, v or the lists are not what they were before the call");
  const std::int64_t unwritten = result.output.unwritten + result.lse.unwritten;
  add(kWrittenCheck, unwritten == 0, fmt::format("{} elements were not written", unwritten));
  add(kRedZonesCheck, call.changed_outside() == 0,
      fmt::format("{} bytes changed outside the output, the log-sum-exp and the workspace",
                  call.changed_outside()));
}

}  // namespace

// Relations count beside the bounds.
void take_in_checks(CaseResult& result) {
  for (const NamedCheck& check : result.checks) {
    if (check.state == CheckState::kFails && !is_failure(result.status)) {
      result.status = Status::kFail;
      result.message = fmt::format("{}: {}", check.name, check.message);
    }
    const bool exact = check.name == "integers" && check.state == CheckState::kHolds;
    if (exact && result.status == Status::kWeak) {
      result.status = Status::kPass;
      result.message.clear();
    }
  }
}

namespace {

// A kernel that calls unsupported what its capabilities include.
void add_refusal(CaseResult& result, const KernelFailed& failed) {
  if (failed.status() != LVSA_UNSUPPORTED) return;
  result.checks.push_back({std::string(kCapabilitiesCheck), CheckState::kFails,
                           fmt::format("declares that it serves this ({}) and refuses it: {}",
                                       claims_of(result.c), failed.what())});
}

// The call itself; false where it has come to a status without outputs.
bool call_kernel(CaseResult& result, KernelCall& call) {
  try {
    call.run();
    result.timings.kernel_s = call.seconds();
    return true;
  } catch (const KernelFailed& failed) {
    add_refusal(result, failed);
    result.message = failed.what();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kKernel) throw;  // no room on the device: not the kernel's doing
    result.message = error.what();
  }
  result.status = Status::kError;
  return false;
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

CaseResult begin_result(const Case& c, const FramePattern& pattern, const std::string& kernel,
                        const std::string& kernel_option) {
  CaseResult result;
  result.c = c;
  result.line = to_line(c);
  result.kernel = kernel;
  result.command = fmt::format("lvsa-verify kernel --kernel {} --case {}",
                               shell_quoted(kernel_option.empty() ? kernel : kernel_option),
                               shell_quoted(result.line));
  describe_pattern(result, pattern);
  return result;
}

namespace {

void judge_case_on(CaseResult& result, const FramePattern& pattern, const lvsa_kernel& kernel,
                   const RunOptions& options) {
  const Case& c = result.c;
  const auto begin_part = [&](std::string_view part) {
    if (options.part) options.part(part);
  };
  begin_part("making its inputs");
  const auto start = std::chrono::steady_clock::now();
  AttentionTensors tensors = case_tensors(c);
  result.timings.inputs_s = seconds_since(start);
  result.inputs = hash_inputs(tensors);
  const std::vector<RowId> rows = sample_rows(c);
  std::vector<std::int64_t> wanted;
  if (c.only_wanted) {
    for (const RowId& row : rows) wanted.push_back(row.token);
  }
  KernelCall call(kernel, c, tensors, pattern, options.threads, wanted);
  const FramePattern pattern_before = pattern;
  KernelOutputs outputs;
  begin_part(kKernelPart);
  if (!call_kernel(result, call)) return;
  outputs.numerics = call.numerics();
  if (!c.only_wanted) {  // else the kernel chose how much it computed
    const double tokens = static_cast<double>(c.grid.seq_len());
    result.useful_gflops = 4e-9 * static_cast<double>(c.head_dim * c.heads * c.batch) *
                           result.density * tokens * tokens / result.timings.kernel_s;
  }
  const bool lists_kept =
      pattern.offsets == pattern_before.offsets && pattern.list == pattern_before.list;
  const bool inputs_kept = lists_kept && (options.relations == RelationChoice::kNone ||
                                          same_hashes(result.inputs, hash_inputs(tensors)));
  begin_part("judging its outputs");
  outputs.out = call.out().view();
  if (call.has_lse()) {
    outputs.lse = [&call](auto b, auto s, auto h) { return call.lse(b, s, h); };
    outputs.unwritten_lse = call.unwritten_lse();
  }
  outputs.unwritten_outputs = call.unwritten_outputs();
  if (tensors.q_scale.empty()) {
    judge_outputs(result, outputs, tensors, pattern, rows, options.progress);
  } else {
    judge_outputs(result, outputs, scaled_tensors(tensors), pattern, rows, options.progress);
  }
  if (options.relations != RelationChoice::kNone) add_call_checks(result, call, inputs_kept);
  if (relations_are_due(c, options.relations)) {
    begin_part("checking relations");
    RelationOptions relations;
    relations.progress = options.progress;
    if (!inputs_kept) tensors = case_tensors(c);
    const Problem problem = make_problem(c, tensors, pattern_before, wanted, options.threads);
    for (NamedCheck& check : check_relations(kernel, problem, relations)) {
      result.checks.push_back(std::move(check));
    }
  }
  take_in_checks(result);
}

}  // namespace

CaseResult run_case(const Case& c, const lvsa_kernel& kernel, const RunOptions& options) {
  const FramePattern pattern = build_frame_pattern(case_pattern_spec(c));
  CaseResult result = begin_result(c, pattern, kernel.name, options.kernel_option);
  if (options.relations == RelationChoice::kAll) result.command += " --relations all";
  if (const auto reason = unsupported_reason(kernel, c)) {
    result.status = Status::kUnsupported;
    result.message = *reason;
    return result;
  }
  try {
    judge_case_on(result, pattern, kernel, options);
  } catch (const DeviceLost& lost) {
    take_in_loss(result, lost);
  }
  return result;
}

void take_in_loss(CaseResult& result, const DeviceLost& lost) {
  result.status = Status::kCrash;
  result.message = lost.what();
}

}  // namespace lvsa::analysis
