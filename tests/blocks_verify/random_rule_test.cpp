// The rule that draws maps: everything that it is asked for is there.

#include <gtest/gtest.h>

#include <string>

#include "core/blocks/head_pattern.hpp"
#include "core/blocks/pattern_rule.hpp"
#include "core/error.hpp"

namespace lvsa {
namespace {

HeadPattern drawn(const std::string& words, std::int64_t head = 0,
                  FrameGrid grid = FrameGrid{5, 77, 13}) {
  PatternInput input;
  input.video.grid = grid;
  input.head = head;
  input.heads = 4;
  HeadPattern made = make_rule("random " + words)->make(input);
  check_head_pattern(made, "drawn");
  return made;
}

TEST(RandomRule, KeepsAboutTheShareThatIsAsked) {
  EXPECT_EQ(block_density(drawn("density=1").map), 1.0);
  EXPECT_EQ(drawn("density=0").map.kept(), 0);
  const FrameGrid many{40, 256, 0};
  // 80 x 160 draws: the share is off by 0.005 in one of four cases, by 0.02 in none.
  EXPECT_NEAR(block_density(drawn("density=0.3", 0, many).map), 0.3, 0.02);
}

TEST(RandomRule, LeavesQueryBlocksWithoutKeys) {
  const BlockMap map = drawn("density=1 empty=0.5 block_q=16").map;
  std::int64_t empty = 0;
  for (std::int64_t r = 0; r < map.rows.blocks(); ++r) {
    const auto kept = static_cast<std::int64_t>(map.row(r).size());
    EXPECT_TRUE(kept == 0 || kept == map.columns.blocks());
    empty += kept == 0 ? 1 : 0;
  }
  EXPECT_GT(empty, 0);
  EXPECT_LT(empty, map.rows.blocks());
}

TEST(RandomRule, MasksBlocksSoThatEachKeepsAPairAndLosesSome) {
  const HeadPattern pattern = drawn("density=0.8 masks=0.6 block_q=32 block_k=48");
  ASSERT_GT(pattern.mask.masks(), 3);
  EXPECT_LT(token_density(pattern), 0.98 * block_density(pattern.map));
}

TEST(RandomRule, GivesEachHeadItsOwnMapAndOrderUnlessTold) {
  EXPECT_NE(drawn("order=1", 0), drawn("order=1", 1));
  EXPECT_NE(drawn("order=1", 0).order->tokens(), drawn("order=1", 1).order->tokens());
  EXPECT_FALSE(drawn("order=1").order->is_identity());
  EXPECT_EQ(drawn("order=1 per_head=0 masks=0.5", 0), drawn("order=1 per_head=0 masks=0.5", 1));
  EXPECT_EQ(drawn("masks=0.5 seed=9", 2), drawn("masks=0.5 seed=9", 2));
}

TEST(RandomRule, EndsBlocksWhereFramesEnd) {
  const BlockAxis axis = drawn("segments=frames block_k=50").map.columns;
  for (std::int64_t f = 0; f <= 5; ++f) EXPECT_EQ(axis.begin(axis.block_of(f * 77)), f * 77);
  EXPECT_EQ(axis.tokens(), 5 * 77 + 13);
  const BlockAxis text = drawn("segments=text").map.columns;
  EXPECT_EQ(text.begin(text.block_of(5 * 77)), 5 * 77);
}

TEST(RandomRule, HasASkipBelowFiftyOnly) {
  EXPECT_FALSE(drawn("").skip.has_value());
  EXPECT_EQ(drawn("skip=3").skip->threshold_log2, 3.0);
  EXPECT_THROW(make_rule("random skip=51"), Error);
  EXPECT_EQ(drawn("skip=3,4", 1).skip->threshold_log2, 4.0);
  EXPECT_THROW(make_rule("random density=1.5"), Error);
  EXPECT_THROW(make_rule("random block_q=0"), Error);
}

}  // namespace
}  // namespace lvsa
