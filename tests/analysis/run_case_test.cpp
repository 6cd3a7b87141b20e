// The judge itself, on kernels whose defects are known: a plain kernel written here, in fp32 by the
// definition, with switches that break it.
#include "analysis/verify/run_case.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "analysis/verify/inputs.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

// What is wrong with the plain kernel below; at most one at a time.
enum class Defect {
  kNone,
  kFrameMissing,  // the last attended frame is left out
  kFrameTooMany,  // one frame is attended that the pattern does not have
  kTextForgotten,
  kScaleForgotten,
  kWrongGroup,  // head h reads kv head h mod Hkv
  kLastRowUnwritten,
  kWrongLse,       // base 2
  kOneKeyDropped,  // the last key of every frame
  kRefuses,
};
Defect defect = Defect::kNone;

const float* row_of(const lvsa_tensor& t, std::int64_t b, std::int64_t s, std::int64_t h) {
  return static_cast<const float*>(t.data) + b * t.strides[0] + s * t.strides[1] + h * t.strides[2];
}

std::vector<std::int64_t> keys_of(const lvsa_problem& p, std::int64_t token) {
  std::vector<std::int64_t> keys;
  const std::int64_t video = p.frames * p.patches_per_frame;
  std::vector<std::int32_t> frames;
  if (token < video) {
    const std::int64_t f = token / p.patches_per_frame;
    frames.assign(p.frame_lists.list + p.frame_lists.offsets[f],
                  p.frame_lists.list + p.frame_lists.offsets[f + 1]);
    if (defect == Defect::kFrameMissing && !frames.empty()) frames.pop_back();
    if (defect == Defect::kFrameTooMany) {
      for (std::int32_t g = 0; g < p.frames; ++g) {
        if (std::find(frames.begin(), frames.end(), g) == frames.end()) {
          frames.push_back(g);
          break;
        }
      }
    }
  } else {
    for (std::int32_t f = 0; f < p.frames; ++f) frames.push_back(f);
  }
  for (const std::int32_t f : frames) {
    const std::int64_t last = p.patches_per_frame - (defect == Defect::kOneKeyDropped ? 1 : 0);
    for (std::int64_t i = 0; i < last; ++i) keys.push_back(f * p.patches_per_frame + i);
  }
  if (defect != Defect::kTextForgotten) {
    for (std::int64_t i = 0; i < p.text_tokens; ++i) keys.push_back(video + i);
  }
  return keys;
}

void attend(const lvsa_problem& p, std::int64_t b, std::int64_t s, std::int64_t h) {
  const std::int64_t kv =
      defect == Defect::kWrongGroup ? h % p.kv_heads : h / (p.heads / p.kv_heads);
  const float* q = row_of(p.q, b, s, h);
  auto* out = const_cast<float*>(row_of(p.out, b, s, h));
  const auto scale = static_cast<float>(defect == Defect::kScaleForgotten ? 1.0 : p.scale);
  const auto keys = keys_of(p, s);
  std::vector<float> score;
  float max = -INFINITY;
  for (const std::int64_t key : keys) {
    float dot = 0;
    for (std::int64_t i = 0; i < p.head_dim; ++i) dot += q[i] * row_of(p.k, b, key, kv)[i];
    score.push_back(dot * scale);
    max = std::max(max, score.back());
  }
  float sum = 0;
  for (float& value : score) sum += value = std::exp(value - max);
  for (std::int64_t c = 0; c < p.head_dim; ++c) {
    float weighted = 0;
    for (std::size_t j = 0; j < keys.size(); ++j)
      weighted += score[j] * row_of(p.v, b, keys[j], kv)[c];
    out[c] = keys.empty() ? 0.0F : weighted / sum;
  }
  const float lse = max + std::log(sum);
  if (p.lse == nullptr) return;
  p.lse[b * p.lse_strides[0] + s * p.lse_strides[1] + h * p.lse_strides[2]] =
      defect == Defect::kWrongLse ? lse * 1.442695F : lse;
}

lvsa_status run_plain(const lvsa_problem* p, void*, std::size_t, void*, char* message,
                      std::size_t size) {
  if (defect == Defect::kRefuses) {
    std::strncpy(message, "head_dim: not today", size);
    return LVSA_FAILED;
  }
  const std::int64_t tokens = p->frames * p->patches_per_frame + p->text_tokens;
  const std::int64_t written = tokens - (defect == Defect::kLastRowUnwritten ? 1 : 0);
  for (std::int64_t b = 0; b < p->batch; ++b) {
    for (std::int64_t s = 0; s < written; ++s) {
      for (std::int64_t h = 0; h < p->heads; ++h) attend(*p, b, s, h);
    }
  }
  return LVSA_OK;
}

lvsa_status plain_numerics(const lvsa_problem* p, lvsa_numerics* numerics) {
  numerics->key_tile = p->frames * p->patches_per_frame + p->text_tokens;
  numerics->tiles_cross_frames = 1;
  numerics->p_dtype = LVSA_F32;
  numerics->accumulator = LVSA_F32;
  return LVSA_OK;
}

