#include "analysis/verify/case.hpp"

#include <gtest/gtest.h>

#include "analysis/verify/run_case.hpp"
#include "analysis/verify/suite.hpp"
#include "core/config/presets.hpp"
#include "core/error.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {
namespace {

constexpr const char* kLine =
    "model=wan-1.3b T=41 P=1560 H=1 Hkv=1 D=128 dtype=bf16 ref=21 step=2 input=gauss seed=7 "
    "rows=64";

std::string complaint(const std::string& line) {
  return test_support::refusal_of([&] { parse_case(line); });
}

TEST(CaseLine, IsPrintedBackAsItWasParsed) { EXPECT_EQ(to_line(parse_case(kLine)), kLine); }

TEST(CaseLine, KeepsEveryFieldThroughPrintingAndParsing) {
  Case c = parse_case(kLine);
  c.model = "a b%c";
  c.file = "dir with space/x.h5#case0";
  c.grid.text_tokens = 77;
  c.batch = 3;
  c.heads = 8;
  c.kv_heads = 2;
  c.p_dtype = LVSA_BF16;
  c.layout = Layout::kBHSD;
  c.version = Version::k1_2;
  c.window_frames = 0;
  c.n_first_frames = 0;
  c.sparsity_scale = 0.1;
  c.interval = 0;
  c.rotate = false;
  c.expand = false;
  c.condition_frames = {-1, 5};
  c.input = InputKind::kIndicator;
  c.sigma = 1.0 / 3.0;
  c.seed = UINT64_MAX;
  c.only_wanted = true;
  const Case back = parse_case(to_line(c));
  EXPECT_EQ(to_line(back), to_line(c));
  EXPECT_EQ(back.model, c.model);
  EXPECT_EQ(back.file, c.file);
  EXPECT_EQ(back.sparsity_scale, c.sparsity_scale);
  EXPECT_EQ(back.sigma, c.sigma);
  EXPECT_EQ(back.seed, c.seed);
  EXPECT_EQ(back.interval, c.interval);
  EXPECT_EQ(back.condition_frames, c.condition_frames);
}

TEST(CaseLine, TakesItsWordsInAnyOrder) {
  EXPECT_EQ(
      to_line(parse_case("rows=64 seed=7 input=gauss step=2 ref=21 dtype=bf16 D=128 Hkv=1 H=1 "
                         "P=1560   T=41\tmodel=wan-1.3b")),
      kLine);
}

TEST(CaseLine, NamesWhatIsWrong) {
  EXPECT_NE(complaint("T=1 P=1 D=64 colour=red").find("colour=red"), std::string::npos);
  EXPECT_NE(complaint("T=1 T=2 P=1 D=64").find("T=2"), std::string::npos);
  EXPECT_NE(complaint("T=0 P=1 D=64").find("T=0"), std::string::npos);
  EXPECT_NE(complaint("T=-3 P=1 D=64").find("T=-3"), std::string::npos);
  EXPECT_NE(complaint("T=1x P=1 D=64").find("T=1x"), std::string::npos);
  EXPECT_NE(complaint("P=1 D=64").find("T, P and D"), std::string::npos);
  EXPECT_NE(complaint("T=1 P=1 D=64 dtype=f64").find("f64"), std::string::npos);
  EXPECT_NE(complaint("T=1 P=1 D=64 H=3 Hkv=2").find("Hkv=2"), std::string::npos);
  EXPECT_NE(complaint("T=1 P=1 D=64 scale=nan").find("nan"), std::string::npos);
  EXPECT_NE(complaint("T=4000000000 P=4000000000 D=64").find("64 bits"), std::string::npos);
  EXPECT_NE(complaint("T=100000 P=100000 H=10000000 Hkv=1 D=128").find("64 bits"),
            std::string::npos);
  EXPECT_NE(complaint("T=1 P=1 D=64 model=%4").find("%4"), std::string::npos);
}

TEST(Suites, HoldCasesThatPrintAndParse) {
  for (const auto& cases : {small_cases(), model_cases(), all_model_cases()}) {
    ASSERT_FALSE(cases.empty());
    for (const Case& c : cases) EXPECT_EQ(to_line(parse_case(to_line(c))), to_line(c));
  }
}

TEST(Suites, TakeTheirModelSizesFromThePresets) {
  for (const Case& c : all_model_cases()) {
    const ModelPreset preset = find_preset(c.model);
    EXPECT_EQ(c.reference_frames, preset.reference_latent_frames) << c.model;
    EXPECT_EQ(c.head_dim, preset.head_dim) << c.model;
    EXPECT_EQ(c.heads / c.kv_heads, preset.heads / preset.kv_heads) << c.model;
  }
}

TEST(SampledRows, CoverAllFramesHeadsAndTextWithinTheSequence) {
  const Case c = parse_case(
      "T=21 P=100 text=30 B=2 H=4 Hkv=2 D=64 dtype=bf16 ref=9 step=1 input=gauss seed=3 rows=200");
  const auto rows = sample_rows(c);
  ASSERT_EQ(rows.size(), 200U);
  std::vector<int> frames(22, 0);
  std::vector<int> heads(4, 0);
  std::vector<int> batches(2, 0);
  for (const auto& row : rows) {
    ASSERT_GE(row.token, 0);
    ASSERT_LT(row.token, c.grid.seq_len());
    ++frames[static_cast<std::size_t>(std::min<std::int64_t>(row.token / 100, 21))];
    ++heads[static_cast<std::size_t>(row.head)];
    ++batches[static_cast<std::size_t>(row.batch)];
  }
  for (const int count : frames) EXPECT_GT(count, 0);
  for (const int count : heads) EXPECT_GT(count, 0);
  for (const int count : batches) EXPECT_GT(count, 0);
}

TEST(SampledRows, AreAllOfThemWhenAskedFor) {
  const Case c = parse_case(
      "T=3 P=5 text=2 B=2 H=2 Hkv=1 D=8 dtype=f32 ref=9 step=0 input=gauss seed=1 "
      "rows=0");
  EXPECT_EQ(sample_rows(c).size(), 17U * 2 * 2);
}

}  // namespace
}  // namespace lvsa::analysis
