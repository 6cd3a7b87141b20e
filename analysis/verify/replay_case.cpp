#include "analysis/verify/replay_case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "analysis/verify/bounds.hpp"
#include "analysis/verify/judge.hpp"
#include "analysis/verify/kernel_call.hpp"
#include "analysis/verify/oracle_problem.hpp"
#include "analysis/verify/recover.hpp"
#include "analysis/verify/relations.hpp"
#include "analysis/verify/tier_b.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;
using reference::RowResult;

ReplayRow due_row(const RowId& id, const std::vector<double>& exact, double lse) {
  ReplayRow row;
  row.id = id;
  row.exact = exact;
  row.lse = lse;
  return row;
}

void set_interval(ReplayRow& row, std::size_t column, double tolerance, DType dtype) {
  const Interval accepted = accept_interval(row.exact[column], tolerance, dtype);
  row.low.push_back(accepted.low);
  row.high.push_back(accepted.high);
}

void set_lse(ReplayRow& row, double tolerance) {
  const Interval accepted = accept_interval(row.lse, tolerance, LVSA_F32);
  row.lse_low = accepted.low;
  row.lse_high = accepted.high;
}

std::string row_message(const ReplayRow& row, std::size_t column, double got) {
  return fmt::format(
      "output at batch {}, token {}, head {}, column {}: got {:.9g}, {:.9g} .. {:.9g} "
      "is due",
      row.id.batch, row.id.token, row.id.head, column, got, row.low[column], row.high[column]);
}

// Holds the rows against the call; notes the first failure of each kind.
struct RowJudge {
  const ReplayCase& replay;
  const KernelOutputs& call;
  ReplayVerdict output{"output", "", {}};
  ReplayVerdict lse{"log-sum-exp", "", {}};

  void run() {
    std::vector<double> got(static_cast<std::size_t>(replay.c.head_dim));
    for (std::size_t i = 0; i < replay.rows.size(); ++i) {
      const ReplayRow& row = replay.rows[i];
      call.out.read_row(row.id.batch, row.id.token, row.id.head, got.data());
      judge_output(i, got);
      if (call.lse) judge_lse(i);
    }
  }

 private:
  void judge_output(std::size_t i, const std::vector<double>& got) {
    const ReplayRow& row = replay.rows[i];
    for (std::size_t c = 0; c < got.size(); ++c) {
      if (got[c] >= row.low[c] && got[c] <= row.high[c]) continue;
      if (output.message.empty()) output.message = row_message(row, c, got[c]);
      output.failed_rows.push_back(i);
      return;
    }
  }
  void judge_lse(std::size_t i) {
    const ReplayRow& row = replay.rows[i];
    const auto got = static_cast<double>(call.lse(row.id.batch, row.id.token, row.id.head));
    if (got >= row.lse_low && got <= row.lse_high) return;
    if (lse.message.empty()) {
      lse.message = fmt::format(
          "log-sum-exp at batch {}, token {}, head {}: got {:.9g}, {:.9g} .. "
          "{:.9g} is due",
          row.id.batch, row.id.token, row.id.head, got, row.lse_low, row.lse_high);
    }
    lse.failed_rows.push_back(i);
  }
};

}  // namespace

std::string failure_kind(const CaseResult& result) {
  switch (result.status) {
    case Status::kCrash:
      return "crash";
    case Status::kTimeout:
      return "timeout";
    case Status::kError:
      return "error";
    case Status::kFail:
      break;
    default:
      return "";
  }
  if (result.output.failed > 0) return "output";
  if (result.output.unwritten > 0 || result.lse.unwritten > 0) return "written";
  if (result.lse.failed > 0) return "log-sum-exp";
  if (result.schedule.failed > 0) return "schedule";
  for (const NamedCheck& check : result.checks) {
    if (check.state == CheckState::kFails) return check.name;
  }
  return "other";
}

ReplayCase make_replay(const Case& c, const std::string& kernel, const std::string& check) {
  ReplayCase replay;
  replay.c = c;
  replay.found = to_line(c);
  replay.kernel = kernel;
  replay.check = check;
  replay.lists = reference_lists(c);
  replay.tensors = case_tensors(c);
  return replay;
}

void set_rows(ReplayCase& replay, const lvsa_kernel* kernel, const std::vector<RowId>& rows) {
  const Case& c = replay.c;
  const FramePattern pattern = pattern_of(replay.lists);
  std::optional<lvsa_numerics> numerics;
  if (kernel != nullptr) {
    numerics = KernelCall(*kernel, c, replay.tensors, pattern, 0, {}).numerics();
  }
  const BoundModel model = make_bound_model(numerics ? &*numerics : nullptr, c.dtype, c.head_dim);
  CaseProblem own(c, replay.tensors);
  reference::AttentionProblem& problem = *own;
  problem.attended = replay.lists;
  const auto results = attend_rows(problem, rows, model.scores);
  const ExactRows exact{rows, results, [&](const RowId& row, std::int64_t keys) {
                          return row_steps(model, c.grid, pattern, row, keys);
                        }};
  if (replay.check != "schedule") return set_rows(replay, model, exact);
  const auto judge = make_schedule_judge(numerics ? &*numerics : nullptr, c.dtype, c.head_dim);
  ScheduleRows schedule;
  if (judge) schedule = {&judge->model(), judge->replay(problem, rows, results)};
  set_schedule_rows(replay, exact, schedule);
}