lvsa_kernel plain_kernel() {
  lvsa_kernel kernel{};
  kernel.abi_version = LVSA_KERNEL_ABI_VERSION;
  kernel.struct_size = sizeof kernel;
  kernel.name = "plain";
  kernel.description = "fp32 by the definition";
  kernel.capabilities = {
      sizeof(lvsa_capabilities), LVSA_DTYPE_BIT(LVSA_F32), 0, LVSA_HOST, 1, 512, 1, 1, 1, 1, 0, 1};
  kernel.numerics = plain_numerics;
  kernel.run = run_plain;
  return kernel;
}

constexpr const char* kSmall =
    "T=9 P=6 text=5 B=2 H=4 Hkv=2 D=16 dtype=f32 W=1 ref=4 step=1 input=gauss seed=5 rows=0";

CaseResult run_with(Defect wrong, const std::string& line) {
  defect = wrong;
  const lvsa_kernel kernel = plain_kernel();
  return run_case(parse_case(line), kernel, {});
}

TEST(Judge, PassesAHealthyKernelOnEveryInput) {
  for (const char* input : {"gauss", "uniform", "indicator"}) {
    std::string line = kSmall;
    line.replace(line.find("gauss"), 5, input);
    const CaseResult result = run_with(Defect::kNone, line);
    EXPECT_EQ(result.status, Status::kPass) << input << ": " << result.message;
    EXPECT_EQ(result.output.checked, 2 * 59 * 4 * 16);
    EXPECT_EQ(result.lse.checked, 2 * 59 * 4);
    EXPECT_LT(result.output.worst_ratio, 1.0);
  }
}

class Wrong : public testing::TestWithParam<Defect> {};

TEST_P(Wrong, KernelFails) {
  const CaseResult result = run_with(GetParam(), kSmall);
  EXPECT_EQ(result.status, Status::kFail) << result.message;
  EXPECT_NE(result.message, "");
  EXPECT_NE(result.command.find("lvsa-verify kernel --kernel 'plain' --case '"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Judge, Wrong,
                         testing::Values(Defect::kFrameMissing, Defect::kFrameTooMany,
                                         Defect::kTextForgotten, Defect::kScaleForgotten,
                                         Defect::kWrongGroup, Defect::kLastRowUnwritten,
                                         Defect::kWrongLse, Defect::kOneKeyDropped));

TEST(Judge, SaysWhereAKernelWentWrong) {
  const CaseResult result = run_with(Defect::kTextForgotten, kSmall);
  EXPECT_NE(result.message.find("frame"), std::string::npos) << result.message;
  EXPECT_GT(result.output.failed, 0);
  EXPECT_GT(result.output.worst.ratio, 1.0);
}

TEST(Judge, CountsUnwrittenElements) {
  const CaseResult result = run_with(Defect::kLastRowUnwritten, kSmall);
  EXPECT_EQ(result.output.unwritten, 2 * 4 * 16);
  EXPECT_EQ(result.lse.unwritten, 2 * 4);
}

TEST(Judge, ReportsAKernelsOwnError) {
  const CaseResult result = run_with(Defect::kRefuses, kSmall);
  EXPECT_EQ(result.status, Status::kError);
  EXPECT_NE(result.message.find("head_dim: not today"), std::string::npos);
}

TEST(Judge, DoesNotOfferWhatAKernelCannotDo) {
  std::string line = kSmall;
  line.replace(line.find("dtype=f32"), 9, "dtype=f16");
  EXPECT_EQ(run_with(Defect::kNone, line).status, Status::kUnsupported);
}

TEST(Judge, CallsACaseWeakThatCouldNotSeeAWrongKernel) {
  // Scores of several hundred: their rounding alone moves the output by more than it is.
  std::string line = kSmall;
  line += " sigma=3000";
  EXPECT_EQ(run_with(Defect::kNone, line).status, Status::kWeak);
}

TEST(Judge, ExcludesNoFrameFromTheIndicator) {
  // One frame too many takes mass where exactly none is due.
  std::string line = kSmall;
  line.replace(line.find("gauss"), 5, "indicator");
  const CaseResult result = run_with(Defect::kFrameTooMany, line);
  EXPECT_EQ(result.status, Status::kFail);
}

TEST(Inputs, KeepTheirValuesInAnyLayout) {
  Case c = parse_case(kSmall);
  const AttentionTensors one = make_inputs(c);
  c.layout = Layout::kBHSD;
  const AttentionTensors other = make_inputs(c);
  std::vector<double> a(16);
  std::vector<double> b(16);
  for (std::int64_t s = 0; s < c.grid.seq_len(); ++s) {
    one.q.view().read_row(1, s, 3, a.data());
    other.q.view().read_row(1, s, 3, b.data());
    ASSERT_EQ(a, b);
  }
}

TEST(Inputs, HaveMeanZeroAndVarianceOne) {
  double sum = 0;
  double squares = 0;
  constexpr int kCount = 200000;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    const double value = bell(random_bits(9, 1, i));
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / kCount, 0.0, 0.01);
  EXPECT_NEAR(squares / kCount, 1.0, 0.02);
}

TEST(Inputs, RefuseSizesBeyondMemory) {
  EXPECT_THROW(
      make_inputs(parse_case("T=1000000 P=1000000 H=100 Hkv=1 D=128 dtype=bf16 ref=21 step=0 "
                             "input=gauss seed=1 rows=1")),
      Error);
}

}  // namespace
}  // namespace lvsa::analysis
