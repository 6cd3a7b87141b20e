#include "analysis/verify/explain.hpp"

#include <fmt/format.h>

#include <utility>

#include "analysis/verify/explain_parts.hpp"
#include "analysis/verify/inputs.hpp"
#include "analysis/verify/judge.hpp"
#include "analysis/verify/kernel_call.hpp"
#include "analysis/verify/oracle_problem.hpp"
#include "analysis/verify/run_case.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {

ElementCall call_element(const Case& c, const ElementId& at, const lvsa_kernel& kernel) {
  check_at(c, at);
  if (const auto reason = unsupported_reason(kernel, c)) {
    throw Error(ErrorKind::kValue, fmt::format("kernel {}: {}", kernel.name, *reason));
  }
  std::vector<std::int64_t> wanted;
  if (c.only_wanted) {
    for (const reference::RowId& row : sample_rows(c)) wanted.push_back(row.token);
    wanted.push_back(at.row.token);
  }
  const FramePattern pattern = build_frame_pattern(case_pattern_spec(c));
  AttentionTensors tensors = case_tensors(c);
  KernelCall call(kernel, c, tensors, pattern, 0, std::move(wanted));
  call.run();
  ElementCall run;
  run.name = kernel.name;
  run.numerics = call.numerics();
  std::vector<double> out(static_cast<std::size_t>(call.out().shape()[3]));
  call.out().view().read_row(at.row.batch, at.row.token, at.row.head, out.data());
  run.got = out[static_cast<std::size_t>(at.column)];
  if (call.has_lse()) run.lse = call.lse(at.row.batch, at.row.token, at.row.head);
  return run;
}

Explanation explain_element(const Case& c, const ElementId& at,
                            const std::optional<ElementCall>& call, std::int64_t most) {
  check_at(c, at);
  Explanation e;
  e.c = c;
  e.at = at;
  e.model =
      make_bound_model(call && call->numerics ? &*call->numerics : nullptr, c.dtype, c.head_dim);
  const FramePattern pattern = build_frame_pattern(case_pattern_spec(c));
  const AttentionTensors tensors = case_tensors(c);
  CaseProblem own(c, tensors);
  const reference::AttentionProblem& problem = *own;
  e.row = attend_rows(problem, std::vector{at.row}, e.model.scores).front();
  e.steps = row_steps(e.model, c.grid, pattern, at.row, e.row.keys);
  fill_explanation(e, {problem, call, most, [&](const ScheduleJudge& judge) {
                         return judge.trace(problem, at.row, e.row);
                       }});
  return e;
}

Explanation explain_element(const Case& c, const ElementId& at, const lvsa_kernel* kernel,
                            std::int64_t most) {
  std::optional<ElementCall> call;
  if (kernel != nullptr) call = call_element(c, at, *kernel);
  return explain_element(c, at, call, most);
}

}  // namespace lvsa::analysis
