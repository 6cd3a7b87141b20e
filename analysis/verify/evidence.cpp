#include "analysis/verify/evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "analysis/verify/judge.hpp"
#include "analysis/verify/kernel_call.hpp"
#include "analysis/verify/oracle_problem.hpp"
#include "analysis/verify/plain_bf16.hpp"
#include "analysis/verify/run_case.hpp"
#include "analysis/verify/tier_b.hpp"
#include "core/error.hpp"
#include "reference/attention/mutants/mutant_kernel.hpp"
#include "reference/attention/tiled/cpu_kernel.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;
using reference::RowResult;

// The order of kCriteria.
enum CriterionIndex : std::size_t {
  kBoth,
  kClose2,
  kClose3,
  kTwiceReference,
  kNmse,
  kTierA,
  kTierALse,
  kTierB,
  kTierBLse,
  kCriteriaCount,
};

std::vector<Criterion> all_criteria() {
  return {
      {"abs and rel 1e-2", "some element off by more than 1e-2 and by more than 1 %"},
      {"allclose 1e-2", "some |error| > 1e-2 + 1e-2 |exact|"},
      {"allclose 1e-3", "some |error| > 1e-3 + 1e-3 |exact|"},
      {"twice bf16",
       "largest error above twice that of a plain bf16 implementation "
       "(FlashAttention's rule)"},
      {"NMSE 5e-4", "sum of squared errors over sum of squares of the output > 5e-4"},
      {"tier A", "some output element outside its bounds for any schedule"},
      {"tier A, lse", "the same, or a log-sum-exp"},
      {"tier B", "some output element outside its bounds for the declared schedule"},
      {"tier B, lse", "the same, or a log-sum-exp"},
  };
}

// One kind of input with everything that judging needs, made once for all kernels.
class Scene {
 public:
  explicit Scene(const std::string& line)
      : c_(parse_case(line)),
        pattern_(build_frame_pattern(case_pattern_spec(c_))),
        tensors_(make_inputs(c_)),
        rows_(sample_rows(c_)) {
    for (const RowId& row : rows_) wanted_.push_back(row.token);
    const lvsa_kernel& like = reference::mutant_kernel(reference::Defect::kNone);
    problem_ = oracle_problem(c_, tensors_.q.view(), tensors_.k.view(), tensors_.v.view());
    exact_ = attend_rows(problem_, rows_, numerics_of(like).model.scores);
    const auto count = static_cast<std::int64_t>(rows_.size());
    double most = 0.0;
#pragma omp parallel for schedule(dynamic, 1) reduction(max : most)
    for (std::int64_t r = 0; r < count; ++r) {
      const auto i = static_cast<std::size_t>(r);
      const std::vector<double> plain = plain_bf16_row(problem_, rows_[i]);
      for (std::size_t d = 0; d < plain.size(); ++d) {
        most = std::max(most, std::fabs(plain[d] - exact_[i].out[d]));
      }
    }
    plain_error_ = most;
  }

