// What the C interface of SpargeAttn refuses. Sizes and settings are looked at before the device,
// so that these tests need none.

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "cuda/launch/sparge_attention.h"

namespace lvsa::cuda::test {
namespace {

struct Call {
  std::vector<std::uint16_t> tensor = std::vector<std::uint16_t>(300 * 2 * 64 + 8);
  lvsa_block_problem problem{};
  lvsa_sparge_settings settings{};
  std::array<char, 512> message{};

  Call() {
    // Aligned to 16 bytes.
    auto at = reinterpret_cast<std::uintptr_t>(tensor.data());
    at = (at + 15) / 16 * 16;
    problem.struct_size = sizeof problem;
    problem.batch = 1;
    problem.query_tokens = problem.key_tokens = 300;
    problem.heads = problem.kv_heads = 2;
    problem.head_dim = 64;
    problem.scale = 0.125;
    problem.dtype = problem.out_dtype = LVSA_BF16;
    problem.memory = LVSA_CUDA;
    problem.q = {reinterpret_cast<void*>(at), {300 * 128, 128, 64, 1}};
    problem.k = problem.v = problem.out = problem.q;
    problem.block_rows = 128;
    problem.block_columns = 64;
    lvsa_sparge_defaults(&settings);
  }
  std::string refusal(bool attention = false) {
    std::size_t bytes = 0;
    const lvsa_status status =
        (attention ? lvsa_sparge_attention_scratch_bytes : lvsa_sparge_predict_scratch_bytes)(
            &problem, &settings, &bytes, message.data(), message.size());
    // What is left is the device: where there is none, that, and where there is one, that these
    // tensors are not in its memory.
    const std::string said = message.data();
    const bool right = status == LVSA_OK || status == LVSA_NO_DEVICE ||
                       said == "q is not in memory that the device reaches";
    return right ? "" : said;
  }
};

struct Refused {
  const char* part;  // of the message
  std::function<void(Call&)> spoil;
};

const double kTwo[2] = {0.1, 0.2};
const double kThree[3] = {0.1, 0.2, 0.3};
const double kAbove = 1.5;
const double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(SpargeRefusal, NamesWhatIsWrongWithTheProblem) {
  for (const Refused& one : std::vector<Refused>{
           {"struct_size", [](Call& c) { c.problem.struct_size = 8; }},
           {"head_dim = 96", [](Call& c) { c.problem.head_dim = 96; }},
           {"block_rows x block_columns = 32 x 64", [](Call& c) { c.problem.block_rows = 32; }},
           {"block_rows", [](Call& c) { c.problem.block_rows = 0; }},
           {"query_tokens = 200: must be key_tokens = 300",
            [](Call& c) { c.problem.query_tokens = 200; }},
           {"dtype = 2", [](Call& c) { c.problem.dtype = LVSA_F32; }},
           {"device memory", [](Call& c) { c.problem.memory = LVSA_HOST; }},
           {"q.strides[1] = 130", [](Call& c) { c.problem.q.strides[1] = 130; }},
           {"k.strides[3] = 2", [](Call& c) { c.problem.k.strides[3] = 2; }},
           {"k", [](Call& c) { c.problem.k.data = nullptr; }},
           {"heads = 3", [](Call& c) { c.problem.heads = 3; }},
       }) {
    Call call;
    one.spoil(call);
    EXPECT_NE(call.refusal().find(one.part), std::string::npos)
        << one.part << ": " << call.refusal();
  }
}

TEST(SpargeRefusal, NamesWhatIsWrongWithTheSettings) {
  for (const Refused& one : std::vector<Refused>{
           {"struct_size of the settings = 8", [](Call& c) { c.settings.struct_size = 8; }},
           {"not both",
            [](Call& c) {
              c.settings.cdfthreshd = kTwo;
              c.settings.cdfthreshd_count = 1;
            }},
           {"not none", [](Call& c) { c.settings.topk_count = 0; }},
           {"topk_count = 3: must be 1 or 2",
            [](Call& c) {
              c.settings.topk = kThree;
              c.settings.topk_count = 3;
            }},
           {"topk[0] = 1.5", [](Call& c) { c.settings.topk = &kAbove; }},
           {"simthreshd1[0] = nan", [](Call& c) { c.settings.simthreshd1 = &kNan; }},
           {"simthreshd1_count = 0", [](Call& c) { c.settings.simthreshd1_count = 0; }},
           {"topk = null", [](Call& c) { c.settings.topk = nullptr; }},
           {"pvthreshd = null", [](Call& c) { c.settings.pvthreshd_count = 1; }},
           {"smooth_k = 2", [](Call& c) { c.settings.smooth_k = 2; }},
       }) {
    Call call;
    one.spoil(call);
    EXPECT_NE(call.refusal().find(one.part), std::string::npos)
        << one.part << ": " << call.refusal();
  }
}

TEST(SpargeRefusal, TakesWhatIsRight) {
  Call call;
  call.problem.q.strides[0] = call.problem.q.strides[2] = 0;  // one for all heads
  call.settings.topk = kTwo;
  call.settings.topk_count = 2;
  EXPECT_EQ(call.refusal(), "");
  call.problem.v.data = nullptr;  // the prediction does not read it
  call.problem.out = {};
  EXPECT_EQ(call.refusal(), "");
}

TEST(SpargeRefusal, AsksMoreOfTheAttention) {
  Call call;
  EXPECT_EQ(call.refusal(true), "");
  call.problem.block_rows = 64;
  EXPECT_EQ(call.refusal(), "");
  EXPECT_NE(call.refusal(true).find("64 x 64"), std::string::npos) << call.refusal(true);
  call.problem.block_rows = 128;
  call.problem.v.data = nullptr;
  EXPECT_NE(call.refusal(true), "");
}

}  // namespace
}  // namespace lvsa::cuda::test
