// What tiers B and C make of whole cases: verdicts, messages, weakness, remarks.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "analysis/verify/oracle_problem.hpp"
#include "analysis/verify/run_case.hpp"
#include "analysis/verify/tier_c.hpp"
#include "reference/attention/mutants/mutant_kernel.hpp"
#include "reference/attention/tiled/cpu_kernel.hpp"

namespace lvsa::analysis {
namespace {

const lvsa_kernel& mutant(reference::Defect defect) { return reference::mutant_kernel(defect); }

// The same kernel without a word of its schedule.
lvsa_kernel silent(const lvsa_kernel& kernel) {
  lvsa_kernel made = kernel;
  made.numerics = nullptr;
  return made;
}

const char* const kGauss =
    "T=8 P=130 H=1 Hkv=1 D=32 dtype=bf16 p=bf16 W=1 ref=4 step=1 input=gauss seed=3 rows=24";

TEST(TierBVerdict, FailsAKernelThatTierAHasNothingAgainst) {
  const Case c = parse_case(kGauss);
  const lvsa_kernel& kernel = mutant(reference::Defect::kTowardZeroP);
  const CaseResult result = run_case(c, kernel, {});
  EXPECT_EQ(result.output.failed, 0);
  EXPECT_EQ(result.lse.failed, 0);
  EXPECT_GT(result.schedule.failed, 0);
  EXPECT_EQ(result.status, Status::kFail);
  EXPECT_NE(result.message.find("tier B"), std::string::npos) << result.message;
  EXPECT_NE(result.message.find("declared schedule"), std::string::npos);
  // A kernel that declares nothing is not held against a schedule.
  const CaseResult unknown = run_case(c, silent(kernel), {});
  EXPECT_EQ(unknown.schedule.checked, 0);
  EXPECT_NE(unknown.status, Status::kFail);
}

TEST(TierBVerdict, CountsOutputsAndLogSumExpOfHealthyKernels) {
  for (const lvsa_kernel* kernel : {&mutant(reference::Defect::kNone), &reference::cpu_kernel()}) {
    const CaseResult result = run_case(parse_case(kGauss), *kernel, {});
    EXPECT_EQ(result.schedule.checked, result.output.checked + result.lse.checked);
    EXPECT_EQ(result.schedule.failed, 0);
    EXPECT_NE(result.status, Status::kFail) << result.message;
    EXPECT_EQ(result.suspect, "");
  }
}

TEST(TierBVerdict, MakesACaseStrongThatTierAWouldCallWeak) {
  // So many keys that the output is smaller than what a bf16 P may do to it.
  const Case c = parse_case(
      "T=2 P=16384 H=1 Hkv=1 D=16 dtype=bf16 p=bf16 W=0 ref=2 input=uniform seed=3 rows=4 "
      "compute=rows");
  const lvsa_kernel& cpu = reference::cpu_kernel();
  const CaseResult known = run_case(c, cpu, {});
  EXPECT_EQ(known.status, Status::kPass) << known.message;
  EXPECT_EQ(run_case(c, silent(cpu), {}).status, Status::kWeak);
}

TEST(TierC, RemarksOnErrorsThatLeanOneWayAndOnlyThen) {
  const Case c = parse_case(
      "T=8 P=257 H=1 Hkv=1 D=16 dtype=f32 W=1 ref=4 step=1 input=indicator seed=3 rows=16");
  AttentionTensors tensors = make_inputs(c);
  const auto problem = oracle_problem(c, tensors.q.view(), tensors.k.view(), tensors.v.view());
  const auto rows = sample_rows(c);
  const FramePattern pattern = build_frame_pattern(case_pattern_spec(c));
  lvsa_numerics numerics{};
  numerics.key_tile = 64;
  numerics.p_dtype = LVSA_BF16;
  numerics.accumulator = LVSA_F32;
  const BoundModel model = make_bound_model(&numerics, c.dtype, c.head_dim);
  const auto exact = attend_rows(problem, rows, model.scores);
  const auto remark = [&](double share) {
    Tensor out(LVSA_F32, tensors.q.shape(), c.layout);
    auto* values = reinterpret_cast<float*>(out.bytes());
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const auto steps = row_steps(model, c.grid, pattern, rows[r], exact[r].keys);
      for (std::size_t i = 0; i < 16; ++i) {
        const double t = output_tolerance(model, exact[r], i, steps).total;
        values[static_cast<std::size_t>(rows[r].token) * 16 + i] =
            static_cast<float>(exact[r].out[i] + share * t);
      }
    }
    KernelOutputs outputs;
    outputs.out = out.view();
    return tier_c_remark(outputs, LVSA_F32, problem, rows, exact, model);
  };
  EXPECT_EQ(remark(0.0), "");
  EXPECT_EQ(remark(0.02), "");
  EXPECT_NE(remark(0.9).find("tier C: "), std::string::npos) << remark(0.9);
}

}  // namespace
}  // namespace lvsa::analysis
