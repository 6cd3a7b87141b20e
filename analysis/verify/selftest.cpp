#include "analysis/verify/selftest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>

#include "analysis/verify/bounds.hpp"
#include "analysis/verify/judge.hpp"
#include "analysis/verify/kernel_call.hpp"
#include "analysis/verify/oracle_problem.hpp"
#include "analysis/verify/relations.hpp"
#include "analysis/verify/run_case.hpp"
#include "analysis/verify/selftest_cases.hpp"
#include "analysis/verify/tier_b.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;
using reference::RowResult;
using Failed = std::set<std::string>;

bool same_bytes(const Tensor& a, const Tensor& b) {
  return a.size_bytes() == b.size_bytes() && std::memcmp(a.bytes(), b.bytes(), a.size_bytes()) == 0;
}

// Tensors own their memory alone; a kernel may change what it is given.
AttentionTensors copied(const Case& c, const AttentionTensors& from) {
  AttentionTensors made;
  const auto copy = [&](const Tensor& source) {
    Tensor tensor(source.dtype(), source.shape(), c.layout);
    std::memcpy(tensor.bytes(), source.bytes(), source.size_bytes());
    return tensor;
  };
  made.q = copy(from.q);
  made.k = copy(from.k);
  made.v = copy(from.v);
  return made;
}

}  // namespace

struct SelftestCases::Prepared {
  std::string check;
  bool is_long;
  std::vector<std::string> relations;
  Case c;
  FramePattern pattern;
  AttentionTensors tensors;
  BoundModel model;
  std::vector<RowId> rows;
  std::vector<RowResult> exact;
  std::optional<ScheduleJudge> schedule;  // where `like` declares one
  std::vector<reference::ShadowRow> shadows;

  Prepared(const SelftestCase& from, const lvsa_kernel& like);
  std::vector<std::int64_t> wanted() const;
  std::string named(std::string_view what) const;
  bool output_holds(const KernelCall& done) const;
  bool lse_holds(const KernelCall& done) const;
  bool schedule_holds(const KernelCall& done) const;
  RowSteps steps_of(const RowId& row, const RowResult& result) const;
  void judge(const lvsa_kernel& kernel, Failed& failed) const;
  void judge_relations(const lvsa_kernel& kernel, Failed& failed, SelftestDepth depth) const;
};

SelftestCases::Prepared::Prepared(const SelftestCase& from, const lvsa_kernel& like)
    : check(from.check),
      is_long(from.is_long),
      relations(from.relations),
      c(parse_case(from.line)),
      pattern(build_frame_pattern(case_pattern_spec(c))),
      tensors(make_inputs(c)),
      rows(sample_rows(c)) {
  const KernelCall probe(like, c, tensors, pattern, 0, {});
  const auto numerics = probe.numerics();
  model = make_bound_model(numerics ? &*numerics : nullptr, c.dtype, c.head_dim);
  const auto problem = oracle_problem(c, tensors.q.view(), tensors.k.view(), tensors.v.view());
  exact = attend_rows(problem, rows, model.scores);
  schedule = make_schedule_judge(numerics ? &*numerics : nullptr, c.dtype, c.head_dim);
  if (schedule) shadows = schedule->replay(problem, rows, exact);
}

std::vector<std::int64_t> SelftestCases::Prepared::wanted() const {
  std::vector<std::int64_t> tokens;
  if (!c.only_wanted) return tokens;
  for (const RowId& row : rows) tokens.push_back(row.token);
  return tokens;
}

std::string SelftestCases::Prepared::named(std::string_view what) const {
  return (is_long ? std::string(kLongPrefix) : std::string()) + std::string(what);
}

RowSteps SelftestCases::Prepared::steps_of(const RowId& row, const RowResult& result) const {
  return row_steps(model, c.grid, pattern, row, result.keys);
}

bool SelftestCases::Prepared::output_holds(const KernelCall& done) const {
  std::vector<double> got(static_cast<std::size_t>(c.head_dim));
  for (std::size_t r = 0; r < rows.size(); ++r) {
    done.out().view().read_row(rows[r].batch, rows[r].token, rows[r].head, got.data());
    const RowSteps steps = steps_of(rows[r], exact[r]);
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double tolerance = output_tolerance(model, exact[r], i, steps).total;
      if (!accept_interval(exact[r].out[i], tolerance, c.dtype).contains(got[i])) return false;
    }
  }
  return true;
}

bool SelftestCases::Prepared::lse_holds(const KernelCall& done) const {
  if (!done.has_lse()) return true;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const double tolerance = lse_tolerance(model, exact[r], steps_of(rows[r], exact[r]));
    const double got = done.lse(rows[r].batch, rows[r].token, rows[r].head);
    if (!accept_interval(exact[r].lse, tolerance, LVSA_F32).contains(got)) return false;
  }
  return true;
}

