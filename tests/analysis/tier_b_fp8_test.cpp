// Tier B with e4m3 inputs, whose factors a kernel applies after its sums of unscaled numbers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "analysis/verify/explain.hpp"
#include "analysis/verify/inputs.hpp"
#include "analysis/verify/replay_case.hpp"
#include "analysis/verify/run_case.hpp"
#include "core/error.hpp"
#include "core/numeric/small_floats.hpp"
#include "tests/analysis/schedule_emulation.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::int64_t kTile = 16;

float wrong_v_factor = 1.0F;
bool declares_other_order = false;

float e4m3_at(const lvsa_tensor& t, std::int64_t s, std::int64_t h, std::int64_t i) {
  const auto* bytes = static_cast<const std::uint8_t*>(t.data);
  return e4m3_to_float(bytes[s * t.strides[1] + h * t.strides[2] + i]);
}

// One query row over all tokens, in fp32: running maximum by tiles, P in e4m3 with a factor 2^8.
void run_row(const lvsa_problem& p, std::int64_t tokens, std::int64_t s, std::int64_t h) {
  const std::int64_t kv = h / (p.heads / p.kv_heads);
  const float factor = p.q_scale[h] * p.k_scale[kv] * static_cast<float>(p.scale);
  std::vector<float> sums(static_cast<std::size_t>(p.head_dim), 0.0F);
  float max = -std::numeric_limits<float>::infinity();
  float total = 0.0F;
  for (std::int64_t first = 0; first < tokens; first += kTile) {
    std::vector<float> scores;
    for (std::int64_t j = first; j < std::min(first + kTile, tokens); ++j) {
      float dot = 0.0F;
      for (std::int64_t i = 0; i < p.head_dim; ++i) {
        dot += e4m3_at(p.q, s, h, i) * e4m3_at(p.k, j, kv, i);
      }
      scores.push_back(dot * factor);
    }
    const float before = max;
    max = std::max(max, *std::max_element(scores.begin(), scores.end()));
    const float rescale = first == 0 ? 0.0F : std::exp(before - max);
    std::vector<float> part(sums.size(), 0.0F);
    float part_total = 0.0F;
    for (std::size_t j = 0; j < scores.size(); ++j) {
      const float weight = std::exp(scores[j] - max);
      part_total += weight;
      const auto rounded = static_cast<float>(
          schedule_test::round_by_table(LVSA_E4M3, 256.0 * static_cast<double>(weight), false));
      for (std::size_t c = 0; c < sums.size(); ++c) {
        part[c] += rounded * e4m3_at(p.v, first + static_cast<std::int64_t>(j), kv,
                                     static_cast<std::int64_t>(c));
      }
    }
    total = total * rescale + part_total;
    for (std::size_t c = 0; c < sums.size(); ++c) sums[c] = sums[c] * rescale + part[c];
  }
  const float v_factor = p.v_scale[kv] * wrong_v_factor;
  auto* out = static_cast<std::uint16_t*>(p.out.data) + s * p.out.strides[1] + h * p.out.strides[2];
  for (std::size_t c = 0; c < sums.size(); ++c) {
    out[c] = double_to_bf16(static_cast<double>(sums[c] / (256.0F * total) * v_factor));
  }
  p.lse[s * p.lse_strides[1] + h * p.lse_strides[2]] = max + std::log(total);
}

lvsa_status run_scheduled(const lvsa_problem* p, void*, std::size_t, void*, char*, std::size_t) {
  const std::int64_t tokens = p->frames * p->patches_per_frame + p->text_tokens;
  for (std::int64_t s = 0; s < tokens; ++s) {
    for (std::int64_t h = 0; h < p->heads; ++h) run_row(*p, tokens, s, h);
  }
  return LVSA_OK;
}

lvsa_status declare_schedule(const lvsa_problem*, lvsa_numerics* n) {
  n->key_tile = kTile;
  n->sum_step = kTile;
  n->tiles_cross_frames = 1;
  n->p_dtype = LVSA_E4M3;
  n->p_scale_log2 = 8;
  n->accumulator = LVSA_F32;
  n->exp_ulps = 4.0;
  n->key_order = declares_other_order ? LVSA_KEYS_DESCENDING : LVSA_KEYS_ASCENDING;
  n->max_rule = LVSA_MAX_RUNNING;
  n->rescale_exact = 1;
  n->score_step = 1;
  return LVSA_OK;
}

