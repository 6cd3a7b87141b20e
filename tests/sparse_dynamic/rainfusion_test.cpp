// RainFusion v1 and v2 against their restatements, and their rules one by one.

#include "reference/sparse/rainfusion.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "core/error.hpp"
#include "tests/sparse_dynamic/head_sample.hpp"

namespace lvsa::sparse_test {
namespace {

HeadPattern pattern_of(const std::string& words, const HeadSample& sample) {
  return make_rule(words)->make(sample.input());
}

std::int64_t any_text() {
  return *rc::gen::weightedOneOf<std::int64_t>({{2, rc::gen::just<std::int64_t>(0)},
                                                {3, rc::gen::inRange<std::int64_t>(1, 30)},
                                                {1, rc::gen::just<std::int64_t>(512)}});
}

HeadSample any_sample(std::int64_t most_frames, std::int64_t longest_side) {
  const auto video = video_of(*rc::gen::inRange<std::int64_t>(1, most_frames + 1),
                              *rc::gen::inRange<std::int64_t>(1, longest_side + 1),
                              *rc::gen::inRange<std::int64_t>(1, longest_side + 1), any_text());
  const DType dtype = *rc::gen::element(LVSA_BF16, LVSA_F16, LVSA_F32);
  return HeadSample(video, *rc::gen::element<std::int64_t>(1, 5, 8), dtype, *any_fill(),
                    *any_fill(), *rc::gen::arbitrary<std::uint32_t>());
}

RC_GTEST_PROP(RainFusion, IsTheRestatedOne, ()) {
  const HeadSample sample = any_sample(5, 6);
  reference::RainFusionRequest r;
  r.sparsity = *any_share();
  r.unit = *rc::gen::element<std::int64_t>(1, 4, 7, 128);
  r.local_recall = *rc::gen::element(0.95, 0.5, 1.0, 0.0);
  const std::string words = fmt::format(
      "rainfusion sparsity={} unit={} local_recall={} block_q={} block_k={}", r.sparsity, r.unit,
      r.local_recall, *rc::gen::element(1, 8, 16, 128), *rc::gen::element(1, 8, 12, 64));
  RC_LOG(words);
  assert_restated(pattern_of(words, sample), reference::rainfusion(sample.video_head(), r), sample);
}

RC_GTEST_PROP(RainFusion2, IsTheRestatedOne, ()) {
  const HeadSample sample = any_sample(4, 18);
  reference::RainFusion2Request r;
  r.sparsity = *any_share();
  r.block = *rc::gen::element<std::int64_t>(8, 16, 64, 128);
  r.dense_below = *rc::gen::element<std::int64_t>(0, 8, 32);
  r.first_frame = *rc::gen::weightedElement<bool>({{1, false}, {2, true}});
  const std::string words =
      fmt::format("rainfusion2 sparsity={} block={} dense_below={} first_frame={:d}", r.sparsity,
                  r.block, r.dense_below, r.first_frame);
  RC_LOG(words);
  assert_restated(pattern_of(words, sample), reference::rainfusion2(sample.video_head(), r),
                  sample);
}

// A head whose tokens look around themselves in space (or, `in_time`, at their own place).
HeadSample head_of_class(bool in_time) {
  HeadSample sample(video_of(5, 12, 16, 20), 16, LVSA_F32, Fill::kNoise, Fill::kNoise, 3);
  const Rows places = make_rows(192, 16, LVSA_F32, Fill::kNoise, 4);
  for (std::int64_t s = 0; s < 960; ++s) {
    // In space: neighbours of a frame share a direction. In time: all frames of a place do.
    const std::int64_t direction = in_time ? s % 192 : s / 24;
    for (std::size_t d = 0; d < 16; ++d) {
      const double x = 4.0 * places[std::size_t(direction)][d];
      encode(LVSA_F32, x, sample.q_tensor.bytes() + (std::size_t(s) * 16 + d) * 4);
      encode(LVSA_F32, x, sample.k_tensor.bytes() + (std::size_t(s) * 16 + d) * 4);
    }
  }
  return sample;
}

TEST(RainFusion, TellsTheClassesApart) {
  EXPECT_EQ(pattern_of("rainfusion", head_of_class(false)).choice, "local");
  EXPECT_EQ(
      pattern_of("rainfusion sparsity=0.9 local_recall=1",
                 HeadSample(video_of(2, 8, 8, 0), 8, LVSA_F32, Fill::kConstant, Fill::kConstant, 1))
          .choice,
      "global");  // equal recalls
}

TEST(RainFusion, RollsTheFirstFrameToTheEndAndKeepsItDense) {
  const HeadSample sample(video_of(3, 2, 3, 4), 8, LVSA_BF16, Fill::kConstant, Fill::kConstant, 1);
  const HeadPattern p = pattern_of("rainfusion unit=1", sample);
  EXPECT_EQ(p.choice, "global");
  const std::vector<std::int32_t> due = {6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
                                         17, 18, 19, 20, 21, 0,  1,  2,  3,  4,  5};
  EXPECT_EQ(p.order->tokens(), due);
  const auto pairs = attended(p);
  // round(1 - sqrt(0.64), 2) = 0.2; 0.2 * 12 places, rounded down: 2 to each side.
  EXPECT_TRUE(pairs[9][11]);
  EXPECT_FALSE(pairs[9][12]);
  for (std::size_t s = 0; s < 22; ++s) {
    for (const std::size_t dense : {0U, 5U, 18U, 21U}) {
      EXPECT_TRUE(pairs[s][dense]);
      EXPECT_TRUE(pairs[dense][s]);
    }
  }
}

TEST(RainFusion, HasHalfWidthsInWholeUnitsOfTheRoundedShare) {
  // 3 frames behind the first, 400 tokens each, a 0.64: 0.2 * 1200 = 240 and so 128 to each side
  // (global); 0.2 * 400 = 80, less than a unit, and so 0 (local).
  const HeadSample same(video_of(4, 20, 20, 0), 4, LVSA_F32, Fill::kConstant, Fill::kConstant, 1);
  const HeadPattern global = pattern_of("rainfusion", same);
  EXPECT_EQ(global.choice, "global");
  EXPECT_EQ(visible_tokens(global, 1000),
            (std::vector<KeyRange>{{0, 400}, {1000 - 128, 1000 + 129}}));
  const HeadPattern local = pattern_of("rainfusion local_recall=0", same);
  EXPECT_EQ(local.choice, "local");
  EXPECT_EQ(visible_tokens(local, 1000), (std::vector<KeyRange>{{0, 400}, {1000, 1001}}));
}

TEST(RainFusion, RoundsTheWidthAsPythonDoes) {
  // 1 - sqrt(a) is 0.125, 0.375 and 0.625 exactly: ties go to the even digit.
  const HeadSample same(video_of(2, 10, 20, 0), 1, LVSA_F32, Fill::kConstant, Fill::kConstant, 1);
  for (const auto& [sparsity, half] :
       {std::pair{0.765625, 24}, {0.390625, 76}, {0.140625, 124}, {0.64, 40}, {0.01, 180}}) {
    const HeadPattern p =
        pattern_of(fmt::format("rainfusion unit=1 local_recall=1 sparsity={}", sparsity), same);
    // Places of the second frame, which comes first; the last of them sees as far back as it may.
    EXPECT_EQ(visible_tokens(p, 399).back().first, std::max(399 - half, 0)) << sparsity;
  }
}

TEST(RainFusion, IsDenseForOneFrameAndOnRequestAtFullSparsity) {
  const HeadSample one(video_of(1, 8, 8, 3), 8, LVSA_BF16, Fill::kNoise, Fill::kNoise, 1);
  EXPECT_EQ(token_density(pattern_of("rainfusion", one)), 1.0);
  const HeadSample two(video_of(2, 8, 8, 0), 8, LVSA_BF16, Fill::kNoise, Fill::kNoise, 1);
  EXPECT_LT(token_density(pattern_of("rainfusion sparsity=1", two)), 0.8);
  EXPECT_EQ(token_density(pattern_of("rainfusion sparsity=1 dense_at_one=1", two)), 1.0);
}

TEST(RainFusion2, TilesEveryFrameButTheFirstOfRaggedOnes) {
  const HeadSample even(video_of(2, 8, 16, 0), 4, LVSA_BF16, Fill::kNoise, Fill::kNoise, 1);
  const HeadPattern p = pattern_of("rainfusion2 dense_below=0", even);
  EXPECT_EQ(p.order->token(8), 16);  // the tile's second row
  EXPECT_EQ(p.order->token(64), 8);  // the second tile
  EXPECT_EQ(p.order->token(192), 136);
  const HeadSample ragged(video_of(2, 9, 17, 0), 4, LVSA_BF16, Fill::kNoise, Fill::kNoise, 1);
  const HeadPattern r = pattern_of("rainfusion2 dense_below=0", ragged);
  EXPECT_EQ(r.order->token(17), 17);
  EXPECT_EQ(r.order->token(153 + 8), 153 + 17);
  EXPECT_EQ(r.order->token(153 + 128), 153 + 8 * 17);   // the bottom row
  EXPECT_EQ(r.order->token(153 + 128 + 17), 153 + 16);  // the right column
  EXPECT_EQ(r.order->token(153 + 128 + 17 + 7), 153 + 7 * 17 + 16);
}

TEST(RainFusion2, KeepsTheShareRoundedUpBesideFirstFrameAndText) {
  const HeadSample sample(video_of(33, 8, 16, 130), 8, LVSA_F32, Fill::kNoise, Fill::kNoise, 1);
  const HeadPattern p = pattern_of("rainfusion2 first_frame=0", sample);
  EXPECT_EQ(p.map.columns.blocks(), 35);  // 33 of video, 128 and 2 tokens of text
  EXPECT_EQ(p.map.columns.size(34), 2);
  for (std::int64_t r = 0; r < 33; ++r) {
    const auto row = p.map.row(r);
    EXPECT_GE(row.size(), 7u);  // ceil(35 * 0.2), blocks of text among them or not
    EXPECT_LE(row.size(), 9u);
    EXPECT_EQ(row[row.size() - 1], 34);
    EXPECT_EQ(row[row.size() - 2], 33);
  }
  EXPECT_EQ(p.map.row(33).size(), 35u);
  const HeadPattern with = pattern_of("rainfusion2", sample);
  EXPECT_EQ(with.map.row(0).size(), 35u);
  for (std::int64_t r = 0; r < 35; ++r) EXPECT_EQ(with.map.row(r)[0], 0);
}

TEST(RainFusion2, KeepsTies) {
  const HeadSample same(video_of(32, 8, 16, 0), 8, LVSA_BF16, Fill::kConstant, Fill::kConstant, 1);
  EXPECT_EQ(block_density(pattern_of("rainfusion2 sparsity=0.9", same).map), 1.0);
}

TEST(RainFusion2, IsDenseBelowThirtyTwoBlocksOfVideo) {
  const HeadSample below(video_of(31, 8, 16, 300), 8, LVSA_F32, Fill::kNoise, Fill::kNoise, 1);
  EXPECT_EQ(pattern_of("rainfusion2", below).choice, "dense");
  const HeadSample enough(video_of(32, 8, 16, 0), 8, LVSA_F32, Fill::kNoise, Fill::kNoise, 1);
  EXPECT_EQ(pattern_of("rainfusion2", enough).choice, "");
}

TEST(RainFusion, RefusesWhatIsOutOfRange) {
  EXPECT_THROW(make_rule("rainfusion sparsity=1.1"), Error);
  EXPECT_THROW(make_rule("rainfusion2 sparsity=-0.1"), Error);
  HeadSample sample(video_of(2, 8, 8, 0), 8, LVSA_BF16, Fill::kNoise, Fill::kNoise, 1);
  sample.video.height = 7;
  EXPECT_THROW(pattern_of("rainfusion2", sample), Error);
  PatternInput input = sample.input();
  input.k.data = nullptr;
  EXPECT_THROW(make_rule("rainfusion")->make(input), Error);
}

}  // namespace
}  // namespace lvsa::sparse_test