bool SelftestCases::Prepared::schedule_holds(const KernelCall& done) const {
  std::vector<double> got(static_cast<std::size_t>(c.head_dim));
  for (std::size_t r = 0; r < shadows.size(); ++r) {
    if (!shadow_is_sound(shadows[r])) continue;
    done.out().view().read_row(rows[r].batch, rows[r].token, rows[r].head, got.data());
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double t = schedule_tolerance(schedule->model(), shadows[r], exact[r], i).total;
      if (!accept_interval(shadows[r].out[i], t, c.dtype).contains(got[i])) return false;
    }
    if (!done.has_lse()) continue;
    const double t = schedule_lse_tolerance(schedule->model(), shadows[r]);
    const double lse = done.lse(rows[r].batch, rows[r].token, rows[r].head);
    if (!accept_interval(shadows[r].lse, t, LVSA_F32).contains(lse)) return false;
  }
  return true;
}

void SelftestCases::Prepared::judge(const lvsa_kernel& kernel, Failed& failed) const {
  AttentionTensors given = copied(c, tensors);
  KernelCall done(kernel, c, given, pattern, 0, wanted());
  done.run();
  if (!same_bytes(tensors.q, given.q) || !same_bytes(tensors.k, given.k) ||
      !same_bytes(tensors.v, given.v)) {
    failed.insert(named(kInputsCheck));
  }
  if (done.unwritten_outputs() > 0 || done.unwritten_lse() > 0) failed.insert(named(kWrittenCheck));
  if (done.changed_outside() > 0) failed.insert(named(kRedZonesCheck));
  if (!output_holds(done)) failed.insert(named(check == "relations" ? "gauss" : check));
  if (!lse_holds(done)) failed.insert(named("lse"));
  if (!schedule_holds(done)) failed.insert(named("schedule"));
}

void SelftestCases::Prepared::judge_relations(const lvsa_kernel& kernel, Failed& failed,
                                              SelftestDepth depth) const {
  if (relations.empty()) return;
  RelationOptions options;
  if (relations.front() != "all") options.names = relations;
  options.stop_at_failure = depth == SelftestDepth::kFirstKill;
  const Problem problem = make_problem(c, tensors, pattern, wanted(), 0);
  for (const NamedCheck& made : check_relations(kernel, problem, options)) {
    if (made.state == CheckState::kFails) failed.insert(named(made.name));
  }
}

SelftestCases::SelftestCases(const lvsa_kernel& like, std::int64_t long_keys) {
  for (const SelftestCase& from : selftest_cases(long_keys)) {
    cases_.push_back(std::make_unique<Prepared>(from, like));
  }
}

SelftestCases::~SelftestCases() = default;

std::vector<std::string> SelftestCases::failed_checks(const lvsa_kernel& kernel,
                                                      const std::function<void()>& before_check,
                                                      SelftestDepth depth) const {
  Failed failed;
  const auto has = [&](bool is_long) {
    return std::any_of(failed.begin(), failed.end(), [&](const std::string& name) {
      return name.starts_with(kLongPrefix) == is_long;
    });
  };
  for (const auto& prepared : cases_) {
    if (depth == SelftestDepth::kFirstKill && has(prepared->is_long)) continue;
    if (before_check) before_check();
    try {
      prepared->judge(kernel, failed);
      if (depth == SelftestDepth::kFirstKill && has(prepared->is_long)) continue;
      prepared->judge_relations(kernel, failed, depth);
    } catch (const Error&) {
      failed.insert(prepared->named("runs"));
    }
  }
  std::vector<std::string> names;
  for (const std::string& prefix : {std::string(), std::string(kLongPrefix)}) {
    for (const SelftestCheck& check : checks()) {
      if (failed.contains(prefix + check.name)) names.push_back(prefix + check.name);
    }
  }
  return names;
}

const std::vector<SelftestCheck>& SelftestCases::checks() {
  static const std::vector<SelftestCheck> list = [] {
    std::vector<SelftestCheck> made = {
        {"gauss", "output within its bounds, normal values"},
        {"indicator", "output within its bounds, V marks the frame of each key"},
        {"phantom", "output within its bounds, every real score near -110"},
        {"large", "output within its bounds, scores that rise from -120 to 120"},
        {"beacon", "output within its bounds, one dominant key for each 64"},
        {"lse", "log-sum-exp within its bounds"},
        {"schedule", "output and log-sum-exp are what the declared schedule gives"},
        {std::string(kWrittenCheck), "every element of the output and the log-sum-exp written"},
        {std::string(kInputsCheck), "q, k and v unchanged by the call"},
        {std::string(kRedZonesCheck), "nothing written around out, lse and workspace"},
    };
    for (const Relation& relation : lvsa::analysis::relations()) {
      made.push_back({std::string(relation.name), std::string(relation.description)});
    }
    made.push_back({"runs", "the kernel returns no error"});
    return made;
  }();
  return list;
}

}  // namespace lvsa::analysis
