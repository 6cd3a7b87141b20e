// Radial attention against its rule said token by token and block by block.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/error.hpp"
#include "tests/sparse_static/sparse_case.hpp"

namespace lvsa::sparse_test {
namespace {

using reference::RadialWords;
using reference::SparseVideo;
using reference::TokenMask;

struct Drawn {
  RadialWords words;
  std::string text;
};

Drawn any_words() {
  Drawn drawn;
  drawn.words.decay = *rc::gen::element(0.0, 0.2, 0.5, 0.95, 1.0, 3.0);
  drawn.words.sink = *rc::gen::arbitrary<bool>();
  drawn.text = fmt::format("radial decay={} model={}", drawn.words.decay,
                           drawn.words.sink ? "wan" : "hunyuan");
  return drawn;
}

// Frames of one token up to several blocks.
SparseVideo any_radial_video() {
  SparseVideo video = *any_video(5, 18);
  switch (*rc::gen::inRange(0, 4)) {
    case 0:
      video.frames = *rc::gen::inRange<std::int64_t>(1, 70);
      video.height = *rc::gen::inRange<std::int64_t>(1, 6);
      video.width = *rc::gen::inRange<std::int64_t>(1, 5);
      break;
    case 1:
      video.height = 16;
      video.width = 16;
      break;
    default:
      break;
  }
  if (video.tokens() > 900) video.text = 0;
  return video;
}

// Kept blocks of 128 of a map whose blocks divide them.
TokenMask block_mask(const HeadPattern& pattern, std::int64_t block) {
  const std::int64_t blocks = (pattern.map.rows.tokens() + block - 1) / block;
  const auto size = static_cast<std::size_t>(blocks);
  TokenMask mask(size, std::vector<std::uint8_t>(size, 0));
  for (std::int64_t r = 0; r < pattern.map.rows.blocks(); ++r) {
    for (const std::int32_t c : pattern.map.row(r)) {
      mask[static_cast<std::size_t>(pattern.map.rows.begin(r) / block)]
          [static_cast<std::size_t>(pattern.map.columns.begin(c) / block)] = 1;
    }
  }
  return mask;
}

RC_GTEST_PROP(RadialRule, AttendsThePairsOfTheTokenRule, ()) {
  const SparseVideo video = any_radial_video();
  const Drawn drawn = any_words();
  RC_LOG() << describe(video) << ": " << drawn.text << std::endl;
  RC_ASSERT(token_mask(pattern_of(drawn.text + " mask=tokens", video)) ==
            reference::radial_token_mask(video, drawn.words));
}

RC_GTEST_PROP(RadialRule, KeepsTheBlocksThatPairsOfFramesKeep, ()) {
  const SparseVideo video = any_radial_video();
  const Drawn drawn = any_words();
  RC_LOG() << describe(video) << ": " << drawn.text << std::endl;
  const HeadPattern pattern = pattern_of(drawn.text, video);
  RC_ASSERT(block_mask(pattern, 128) == reference::radial_block_mask(video, drawn.words));
}

RC_GTEST_PROP(RadialRule, KeepsTheBlocksOfTheWholeMask, ()) {
  const SparseVideo video = any_radial_video();
  const Drawn drawn = any_words();
  RC_LOG() << describe(video) << ": " << drawn.text << std::endl;
  const HeadPattern pattern = pattern_of(drawn.text + " cut=whole", video);
  RC_ASSERT(block_mask(pattern, 128) == reference::radial_whole_block_mask(video, drawn.words));
}

TEST(RadialRule, AgreesOnLongVideosWithSmallSteps) {
  // Frames of 200 tokens: B = 256, so that from distance 2 on (g = 2, u = 64) every other one goes.
  const SparseVideo video{12, 10, 20, 0};
  for (const bool sink : {false, true}) {
    const HeadPattern pattern =
        pattern_of(fmt::format("radial model={}", sink ? "wan" : "hunyuan"), video);
    EXPECT_EQ(block_mask(pattern, 128), reference::radial_block_mask(video, {1.0, sink}));
  }
}

TEST(RadialRule, SplitsItsBlocksForKernelsWithSmallerOnes) {
  const SparseVideo video{5, 15, 26, 30};
  const HeadPattern wide = pattern_of("radial block_q=128 block_k=128", video);
  const HeadPattern narrow = pattern_of("radial block_q=64 block_k=32", video);
  for (std::int64_t token : {0, 100, 700, 1500, 1970}) {
    EXPECT_EQ(visible_tokens(wide, token), visible_tokens(narrow, token)) << token;
  }
  EXPECT_TRUE(wide.mask.entry.empty());
}

TEST(RadialRule, IsDenseInItsFirstLayersAndSteps) {
  PatternInput input = input_of({5, 15, 26, 0});
  const auto rule = make_rule("radial dense_layers=1 dense_steps=2");
  input.layer = 1;
  input.step = 1;
  EXPECT_EQ(token_density(rule->make(input)), 1.0);
  input.step = 2;
  EXPECT_LT(token_density(rule->make(input)), 1.0);
  input.layer = 0;
  EXPECT_EQ(token_density(rule->make(input)), 1.0);
  EXPECT_EQ(rule->make(input).choice, "dense");
}

TEST(RadialRule, RefusesBlocksThatDoNotDivideItsOwn) {
  EXPECT_THROW(make_rule("radial block_q=96"), Error);
  EXPECT_THROW(make_rule("radial block_k=256"), Error);
  EXPECT_NO_THROW(make_rule("radial block_q=96 mask=tokens"));
  EXPECT_THROW(make_rule("radial mask=tokens cut=whole"), Error);
  EXPECT_THROW(make_rule("radial decay=-1"), Error);
  EXPECT_THROW(make_rule("radial model=other"), Error);
}

}  // namespace
}  // namespace lvsa::sparse_test
