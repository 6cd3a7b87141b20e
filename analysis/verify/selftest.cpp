#include "analysis/verify/selftest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <set>

#include "analysis/verify/bounds.hpp"
#include "analysis/verify/judge.hpp"
#include "analysis/verify/kernel_call.hpp"
#include "analysis/verify/oracle_problem.hpp"
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

bool same_row(const KernelCall& a, const KernelCall& b, const RowId& row) {
  std::vector<double> x(static_cast<std::size_t>(a.problem().head_dim));
  std::vector<double> y = x;
  a.out().view().read_row(row.batch, row.token, row.head, x.data());
  b.out().view().read_row(row.batch, row.token, row.head, y.data());
  // Bytes, not values: a NaN equals itself here.
  return std::memcmp(x.data(), y.data(), x.size() * sizeof(double)) == 0;
}

// The non-global frame that the fewest frames attend.
std::int64_t rarest_frame(const FramePattern& pattern) {
  std::vector<std::int64_t> attended_by(static_cast<std::size_t>(pattern.frames()), 0);
  for (const std::int32_t f : pattern.list) ++attended_by[static_cast<std::size_t>(f)];
  return std::min_element(attended_by.begin(), attended_by.end()) - attended_by.begin();
}

void poison_frame(Tensor& tensor, const FrameGrid& grid, std::int64_t frame) {
  const TensorView view = tensor.view();
  const std::size_t width = dtype_bytes(tensor.dtype());
  const std::int64_t first = frame * grid.patches_per_frame;
  for (std::int64_t b = 0; b < view.shape[0]; ++b) {
    for (std::int64_t s = first; s < first + grid.patches_per_frame; ++s) {
      for (std::int64_t h = 0; h < view.shape[2]; ++h) {
        const std::int64_t at = b * view.strides[0] + s * view.strides[1] + h * view.strides[2];
        for (std::int64_t i = 0; i < view.shape[3]; ++i) {
          encode(tensor.dtype(), std::numeric_limits<double>::quiet_NaN(),
                 tensor.bytes() + static_cast<std::size_t>(at + i) * width);
        }
      }
    }
  }
}

}  // namespace

struct SelftestCases::Prepared {
  std::string check;
  CasePurpose purpose;
  Case c;
  Case second;  // kSecondPattern: what the same buffers are used for before
  FramePattern pattern;
  BoundModel model;
  std::vector<RowId> rows;
  std::vector<RowResult> exact;
  std::optional<ScheduleJudge> schedule;  // where `like` declares one
  std::vector<reference::ShadowRow> shadows;

  Prepared(const SelftestCase& from, const lvsa_kernel& like);
  KernelCall call(const lvsa_kernel& kernel, AttentionTensors& tensors,
                  const FramePattern& which) const;
  bool output_holds(const KernelCall& done) const;
  bool lse_holds(const KernelCall& done) const;
  bool schedule_holds(const KernelCall& done) const;
  double steps_of(const RowId& row, const RowResult& result) const;
  void judge(const lvsa_kernel& kernel, Failed& failed) const;
  void judge_poison(const lvsa_kernel& kernel, Failed& failed) const;
  void judge_repeat(const lvsa_kernel& kernel, Failed& failed) const;
  void judge_second_pattern(const lvsa_kernel& kernel, Failed& failed) const;
};

SelftestCases::Prepared::Prepared(const SelftestCase& from, const lvsa_kernel& like)
    : check(from.check),
      purpose(from.purpose),
      c(parse_case(from.line)),
      second(from.before.empty() ? c : parse_case(from.before)),
      pattern(build_frame_pattern(case_pattern_spec(c))),
      rows(sample_rows(c)) {
  AttentionTensors tensors = make_inputs(c);
  const KernelCall probe(like, c, tensors, pattern, 0, {});
  const auto numerics = probe.numerics();
  model = make_bound_model(numerics ? &*numerics : nullptr, c.dtype, c.head_dim);
  const auto problem = oracle_problem(c, tensors.q.view(), tensors.k.view(), tensors.v.view());
  exact = attend_rows(problem, rows, model.scores);
  schedule = make_schedule_judge(numerics ? &*numerics : nullptr, c.dtype, c.head_dim);
  if (schedule) shadows = schedule->replay(problem, rows, exact);
}

KernelCall SelftestCases::Prepared::call(const lvsa_kernel& kernel, AttentionTensors& tensors,
                                         const FramePattern& which) const {
  std::vector<std::int64_t> wanted;
  if (c.only_wanted) {
    for (const RowId& row : rows) wanted.push_back(row.token);
  }
  return {kernel, c, tensors, which, 0, std::move(wanted)};
}