  /// Which criteria reject the kernel.
  std::vector<bool> rejected(const lvsa_kernel& kernel) {
    const Declared declared = numerics_of(kernel);
    AttentionTensors tensors = copy();
    KernelCall call(kernel, c_, tensors, pattern_, 0, wanted_);
    call.run();
    std::vector<bool> bad(kCriteriaCount, false);
    double squared_error = 0.0;
    double squared = 0.0;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      judge_values(r, call, bad, squared_error, squared);
      judge_tier_a(r, call, declared.model, bad);
    }
    bad[kNmse] = !(squared_error <= 5e-4 * squared);
    judge_tier_b(call, declared, bad);
    bad[kTierALse] = bad[kTierALse] || bad[kTierA];
    bad[kTierBLse] = bad[kTierBLse] || bad[kTierB];
    return bad;
  }

 private:
  struct Declared {
    BoundModel model;
    std::optional<ScheduleJudge> schedule;
  };

  AttentionTensors copy() const {
    AttentionTensors made;
    const auto put = [this](Tensor& to, const Tensor& from) {
      to = Tensor(from.dtype(), from.shape(), c_.layout);
      std::memcpy(to.bytes(), from.bytes(), from.size_bytes());
    };
    put(made.q, tensors_.q);
    put(made.k, tensors_.k);
    put(made.v, tensors_.v);
    return made;
  }

  Declared numerics_of(const lvsa_kernel& kernel) {
    const KernelCall probe(kernel, c_, tensors_, pattern_, 0, {0});
    const auto numerics = probe.numerics();
    const lvsa_numerics* known = numerics ? &*numerics : nullptr;
    return {make_bound_model(known, c_.dtype, c_.head_dim),
            make_schedule_judge(known, c_.dtype, c_.head_dim)};
  }

  std::vector<double> got(const KernelCall& call, std::size_t r) const {
    std::vector<double> values(static_cast<std::size_t>(c_.head_dim));
    call.out().view().read_row(rows_[r].batch, rows_[r].token, rows_[r].head, values.data());
    return values;
  }
  double lse(const KernelCall& call, std::size_t r) const {
    return static_cast<double>(call.lse(rows_[r].batch, rows_[r].token, rows_[r].head));
  }

  void judge_values(std::size_t r, const KernelCall& call, std::vector<bool>& bad,
                    double& squared_error, double& squared) const {
    const std::vector<double> values = got(call, r);
    for (std::size_t d = 0; d < values.size(); ++d) {
      const double exact = exact_[r].out[d];
      const double error = std::fabs(values[d] - exact);  // NaN fails each comparison below
      if (!(error <= 1e-2 || error <= 1e-2 * std::fabs(exact))) bad[kBoth] = true;
      if (!(error <= 1e-2 + 1e-2 * std::fabs(exact))) bad[kClose2] = true;
      if (!(error <= 1e-3 + 1e-3 * std::fabs(exact))) bad[kClose3] = true;
      if (!(error <= 2.0 * plain_error_)) bad[kTwiceReference] = true;
      squared_error += error * error;
      squared += exact * exact;
    }
  }

  void judge_tier_a(std::size_t r, const KernelCall& call, const BoundModel& model,
                    std::vector<bool>& bad) const {
    const auto steps = row_steps(model, c_.grid, pattern_, rows_[r], exact_[r].keys);
    const std::vector<double> values = got(call, r);
    for (std::size_t d = 0; d < values.size(); ++d) {
      const double t = output_tolerance(model, exact_[r], d, steps).total;
      if (!accept_interval(exact_[r].out[d], t, c_.dtype).contains(values[d])) bad[kTierA] = true;
    }
    const double t = lse_tolerance(model, exact_[r], steps);
    if (!accept_interval(exact_[r].lse, t, LVSA_F32).contains(lse(call, r))) bad[kTierALse] = true;
  }

  // Defective kernels declare what the healthy one does, so one replay serves them all.
  const std::vector<reference::ShadowRow>& shadows_of(const KernelCall& call,
                                                      const ScheduleJudge& judge) {
    const std::int64_t tile = call.numerics()->key_tile;
    if (shadows_.empty() || tile != shadow_tile_) {
      shadows_ = judge.replay(problem_, rows_, exact_);
      shadow_tile_ = tile;
    }
    return shadows_;
  }

  void judge_tier_b(const KernelCall& call, const Declared& declared, std::vector<bool>& bad) {
    if (!declared.schedule) return;
    const auto& shadows = shadows_of(call, *declared.schedule);
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      if (!shadow_is_sound(shadows[r])) continue;
      const BoundModel& model = declared.schedule->model();
      const std::vector<double> values = got(call, r);
      for (std::size_t d = 0; d < values.size(); ++d) {
        const double t = schedule_tolerance(model, shadows[r], exact_[r], d).total;
        if (!accept_interval(shadows[r].out[d], t, c_.dtype).contains(values[d])) {
          bad[kTierB] = true;
        }
      }
      const double t = schedule_lse_tolerance(model, shadows[r]);
      if (!accept_interval(shadows[r].lse, t, LVSA_F32).contains(lse(call, r))) {
        bad[kTierBLse] = true;
      }
    }
  }

  Case c_;
  FramePattern pattern_;
  AttentionTensors tensors_;
  std::vector<RowId> rows_;
  std::vector<std::int64_t> wanted_;
  reference::AttentionProblem problem_;
  std::vector<RowResult> exact_;
  double plain_error_ = 0.0;
  std::vector<reference::ShadowRow> shadows_;
  std::int64_t shadow_tile_ = 0;
};

// Twelve frames, of which a row attends eight: text, batch, groups, part tiles in every frame.
std::string case_line(const std::string& input, std::int64_t keys) {
  return fmt::format(
      "T=12 P={} text=7 B=2 H=4 Hkv=2 D=32 dtype=bf16 p=bf16 W=2 interval=4 ref=8 step=3 input={} "
      "seed=21 rows=72 compute=rows",
      keys / 8 + 1, input);
}

}  // namespace

EvidenceTable collect_evidence(const std::vector<std::int64_t>& lengths,
                               const std::function<void(std::size_t, std::size_t)>& done) {
  EvidenceTable table;
  table.criteria = all_criteria();
  const auto defects = reference::all_defects();
  table.defects = static_cast<std::int64_t>(defects.size());
  std::vector<std::pair<std::string, std::int64_t>> kinds;
  for (const std::int64_t keys : lengths) {
    if (keys < 512 || keys > (std::int64_t{1} << 20)) {
      throw Error(ErrorKind::kValue, fmt::format("evidence: {} keys: 512 .. 1048576 is due", keys));
    }
    kinds.emplace_back("gauss", keys);
    kinds.emplace_back("indicator", keys);
  }
  if (!lengths.empty()) kinds.emplace_back("ties", lengths.front());

  const std::size_t all = kinds.size() * (defects.size() + 2);
  std::size_t made = 0;
  for (const auto& [input, keys] : kinds) {
    EvidenceColumn column{fmt::format("{} {}", input, keys), case_line(input, keys), {}, {}};
    column.caught.resize(kCriteriaCount);
    column.alarms.resize(kCriteriaCount);
    Scene scene(column.line);
    const auto run = [&](const lvsa_kernel& kernel, const std::string& name,
                         std::vector<std::vector<std::string>>& into) {
      reference::forget_previous_calls();
      const std::vector<bool> bad = scene.rejected(kernel);
      for (std::size_t i = 0; i < bad.size(); ++i) {
        if (bad[i]) into[i].push_back(name);
      }
      if (done) done(++made, all);
    };
    for (const auto& info : defects) {
      run(reference::mutant_kernel(info.defect), info.name, column.caught);
    }
    run(reference::mutant_kernel(reference::Defect::kNone), "emulated", column.alarms);
    run(reference::cpu_kernel(), "cpu", column.alarms);
    table.columns.push_back(std::move(column));
  }
  return table;
}

}  // namespace lvsa::analysis
