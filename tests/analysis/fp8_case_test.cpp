// Cases with e4m3 inputs: scales reach the kernel and the oracle, the output is bf16.

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "analysis/verify/inputs.hpp"
#include "analysis/verify/relations.hpp"
#include "analysis/verify/run_case.hpp"
#include "core/numeric/small_floats.hpp"
#include "reference/attention/tiled/cpu_kernel.hpp"

namespace lvsa::analysis {
namespace {

enum class Forgets { kNothing, kQScale, kKScaleOfHead, kVScale };
Forgets forgets = Forgets::kNothing;

std::uint8_t e4m3_of(const lvsa_tensor& t, std::int64_t s, std::int64_t h, std::int64_t i) {
  return static_cast<const std::uint8_t*>(t.data)[s * t.strides[1] + h * t.strides[2] + i];
}

// Dense attention of one batch element, by the definition, in double precision.
lvsa_status run_plain(const lvsa_problem* p, void*, std::size_t, void*, char*, std::size_t) {
  const std::int64_t tokens = p->frames * p->patches_per_frame + p->text_tokens;
  for (std::int64_t h = 0; h < p->heads; ++h) {
    const double qs = forgets == Forgets::kQScale ? 1.0 : static_cast<double>(p->q_scale[h]);
    const double ks = static_cast<double>(p->k_scale[forgets == Forgets::kKScaleOfHead ? 0 : h]);
    const double vs = forgets == Forgets::kVScale ? 1.0 : static_cast<double>(p->v_scale[h]);
    for (std::int64_t s = 0; s < tokens; ++s) {
      std::vector<double> weight(static_cast<std::size_t>(tokens));
      double sum = 0;
      for (std::int64_t j = 0; j < tokens; ++j) {
        double dot = 0;
        for (std::int64_t i = 0; i < p->head_dim; ++i) {
          dot += static_cast<double>(e4m3_to_float(e4m3_of(p->q, s, h, i))) *
                 static_cast<double>(e4m3_to_float(e4m3_of(p->k, j, h, i)));
        }
        sum += weight[static_cast<std::size_t>(j)] = std::exp(dot * qs * ks * p->scale);
      }
      for (std::int64_t c = 0; c < p->head_dim; ++c) {
        double out = 0;
        for (std::int64_t j = 0; j < tokens; ++j) {
          out += weight[static_cast<std::size_t>(j)] *
                 static_cast<double>(e4m3_to_float(e4m3_of(p->v, j, h, c)));
        }
        static_cast<std::uint16_t*>(
            p->out.data)[s * p->out.strides[1] + h * p->out.strides[2] + c] =
            double_to_bf16(out * vs / sum);
      }
      p->lse[s * p->lse_strides[1] + h * p->lse_strides[2]] = static_cast<float>(std::log(sum));
    }
  }
  return LVSA_OK;
}

CaseResult judged(Forgets what) {
  forgets = what;
  lvsa_kernel kernel{};
  kernel.abi_version = LVSA_KERNEL_ABI_VERSION;
  kernel.struct_size = sizeof kernel;
  kernel.name = "plain-e4m3";
  kernel.description = "by the definition";
  kernel.capabilities = {
      sizeof(lvsa_capabilities), LVSA_DTYPE_BIT(LVSA_E4M3), 0, LVSA_HOST, 1, 512, 1, 1, 1, 1, 0, 1};
  kernel.numerics = [](const lvsa_problem*, lvsa_numerics* numerics) {
    numerics->key_tile = 64;
    numerics->p_dtype = LVSA_F32;
    numerics->accumulator = LVSA_F32;
    return LVSA_OK;
  };
  kernel.run = run_plain;
  const Case c = parse_case("T=3 P=9 text=4 H=4 Hkv=4 D=16 dtype=e4m3 W=3 input=gauss rows=0");
  RunOptions options;
  options.relations = RelationChoice::kNone;  // it is dense whatever the pattern
  return run_case(c, kernel, options);
}

// The kernel cpu on float32 copies of e4m3 tensors, times their factors; `forgets` kVScale takes
// the values' factor of the first head for all.
lvsa_status run_by_cpu(const lvsa_problem* p, void*, std::size_t, void*, char* message,
                       std::size_t size) {
  const std::int64_t tokens = p->frames * p->patches_per_frame + p->text_tokens;
  const auto copied = [&](const lvsa_tensor& t, const float* scale, std::int64_t heads) {
    std::vector<float> made;
    for (std::int64_t b = 0; b < p->batch; ++b) {
      for (std::int64_t s = 0; s < tokens; ++s) {
        for (std::int64_t h = 0; h < heads; ++h) {
          for (std::int64_t i = 0; i < p->head_dim; ++i) {
            const std::int64_t at =
                b * t.strides[0] + s * t.strides[1] + h * t.strides[2] + i * t.strides[3];
            const float value = e4m3_to_float(static_cast<const std::uint8_t*>(t.data)[at]);
            made.push_back(scale == nullptr ? value : value * scale[b * heads + h]);
          }
        }
      }
    }
    return made;
  };
  std::vector<float> first(static_cast<std::size_t>(p->batch * p->kv_heads),
                           p->v_scale == nullptr ? 1.0F : p->v_scale[0]);
  std::vector<float> q = copied(p->q, p->q_scale, p->heads);
  std::vector<float> k = copied(p->k, p->k_scale, p->kv_heads);
  std::vector<float> v =
      copied(p->v, forgets == Forgets::kVScale ? first.data() : p->v_scale, p->kv_heads);
  std::vector<float> out(q.size());
  const auto plain = [&](std::vector<float>& data, std::int64_t heads) {
    return lvsa_tensor{data.data(),
                       {tokens * heads * p->head_dim, heads * p->head_dim, p->head_dim, 1}};
  };
  lvsa_problem wide = *p;
  wide.dtype = wide.out_dtype = LVSA_F32;
  wide.q = plain(q, p->heads);
  wide.k = plain(k, p->kv_heads);
  wide.v = plain(v, p->kv_heads);
  wide.out = plain(out, p->heads);
  wide.q_scale = wide.k_scale = wide.v_scale = nullptr;
  std::size_t bytes = 0;
  lvsa_status status = reference::cpu_kernel().workspace(&wide, &bytes);
  if (status != LVSA_OK) return status;
  std::vector<std::byte> workspace(bytes + 1);
  status = reference::cpu_kernel().run(&wide, workspace.data(), bytes, nullptr, message, size);
  if (status != LVSA_OK) return status;
  const std::int64_t count = p->wanted_tokens == nullptr ? tokens : p->wanted_count;
  for (std::int64_t r = 0; r < p->batch * count * p->heads; ++r) {
    const std::int64_t b = r / (count * p->heads);
    const std::int64_t h = r % p->heads;
    const std::int64_t i = r / p->heads % count;
    const std::int64_t s = p->wanted_tokens == nullptr ? i : p->wanted_tokens[i];
    for (std::int64_t c = 0; c < p->head_dim; ++c) {
      const lvsa_tensor& t = p->out;
      static_cast<std::uint16_t*>(
          t.data)[b * t.strides[0] + s * t.strides[1] + h * t.strides[2] + c * t.strides[3]] =
          double_to_bf16(static_cast<double>(
              out[static_cast<std::size_t>(((b * tokens + s) * p->heads + h) * p->head_dim + c)]));
    }
  }
  return LVSA_OK;
}

std::vector<std::string> failed_relations(Forgets what) {
  forgets = what;
  lvsa_kernel kernel = reference::cpu_kernel();
  kernel.capabilities.dtypes = LVSA_DTYPE_BIT(LVSA_E4M3);
  kernel.numerics = nullptr;
  kernel.workspace = nullptr;
  kernel.run = run_by_cpu;
  const Case c = parse_case(
      "T=6 P=9 text=4 B=2 H=4 Hkv=2 D=16 dtype=e4m3 W=1 ref=3 step=1 input=gauss rows=0");
  const Problem problem =
      make_problem(c, make_inputs(c), build_frame_pattern(case_pattern_spec(c)), {}, 1);
  std::vector<std::string> failed;
  for (const NamedCheck& check : check_relations(kernel, problem)) {
    if (check.state == CheckState::kFails) failed.push_back(check.name + ": " + check.message);
  }
  return failed;
}

TEST(Fp8Case, RelationsHoldForASoundKernelAndSeeTheFactorsOfAnotherHead) {
  EXPECT_EQ(failed_relations(Forgets::kNothing), std::vector<std::string>{});
  EXPECT_NE(failed_relations(Forgets::kVScale), std::vector<std::string>{});
}

TEST(Fp8Case, PassesAKernelThatUsesTheScales) {
  const CaseResult result = judged(Forgets::kNothing);
  EXPECT_EQ(result.status, Status::kPass) << result.message;
}

TEST(Fp8Case, FailsAKernelThatForgetsAScaleOrTakesAnotherHeads) {
  EXPECT_EQ(judged(Forgets::kQScale).status, Status::kFail);
  EXPECT_EQ(judged(Forgets::kKScaleOfHead).status, Status::kFail);
  EXPECT_EQ(judged(Forgets::kVScale).status, Status::kFail);
}

TEST(Fp8Case, ItsLineReadsBackAndScaledTensorsAreExact) {
  const Case c = parse_case("T=2 P=5 H=2 Hkv=1 D=16 dtype=e4m3 layout=bhsd");
  EXPECT_EQ(parse_case(to_line(c)), c);
  EXPECT_EQ(output_dtype(c), LVSA_BF16);
  const AttentionTensors tensors = make_inputs(c);
  const AttentionTensors scaled = scaled_tensors(tensors);
  std::vector<double> raw(16), times(16);
  for (std::int64_t h = 0; h < 2; ++h) {
    for (std::int64_t s = 0; s < 10; ++s) {
      tensors.q.view().read_row(0, s, h, raw.data());
      scaled.q.view().read_row(0, s, h, times.data());
      const auto scale = static_cast<double>(tensors.q_scale[static_cast<std::size_t>(h)]);
      for (std::size_t i = 0; i < 16; ++i) ASSERT_EQ(times[i], raw[i] * scale);
    }
  }
}

}  // namespace
}  // namespace lvsa::analysis
