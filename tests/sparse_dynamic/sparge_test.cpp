// SpargeAttn against its restatement, and its rules one by one.

#include "reference/sparse/sparge.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "core/error.hpp"
#include "tests/sparse_dynamic/head_sample.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::sparse_test {
namespace {

HeadPattern pattern_of(const std::string& words, const HeadSample& sample, std::int64_t head = 0) {
  HeadPattern pattern = make_rule(words)->make(sample.input(head));
  check_head_pattern(pattern, words);
  return pattern;
}

HeadSample sample_of(std::int64_t tokens, std::int64_t dim, Fill fill, DType dtype = LVSA_BF16) {
  return HeadSample({make_frame_grid(1, tokens, 0)}, dim, dtype, fill, fill, 7);
}

// A request, and the words that mean the same.
struct Case {
  HeadSample sample;
  reference::SpargeRequest request;
  std::string words;
};

Case any_case() {
  const DType dtype = *rc::gen::element(LVSA_BF16, LVSA_F16, LVSA_F32);
  const std::int64_t frames = *rc::gen::inRange<std::int64_t>(1, 4);
  const std::int64_t patches = *rc::gen::inRange<std::int64_t>(1, 60);
  const std::int64_t text =
      *rc::gen::weightedOneOf<std::int64_t>({{2, rc::gen::just<std::int64_t>(0)},
                                             {2, rc::gen::inRange<std::int64_t>(1, 80)},
                                             {1, rc::gen::just<std::int64_t>(512)}});
  const std::int64_t dim = *rc::gen::element<std::int64_t>(1, 3, 8, 19);
  HeadSample sample({make_frame_grid(frames, patches, text)}, dim, dtype, *any_fill(), *any_fill(),
                    *rc::gen::arbitrary<std::uint32_t>());
  reference::SpargeRequest r;
  r.dtype = dtype;
  r.q = sample.q;
  r.k = sample.k;
  r.block_q = *rc::gen::element<std::int64_t>(1, 4, 8, 16, 128);
  r.block_k = *rc::gen::element<std::int64_t>(1, 4, 8, 12, 64);
  const double share = *any_share();
  const bool cdf = *rc::gen::arbitrary<bool>();
  (cdf ? r.cdfthreshd : r.topk) = share;
  r.simthreshd1 = *rc::gen::element(-1.0, -0.1, 0.0, 0.3, 0.6, 0.9, 1.0);
  r.causal = *rc::gen::weightedElement<bool>({{3, false}, {1, true}});
  r.attention_sink = *rc::gen::arbitrary<bool>();
  r.smooth_k = *rc::gen::weightedElement<bool>({{1, false}, {3, true}});
  r.partial_kept = *rc::gen::arbitrary<bool>();
  r.round_p = *rc::gen::weightedElement<bool>({{3, false}, {1, true}});
  const std::string words = fmt::format(
      "sparge strict=0 {}={} simthreshd1={} causal={:d} attention_sink={:d} smooth_k={:d} "
      "partial_kept={:d} round_p={:d} block_q={} block_k={}",
      cdf ? "cdfthreshd" : "topk", share, r.simthreshd1, r.causal, r.attention_sink, r.smooth_k,
      r.partial_kept, r.round_p, r.block_q, r.block_k);
  return {std::move(sample), std::move(r), words};
}

RC_GTEST_PROP(Sparge, IsTheRestatedOne, ()) {
  const Case c = any_case();
  const HeadPattern pattern = pattern_of(c.words, c.sample);
  const auto due = reference::sparge_map(c.request);
  RC_LOG(c.words);
  RC_ASSERT(blocks_of(pattern.map) == due);
  const auto pairs = attended(pattern);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    for (std::size_t j = 0; j < pairs.size(); ++j) {
      const bool block =
          due[i / std::size_t(c.request.block_q)][j / std::size_t(c.request.block_k)];
      RC_ASSERT(pairs[i][j] == (block && (!c.request.causal || j <= i)));
    }
  }
}