void set_rows(ReplayCase& replay, const BoundModel& model, const ExactRows& exact) {
  const DType dtype = output_dtype(replay.c);
  replay.rows.clear();
  for (std::size_t i = 0; i < exact.rows.size(); ++i) {
    const RowResult& result = exact.results[i];
    ReplayRow row = due_row(exact.rows[i], result.out, result.lse);
    const RowSteps steps = exact.steps(exact.rows[i], result.keys);
    for (std::size_t column = 0; column < row.exact.size(); ++column) {
      set_interval(row, column, output_tolerance(model, result, column, steps).total, dtype);
    }
    set_lse(row, lse_tolerance(model, result, steps));
    replay.rows.push_back(std::move(row));
  }
}

void set_schedule_rows(ReplayCase& replay, const ExactRows& exact, const ScheduleRows& schedule) {
  const DType dtype = output_dtype(replay.c);
  replay.rows.clear();
  for (std::size_t i = 0; i < schedule.shadows.size(); ++i) {
    const reference::ShadowRow& shadow = schedule.shadows[i];
    if (!shadow_is_sound(shadow)) continue;
    ReplayRow row = due_row(exact.rows[i], shadow.out, shadow.lse);
    for (std::size_t c = 0; c < row.exact.size(); ++c) {
      set_interval(row, c, schedule_tolerance(*schedule.model, shadow, exact.results[i], c).total,
                   dtype);
    }
    set_lse(row, schedule_lse_tolerance(*schedule.model, shadow));
    replay.rows.push_back(std::move(row));
  }
}

namespace {

Tensor copied(const Tensor& from, Layout layout) {
  Tensor copy(from.dtype(), from.shape(), layout);
  std::memcpy(copy.bytes(), from.bytes(), from.size_bytes());
  return copy;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return std::memcmp(a.bytes(), b.bytes(), a.size_bytes()) == 0;
}

ReplayVerdict judge_mask(const ReplayCase& replay, const lvsa_kernel& kernel,
                         std::int32_t threads) {
  RecoverOptions options;
  options.threads = threads;
  const NamedCheck check = mask_check(recover_mask(replay.c, kernel, options));
  if (check.state != CheckState::kFails) return {};
  return {check.name, check.message, {}};
}

bool is_relation(const std::string& check) {
  return std::any_of(relations().begin(), relations().end(),
                     [&](const Relation& relation) { return relation.name == check; });
}

ReplayVerdict judge_relation(const ReplayCase& replay, const lvsa_kernel& kernel,
                             std::int32_t threads) {
  const Problem problem =
      make_problem(replay.c, replay.tensors, pattern_of(replay.lists), {}, threads);
  RelationOptions options;
  options.names = {replay.check};
  for (const NamedCheck& check : check_relations(kernel, problem, options)) {
    if (check.state == CheckState::kFails) return {check.name, check.message, {}};
  }
  return {};
}

// What the call of a case left behind.
ReplayVerdict judge_call(const ReplayCase& replay, const KernelCall& call,
                         const AttentionTensors& tensors) {
  KernelOutputs left;
  left.out = call.out().view();
  left.unwritten_outputs = call.unwritten_outputs();
  left.unwritten_lse = call.unwritten_lse();
  if (call.has_lse()) {
    left.lse = [&call](std::int64_t b, std::int64_t s, std::int64_t h) {
      return call.lse(b, s, h);
    };
  }
  ReplayTraces traces;
  traces.changed_outside = call.changed_outside();
  for (const auto& [member, name] :
       {std::pair(&AttentionTensors::q, "q"), std::pair(&AttentionTensors::k, "k"),
        std::pair(&AttentionTensors::v, "v")}) {
    const bool same = same_bits(tensors.*member, replay.tensors.*member);
    if (!same && traces.changed_input.empty()) traces.changed_input = name;
  }
  return judge_rows(replay, left, traces);
}

}  // namespace

ReplayVerdict judge_rows(const ReplayCase& replay, const KernelOutputs& outputs,
                         const ReplayTraces& traces) {
  RowJudge judge{replay, outputs};
  judge.run();
  if (replay.check == "schedule") judge.output.check = judge.lse.check = "schedule";
  if (!judge.output.failed_rows.empty()) return judge.output;
  if (outputs.unwritten_outputs > 0 || outputs.unwritten_lse > 0) {
    return {"written",
            fmt::format("{} elements of the output and {} of the log-sum-exp were not written",
                        outputs.unwritten_outputs, outputs.unwritten_lse),
            {}};
  }
  if (!judge.lse.failed_rows.empty()) return judge.lse;
  if (traces.changed_outside > 0) {
    return {std::string(kRedZonesCheck),
            fmt::format("{} bytes changed outside the output, the log-sum-exp and the workspace",
                        traces.changed_outside),
            {}};
  }
  if (traces.changed_input.empty()) return {};
  return {"inputs", fmt::format("the call changed {}", traces.changed_input), {}};
}

ReplayVerdict judge_replay(const ReplayCase& replay, const lvsa_kernel& kernel,
                           std::int32_t threads) {
  const Case& c = replay.c;
  if (const auto reason = unsupported_reason(kernel, c)) {
    throw Error(ErrorKind::kKernel,
                fmt::format("kernel {} does not serve this replay: {}", kernel.name, *reason));
  }
  if (replay.check == "mask") return judge_mask(replay, kernel, threads);
  if (is_relation(replay.check)) return judge_relation(replay, kernel, threads);
  const FramePattern pattern = pattern_of(replay.lists);
  AttentionTensors tensors{copied(replay.tensors.q, c.layout),
                           copied(replay.tensors.k, c.layout),
                           copied(replay.tensors.v, c.layout),
                           replay.tensors.q_scale,
                           replay.tensors.k_scale,
                           replay.tensors.v_scale};
  KernelCall call(kernel, c, tensors, pattern, threads, {});
  try {
    call.run();
  } catch (const Error& error) {
    return {"error", error.what(), {}};
  }
  return judge_call(replay, call, tensors);
}

}  // namespace lvsa::analysis