lvsa_kernel scheduled_kernel() {
  lvsa_kernel kernel{};
  kernel.abi_version = LVSA_KERNEL_ABI_VERSION;
  kernel.struct_size = sizeof kernel;
  kernel.name = "scheduled-e4m3";
  kernel.description = "P in e4m3, factors behind the sums";
  kernel.capabilities = {
      sizeof(lvsa_capabilities), LVSA_DTYPE_BIT(LVSA_E4M3), 0, LVSA_HOST, 1, 512, 1, 1, 1, 0, 0, 1};
  kernel.numerics = declare_schedule;
  kernel.run = run_scheduled;
  return kernel;
}

Case dense_case() {
  return parse_case(
      "T=4 P=29 text=5 H=4 Hkv=2 D=32 dtype=e4m3 W=4 ref=4 input=gauss seed=4 rows=0");
}

CaseResult judged(float v_factor, bool other_order) {
  wrong_v_factor = v_factor;
  declares_other_order = other_order;
  RunOptions options;
  options.relations = RelationChoice::kNone;
  return run_case(dense_case(), scheduled_kernel(), options);
}

TEST(TierBFp8, HoldsAKernelWithFactorsAgainstItsSchedule) {
  const CaseResult result = judged(1.0F, false);
  EXPECT_EQ(result.status, Status::kPass) << result.message;
  EXPECT_EQ(result.schedule.checked, result.output.checked + result.lse.checked);
  EXPECT_EQ(result.schedule.failed, 0);
  EXPECT_GT(result.schedule.worst_ratio, 0.0);
}

TEST(TierBFp8, SeesAFactorThatIsOffByOnePercentWhereTierADoesNot) {
  const CaseResult result = judged(1.01F, false);
  EXPECT_EQ(result.output.failed, 0);
  EXPECT_GT(result.schedule.failed, 0);
  EXPECT_EQ(result.status, Status::kFail);
}

TEST(TierBFp8, SeesAnotherOrderThanTheDeclaredOne) {
  const CaseResult result = judged(1.0F, true);
  EXPECT_EQ(result.output.failed, 0);
  EXPECT_GT(result.schedule.failed, 0);
}

TEST(TierBFp8, ExplainsElementsWithTheirFactors) {
  wrong_v_factor = 1.0F;
  declares_other_order = false;
  const lvsa_kernel kernel = scheduled_kernel();
  const Explanation e = explain_element(dense_case(), {{0, 40, 3}, 7}, &kernel, 1);
  ASSERT_TRUE(e.got && e.lse_got);
  EXPECT_TRUE(e.accepted.contains(*e.got));
  EXPECT_TRUE(e.lse_accepted.contains(*e.lse_got));
}

TEST(TierBFp8, ReplaysFilesWithTheirFactors) {
  wrong_v_factor = 1.0F;
  declares_other_order = false;
  const lvsa_kernel kernel = scheduled_kernel();
  for (const char* check : {"output", "schedule"}) {
    ReplayCase made = make_replay(dense_case(), kernel.name, check);
    set_rows(made, &kernel, {{0, 40, 3}, {0, 7, 0}});
    const ReplayCase read = replay_from_json(replay_to_json(made), "file");
    EXPECT_EQ(read.tensors.q_scale, made.tensors.q_scale);
    EXPECT_EQ(judge_replay(read, kernel).check, "") << check;
    ReplayCase without = replay_from_json(replay_to_json(made), "file");
    without.tensors.v_scale.assign(without.tensors.v_scale.size(), 1.0F);
    EXPECT_NE(judge_replay(without, kernel).check, "") << check;
    without.tensors.k_scale.back() = -1.0F;
    EXPECT_THROW(replay_from_json(replay_to_json(without), "file"), Error);
  }
}

}  // namespace
}  // namespace lvsa::analysis