TEST(Sparge, IsTheRestatedOneAtThePublishedBlockSizes) {
  for (const std::int64_t dim : {64, 128}) {
    const HeadSample sample = sample_of(700, dim, Fill::kBlobs);
    reference::SpargeRequest r;
    r.q = sample.q;
    r.k = sample.k;
    r.topk = 0.4;
    EXPECT_EQ(blocks_of(pattern_of("sparge topk=0.4", sample).map), reference::sparge_map(r));
    r.block_q = 64;
    r.block_k = 128;
    r.topk.reset();
    r.cdfthreshd = 0.98;
    r.simthreshd1 = 0.6;
    EXPECT_EQ(blocks_of(pattern_of("sparge cdfthreshd=0.98 block_q=64 block_k=128", sample).map),
              reference::sparge_map(r));
  }
}

TEST(Sparge, KeepsTheTruncatedShareOfTheBlocksInEachRow) {
  const HeadSample sample = sample_of(4096, 64, Fill::kNoise);  // 64 key blocks, none partial
  for (const auto& [share, due] : {std::pair{0.5, 32}, {0.3, 19}, {0.2, 12}, {0.0, 1}, {1.0, 64}}) {
    const BlockMap map =
        pattern_of(fmt::format("sparge topk={} simthreshd1=-1", share), sample).map;
    for (std::int64_t r = 0; r < map.rows.blocks(); ++r) {
      EXPECT_EQ(map.row(r).size(), static_cast<std::size_t>(due)) << share;
    }
  }
}

TEST(Sparge, KeepsTheNominalShareUpToOneBlockWhereTheLastIsPartial) {
  const HeadSample sample = sample_of(3300, 64, Fill::kBlobs);  // 52 key blocks, 36 in the last
  for (const double share : {0.7, 0.5, 0.3, 0.2}) {
    const BlockMap map = pattern_of(fmt::format("sparge topk={}", share), sample).map;
    for (std::int64_t r = 0; r + 1 < map.rows.blocks(); ++r) {
      EXPECT_NEAR(static_cast<double>(map.row(r).size()), share * 52.0, 1.0) << r;
    }
    EXPECT_EQ(map.row(map.rows.blocks() - 1).size(), 52u);  // the last row is partial too
  }
}

TEST(Sparge, GivesTiesToTheLowerIndex) {
  // Equal q and k: all scores are equal. Without centring no row is 0, so that nothing is flagged.
  const HeadSample sample = sample_of(512, 64, Fill::kConstant);
  const BlockMap map = pattern_of("sparge topk=0.5 smooth_k=0", sample).map;
  for (std::int64_t r = 0; r < map.rows.blocks(); ++r) {
    EXPECT_EQ(std::vector<std::int32_t>(map.row(r).begin(), map.row(r).end()),
              (std::vector<std::int32_t>{0, 1, 2, 3}));
  }
}

TEST(Sparge, KeepsEverythingOfEqualKeysSinceTheirCentredRowsAreZero) {
  const HeadSample sample = sample_of(512, 64, Fill::kConstant);
  EXPECT_EQ(block_density(pattern_of("sparge topk=0.1", sample).map), 1.0);
}

TEST(Sparge, DoesNotTakeTheBlockThatCrossesTheThreshold) {
  // Eight equal probabilities of 1/8: cdf is 1/8, 2/8, ... exactly.
  const HeadSample sample = sample_of(512, 64, Fill::kConstant);
  const auto kept = [&](const char* threshold) {
    return pattern_of(fmt::format("sparge cdfthreshd={} smooth_k=0", threshold), sample)
        .map.row(0)
        .size();
  };
  EXPECT_EQ(kept("0"), 1u);
  EXPECT_EQ(kept("0.49"), 3u);
  EXPECT_EQ(kept("0.5"), 4u);
  EXPECT_EQ(kept("0.51"), 4u);
  EXPECT_EQ(kept("1"), 8u);
}