double SelftestCases::Prepared::steps_of(const RowId& row, const RowResult& result) const {
  return row_steps(model, c.grid, pattern, row, result.keys);
}

bool SelftestCases::Prepared::output_holds(const KernelCall& done) const {
  std::vector<double> got(static_cast<std::size_t>(c.head_dim));
  for (std::size_t r = 0; r < rows.size(); ++r) {
    done.out().view().read_row(rows[r].batch, rows[r].token, rows[r].head, got.data());
    const double steps = steps_of(rows[r], exact[r]);
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
  AttentionTensors tensors = make_inputs(c);
  KernelCall done = call(kernel, tensors, pattern);
  done.run();
  const AttentionTensors untouched = make_inputs(c);
  if (!same_bytes(tensors.q, untouched.q) || !same_bytes(tensors.k, untouched.k) ||
      !same_bytes(tensors.v, untouched.v)) {
    failed.insert("inputs");
  }
  if (done.unwritten_outputs() > 0 || done.unwritten_lse() > 0) failed.insert("written");
  if (!output_holds(done)) failed.insert(check);
  if (!lse_holds(done)) failed.insert(c.only_wanted ? "long-lse" : "lse");
  if (!schedule_holds(done)) failed.insert(c.only_wanted ? "long-schedule" : "schedule");
}

void SelftestCases::Prepared::judge_poison(const lvsa_kernel& kernel, Failed& failed) const {
  AttentionTensors clean = make_inputs(c);
  AttentionTensors poisoned = make_inputs(c);
  const std::int64_t frame = rarest_frame(pattern);
  poison_frame(poisoned.k, c.grid, frame);
  poison_frame(poisoned.v, c.grid, frame);
  KernelCall one = call(kernel, clean, pattern);
  KernelCall other = call(kernel, poisoned, pattern);
  one.run();
  other.run();
  for (const RowId& row : rows) {
    const std::int64_t f = row.token / c.grid.patches_per_frame;
    if (f >= c.grid.frames) continue;  // text attends every frame
    const auto attended = pattern.row(f);
    if (std::binary_search(attended.begin(), attended.end(), frame)) continue;
    const auto bits = [&](const KernelCall& made) {
      return std::bit_cast<std::uint32_t>(made.lse(row.batch, row.token, row.head));
    };
    if (!same_row(one, other, row) || (one.has_lse() && bits(one) != bits(other))) {
      failed.insert(check);
      return;
    }
  }
}

void SelftestCases::Prepared::judge_repeat(const lvsa_kernel& kernel, Failed& failed) const {
  AttentionTensors tensors = make_inputs(c);
  KernelCall one = call(kernel, tensors, pattern);
  KernelCall again = call(kernel, tensors, pattern);
  one.run();
  again.run();
  if (!same_bytes(one.out(), again.out())) failed.insert(check);
}

void SelftestCases::Prepared::judge_second_pattern(const lvsa_kernel& kernel,
                                                   Failed& failed) const {
  AttentionTensors tensors = make_inputs(c);
  const FramePattern before = build_frame_pattern(case_pattern_spec(second));
  call(kernel, tensors, before).run();
  KernelCall done = call(kernel, tensors, pattern);
  done.run();
  if (!output_holds(done)) failed.insert(check);
}

SelftestCases::SelftestCases(const lvsa_kernel& like, std::int64_t long_keys) {
  for (const SelftestCase& from : selftest_cases(long_keys)) {
    cases_.push_back(std::make_unique<Prepared>(from, like));
  }
}

SelftestCases::~SelftestCases() = default;

std::vector<std::string> SelftestCases::failed_checks(
    const lvsa_kernel& kernel, const std::function<void()>& before_check) const {
  Failed failed;
  for (const auto& prepared : cases_) {
    if (before_check) before_check();
    try {
      switch (prepared->purpose) {
        case CasePurpose::kBounds:
          prepared->judge(kernel, failed);
          break;
        case CasePurpose::kPoison:
          prepared->judge_poison(kernel, failed);
          break;
        case CasePurpose::kRepeat:
          prepared->judge_repeat(kernel, failed);
          break;
        case CasePurpose::kSecondPattern:
          prepared->judge_second_pattern(kernel, failed);
          break;
      }
    } catch (const Error&) {
      failed.insert("runs");
    }
  }
  std::vector<std::string> names;
  for (const SelftestCheck& check : checks()) {
    if (failed.contains(check.name)) names.push_back(check.name);
  }
  return names;
}

}  // namespace lvsa::analysis
