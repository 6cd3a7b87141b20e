// What all rules have in common that look at q and k.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <future>

#include "core/blocks/rule_words.hpp"
#include "core/error.hpp"
#include "core/sparse/tensor_rows.hpp"
#include "tests/sparse_dynamic/head_sample.hpp"

namespace lvsa::sparse_test {
namespace {

const std::vector<std::string> kRules = {"sparge strict=0 block_q=16 block_k=8",
                                         "sparge strict=0 block_q=16 block_k=8 causal=1",
                                         "rainfusion unit=8",
                                         "rainfusion2 block=16",
                                         "svg unit=8",
                                         "svg unit=8 profile=wan"};

HeadSample sample() {
  return HeadSample(video_of(6, 9, 12, 30), 8, LVSA_BF16, Fill::kBlobs, Fill::kBlobs, 11);
}

TEST(DynamicRules, HaveAnExponentialThatIsRightToThirteenDigits) {
  std::vector<double> scores;
  for (int i = 0; i <= 70000; ++i) scores.push_back(3.0 - i / 100.0);
  std::vector<double> weights(scores.size());
  sparse::exp_differences(scores.data(), 3.0, std::int64_t(scores.size()), weights.data());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const long double due = expl(static_cast<long double>(scores[i] - 3.0));
    ASSERT_LT(fabsl(static_cast<long double>(weights[i]) - due), 1e-14L * due) << scores[i];
  }
  EXPECT_EQ(weights.front(), 1.0);
}

TEST(DynamicRules, RoundToTheTypeAsTheSlowFunctionDoes) {
  std::uint64_t bits = 1;
  for (int i = 0; i < 20000; ++i) {
    bits = bits * 6364136223846793005 + 1442695040888963407;
    const double value =
        std::ldexp(static_cast<double>(std::int64_t(bits)), -63 - int(bits % 40) + 20);
    for (const DType dtype : {LVSA_BF16, LVSA_F16, LVSA_F32}) {
      ASSERT_EQ(sparse::round_to_type(dtype, value), round_to_dtype(dtype, value)) << value;
      const double tie = (round_to_dtype(dtype, value) +
                          next_in_dtype(dtype, round_to_dtype(dtype, value), 1e30)) /
                         2;
      ASSERT_EQ(sparse::round_to_type(dtype, tie), round_to_dtype(dtype, tie)) << tie;
    }
  }
}

TEST(DynamicRules, SayThatTheyNeedTensorsAndRefuseToDoWithout) {
  const HeadSample s = sample();
  for (const std::string& words : kRules) {
    const auto rule = make_rule(words);
    EXPECT_TRUE(rule->needs_tensors()) << words;
    EXPECT_FALSE(rule->depends_on_head()) << words;
    EXPECT_FALSE(rule->depends_on_step()) << words;
    PatternInput input = s.input();
    input.q.data = nullptr;
    EXPECT_THROW(rule->make(input), Error) << words;
    input = s.input();
    input.k.shape[1] -= 1;
    EXPECT_THROW(rule->make(input), Error) << words;
    input = s.input();
    input.k.dtype = LVSA_F16;
    EXPECT_THROW(rule->make(input), Error) << words;
  }
}

TEST(DynamicRules, ReadOneHeadOfManyWhereverItLies) {
  const HeadSample s = sample();
  const std::size_t row = 8 * 2;
  Tensor many(LVSA_BF16, {1, 678, 3, 8}, Layout::kBSHD);
  for (std::size_t token = 0; token < 678; ++token) {
    for (std::size_t head = 0; head < 3; ++head) {
      const std::byte* from = head == 1 ? s.k_tensor.bytes() : s.v_tensor.bytes();
      std::copy_n(from + token * row, row, many.bytes() + (token * 3 + head) * row);
    }
  }
  PatternInput input = s.input();
  input.k = many.view();
  input.k.shape[2] = 1;
  input.k.data = many.bytes() + row;
  for (const std::string& words : kRules) {
    EXPECT_EQ(make_rule(words)->make(input), make_rule(words)->make(s.input())) << words;
  }
}

TEST(DynamicRules, GiveTheSamePatternToThreadsAtTheSameTime) {
  const HeadSample s = sample();
  for (const std::string& words : kRules) {
    const auto rule = make_rule(words);
    const auto make = [&] { return rule->make(s.input()); };
    auto other = std::async(std::launch::async, make);
    EXPECT_EQ(make(), other.get()) << words;
  }
}

TEST(DynamicRules, KeepNoLessWhenTheKnobIsTurnedTowardsDense) {
  const HeadSample s = sample();
  for (const std::string& words : kRules) {
    const DensityKnob& knob = rule_info(words.substr(0, words.find(' '))).knob;
    double last = 0.0;
    for (int i = 0; i <= 8; ++i) {
      const double value = knob.sparsest + (knob.densest - knob.sparsest) * i / 8;
      const auto rule = make_rule(fmt::format("{} {}={}", words, knob.parameter, value));
      const double density = token_density(rule->make(s.input()));
      EXPECT_GE(density, last) << words << ' ' << value;
      last = density;
    }
    // The published formula of svg takes text off twice.
    EXPECT_GT(last, words.find("causal") == std::string::npos ? 0.9 : 0.5) << words;
  }
}

TEST(DynamicRules, CountWhatPredictionCosts) {
  HeadSample s = sample();
  for (const std::string& words : kRules) {
    const auto rule = make_rule(words);
    const double flops = rule->prediction_flops(s.input());
    // Every element of q and k is looked at once at least, but by rules that sample.
    const bool samples = words.starts_with("svg") || words.starts_with("rainfusion ");
    EXPECT_GT(flops, samples ? 1000.0 : 2.0 * 678 * 8) << words;
    // Far below attention itself: 4 S^2 D.
    EXPECT_LT(flops, 4.0 * 678 * 678 * 8) << words;
  }
}

TEST(DynamicRules, HaveWordsThatComeBackTheSame) {
  EXPECT_EQ(canonical_rule_words("sparge block_k=64 topk=0.3"), "sparge topk=0.3");
  EXPECT_EQ(canonical_rule_words("sparge cdfthreshd=0.98"), "sparge cdfthreshd=0.98");
  EXPECT_EQ(canonical_rule_words("svg rows=64 profile=wan"), "svg profile=wan rows=64");
  EXPECT_EQ(canonical_rule_words("rainfusion sparsity=0.64"), "rainfusion");
}

}  // namespace
}  // namespace lvsa::sparse_test