TEST(Sparge, KeepsAPartialLastBlockUnlessTold) {
  const HeadSample sample = sample_of(512 + 40, 64, Fill::kBlobs);
  const auto published = blocks_of(pattern_of("sparge topk=0.1 simthreshd1=-1", sample).map);
  for (const auto& row : published) EXPECT_TRUE(row.back());
  for (const bool kept : published.back()) EXPECT_TRUE(kept);
  const auto judged =
      blocks_of(pattern_of("sparge topk=0.1 simthreshd1=-1 partial_kept=0", sample).map);
  for (const auto& row : judged) EXPECT_EQ(std::count(row.begin(), row.end(), true), 1);
}

TEST(Sparge, KeepsAllWhereNoBlockIsAlike) {
  const HeadSample sample = sample_of(1024, 64, Fill::kNoise);
  EXPECT_EQ(block_density(pattern_of("sparge topk=0.1 simthreshd1=1", sample).map), 1.0);
}

TEST(Sparge, HasNumbersOfItsOwnForEachHead) {
  const HeadSample sample = sample_of(1024, 64, Fill::kNoise);
  const std::string words = "sparge topk=0.25,0.5 simthreshd1=-1 pvthreshd=50,12";
  EXPECT_TRUE(make_rule(words)->depends_on_head());
  const HeadPattern first = pattern_of(words, sample, 0);
  const HeadPattern second = pattern_of(words, sample, 1);
  EXPECT_EQ(first.map.row(0).size(), 4u);
  EXPECT_EQ(second.map.row(0).size(), 8u);
  EXPECT_EQ(first.skip, std::nullopt);
  EXPECT_EQ(second.skip, SkipRule{12.0});
  EXPECT_THROW(pattern_of(words, sample, 2), Error);
}

TEST(Sparge, HasTheDefaultsOfBothInterfaces) {
  const HeadSample sample = sample_of(1024, 64, Fill::kBlobs);
  EXPECT_EQ(pattern_of("sparge", sample), pattern_of("sparge topk=0.5 simthreshd1=-0.1", sample));
  EXPECT_EQ(pattern_of("sparge cdfthreshd=0.98", sample),
            pattern_of("sparge cdfthreshd=0.98 simthreshd1=0.6", sample));
}

// Message of what a line of words is refused with.
std::string refusal(const std::string& words, const HeadSample* sample = nullptr) {
  return test_support::refusal_of([&] {
    const auto rule = make_rule(words);
    if (sample != nullptr) rule->make(sample->input());
  });
}

TEST(Sparge, RefusesBothRulesAndValuesOutOfRange) {
  EXPECT_NE(refusal("sparge topk=0.5 cdfthreshd=0.9").find("one rule of the two"),
            std::string::npos);
  EXPECT_NE(refusal("sparge topk=1.5").find("topk=1.5"), std::string::npos);
  EXPECT_NE(refusal("sparge topk=-0.1").find("topk=-0.1"), std::string::npos);
  EXPECT_NE(refusal("sparge cdfthreshd=nan").find("cdfthreshd=nan"), std::string::npos);
  EXPECT_NE(refusal("sparge simthreshd1=2").find("simthreshd1=2"), std::string::npos);
  EXPECT_NE(refusal("sparge pvthreshd=-1").find("pvthreshd=-1"), std::string::npos);
  EXPECT_NE(refusal("sparge block_q=32").find("32 x 64"), std::string::npos);
}

TEST(Sparge, RefusesWhatThePublishedCodeDoesNotTake) {
  const HeadSample narrow = sample_of(256, 32, Fill::kNoise);
  EXPECT_NE(refusal("sparge", &narrow).find("head size 32"), std::string::npos);
  EXPECT_EQ(refusal("sparge strict=0", &narrow), "accepted");
  const HeadSample small = sample_of(127, 64, Fill::kNoise);
  EXPECT_NE(refusal("sparge", &small).find("127 tokens"), std::string::npos);
}

TEST(Sparge, RefusesNumbersThatAreNotFinite) {
  HeadSample sample = sample_of(256, 64, Fill::kNoise);
  encode(LVSA_BF16, std::numeric_limits<double>::quiet_NaN(), sample.k_tensor.bytes());
  EXPECT_NE(refusal("sparge", &sample).find("not finite"), std::string::npos);
}

}  // namespace
}  // namespace lvsa::sparse_test
