// Sliding tile attention against its rule said token by token.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/error.hpp"
#include "tests/sparse_static/sparse_case.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::sparse_test {
namespace {

using reference::SparseVideo;
using reference::TileWords;

RC_GTEST_PROP(SlidingTile, AttendsThePairsOfTheRestatement, ()) {
  const SparseVideo video = *any_video(9, 12);
  TileWords words;
  for (std::size_t a = 0; a < 3; ++a) {
    words.tile[a] = *rc::gen::inRange<std::int64_t>(1, 6);
    words.window[a] = *rc::gen::inRange<std::int64_t>(1, 7);
  }
  words.exact_even = *rc::gen::arbitrary<bool>();
  const std::string text = fmt::format(
      "sta tile={} window={} even={} ragged=tiles block_q={} block_k={}",
      fmt::join(words.tile, ","), fmt::join(words.window, ","), words.exact_even ? "exact" : "wide",
      *rc::gen::element(1, 16, 128), *rc::gen::element(1, 24, 64));
  RC_LOG() << describe(video) << ": " << text << std::endl;
  const HeadPattern pattern = pattern_of(text, video);
  RC_ASSERT(token_mask(pattern) == reference::sliding_tile_mask(video, words));
  const std::vector<std::int64_t> order = reference::tile_major_order(video, words);
  RC_ASSERT(std::equal(order.begin(), order.end(), pattern.order->tokens().begin(),
                       pattern.order->tokens().end()));
}

RC_GTEST_PROP(SlidingTile, ComesBackToTheTokensOwnOrder, ()) {
  const SparseVideo video = *any_video(9, 12);
  const HeadPattern pattern = pattern_of("sta tile=2,3,4 ragged=tiles", video);
  const Permutation inverse = pattern.order->inverse();
  for (std::int64_t i = 0; i < video.tokens(); ++i) {
    RC_ASSERT(pattern.order->token(inverse.token(i)) == i);
    RC_ASSERT(inverse.token(pattern.order->token(i)) == i);
  }
}

TEST(SlidingTile, NeedsNoMasksOnThePublishedSizes) {
  const HeadPattern pattern = pattern_of("sta window=3,3,3", {30, 48, 80, 256});
  EXPECT_TRUE(pattern.mask.entry.empty());
  // 300 tiles of 384 tokens: 27 tiles and the text for each.
  EXPECT_EQ(attended_pairs(pattern), std::int64_t{115200} * (27 * 384 + 256) + 256 * 115456);
}

TEST(SlidingTile, AttendsOneTileMoreForEvenWindowsAsFirstPublished) {
  const SparseVideo video{12, 4, 4, 0};
  const auto density = [&](const char* words) { return token_density(pattern_of(words, video)); };
  EXPECT_EQ(density("sta tile=1,4,4 window=2,1,1"), density("sta tile=1,4,4 window=3,1,1"));
  EXPECT_DOUBLE_EQ(density("sta tile=1,4,4 window=2,1,1 even=exact"), 2.0 / 12.0);
}

TEST(SlidingTile, TakesAWindowForEachHead) {
  PatternInput input = input_of({6, 8, 16, 0});
  const auto rule = make_rule("sta tile=2,4,4 window=1/3,1,1/3");
  EXPECT_TRUE(rule->depends_on_head());
  std::vector<double> densities;
  for (input.head = 0; input.head < 3; ++input.head) {
    densities.push_back(token_density(rule->make(input)));
  }
  EXPECT_DOUBLE_EQ(densities[0], 1.0 / 24.0);
  EXPECT_DOUBLE_EQ(densities[1], 3.0 / 24.0);
  EXPECT_DOUBLE_EQ(densities[2], 18.0 / 24.0);
  try {
    rule->make(input);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "sta: window: 3 windows, none for head 3");
  }
}

std::string refusal(const std::string& words, const PatternInput& input) {
  return test_support::refusal_of([&] { make_rule(words)->make(input); });
}

TEST(SlidingTile, RefusesSizesThatTilesDoNotDivide) {
  PatternInput input = input_of({21, 32, 48, 0});
  EXPECT_EQ(refusal("sta", input),
            "sta: frames 21 is no multiple of the tile's 6, as the published code requires; "
            "ragged=tiles makes smaller tiles at the end");
  EXPECT_EQ(refusal("sta ragged=tiles", input), "accepted");
  input.video.height = 0;
  EXPECT_EQ(refusal("sta ragged=tiles", input),
            "sta: height 0 x width 48 for 1536 tokens a frame: both sizes are due");
  EXPECT_EQ(refusal("sta tile=6,8", input),
            "sta: tile=6,8: three numbers are due: time,height,width");
  EXPECT_EQ(refusal("sta window=0", input), "sta: window=0: '0' is no integer of 1 .. 1024");
}

}  // namespace
}  // namespace lvsa::sparse_test
