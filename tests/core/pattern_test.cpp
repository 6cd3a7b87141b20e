// Values worked out by hand from the published rules.
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "core/pattern/frame_pattern.hpp"
#include "core/pattern/global_frames.hpp"
#include "core/pattern/index_structures.hpp"
#include "core/pattern/keyframe_interval.hpp"
#include "core/pattern/mask_text.hpp"
#include "core/pattern/schedule.hpp"

namespace lvsa {
namespace {

using Frames = std::vector<std::int32_t>;

TEST(KeyframeInterval, IsOneWithinTheBudget) {
  EXPECT_EQ(keyframe_interval({.frames = 21}), 1);
  EXPECT_TRUE(keyframe_interval_terms({.frames = 21}).dense);
}

TEST(KeyframeInterval, TakesTheLargerOfTheTwoRules) {
  // T = 41, W = 3, n_first = 1: budget 21, target 21 - 7 = 14; k = 3 gives 14 frames, k = 4 eleven.
  // Mandatory 7, spare 14: ceil(34 / 14) = 3.
  const IntervalTerms terms = keyframe_interval_terms({.frames = 41});
  EXPECT_EQ(terms.budget, 21);
  EXPECT_EQ(terms.target, 14);
  EXPECT_EQ(terms.strict, 3);
  EXPECT_EQ(terms.fallback, 3);
  // Budget 9 and W = 4: the target is n_first, so the strict rule gives T; nothing is spare.
  const IntervalTerms tight = keyframe_interval_terms(
      {.frames = 41, .window_frames = 4, .n_first_frames = 1, .reference_frames = 9});
  EXPECT_EQ(tight.strict, 41);
  EXPECT_EQ(tight.fallback, 32);
  EXPECT_EQ(tight.interval, 41);
}

TEST(KeyframeInterval, RefusesAScaleThatIsNoNumber) {
  EXPECT_THROW(keyframe_interval({.frames = 41, .sparsity_scale = NAN}), Error);
  EXPECT_THROW(keyframe_interval({.frames = 41, .sparsity_scale = INFINITY}), Error);
  EXPECT_EQ(keyframe_interval({.frames = 41, .sparsity_scale = 1e300}), 1);
}

TEST(GlobalFrames, WrapTheRotatedGridModuloT) {
  EXPECT_EQ(global_frames(10, 1, 4, 0), (Frames{0, 4, 8}));
  EXPECT_EQ(global_frames(10, 1, 4, 3), (Frames{0, 1, 3, 7}));
  EXPECT_EQ(global_frames(10, 2, std::nullopt, 3), (Frames{0, 1}));
  EXPECT_EQ(global_frames(10, 20, 0, 0).size(), 10U);
  EXPECT_EQ(global_frames(3, 0, 2, -1), (Frames{1, 2}));  // offset 2: 2 and 4 mod 3
}

TEST(GlobalFrames, GuardTheBordersBetweenRanks) {
  EXPECT_EQ(boundary_guard_frames(10, 20, 8, 4, 1), (Frames{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(boundary_guard_frames(10, 40, 8, 2, 0), (Frames{5}));
  EXPECT_TRUE(boundary_guard_frames(10, 80, 8, 1, 3).empty());
}

TEST(Window, IsShiftedAtTheEndsNotClipped) {
  EXPECT_EQ(adaptive_window(0, 2, 10), (FrameRange{0, 4}));
  EXPECT_EQ(adaptive_window(5, 2, 10), (FrameRange{3, 7}));
  EXPECT_EQ(adaptive_window(9, 2, 10), (FrameRange{5, 9}));
  EXPECT_TRUE(adaptive_window(4, 0, 10).empty());
}

TEST(Window, WidensLeftFirstUntilItHoldsEnoughOtherFrames) {
  const Frames globals = {4, 5};
  const WindowRule rule(12, 1, true, globals);
  // Frame 4: 3 .. 5 holds one frame outside G and wants three: left to 2, right to 6.
  EXPECT_EQ(rule(4), (FrameRange{2, 6}));
  EXPECT_EQ(rule(8), (FrameRange{7, 9}));
  EXPECT_EQ(WindowRule(12, 1, false, globals)(4), (FrameRange{3, 5}));
}

TEST(FramePattern, JoinsGlobalsAndWindowOnce) {
  const FramePattern pattern = build_frame_pattern({.frames = 10,
                                                    .window_frames = 1,
                                                    .n_first_frames = 1,
                                                    .interval = 4,
                                                    .expand_window = false});
  EXPECT_EQ(Frames(pattern.row(5).begin(), pattern.row(5).end()), (Frames{0, 4, 5, 6, 8}));
  EXPECT_EQ(Frames(pattern.row(0).begin(), pattern.row(0).end()), (Frames{0, 1, 2, 4, 8}));
}

TEST(FramePattern, RefusesSizesOutsideTheirRange) {
  EXPECT_THROW(build_frame_pattern({.frames = 0}), Error);
  EXPECT_THROW(build_frame_pattern({.frames = kMaxFrames + 1}), Error);
  EXPECT_THROW(build_frame_pattern({.frames = 5, .window_frames = -1}), Error);
  EXPECT_THROW(build_frame_pattern({.frames = 1 << 20, .interval = 1}), Error);  // 2^40 pairs
}

TEST(FramePattern, SurvivesTheLargestWindow) {
  EXPECT_EQ(build_frame_pattern({.frames = 7, .window_frames = INT64_MAX}).frame_pairs(), 49);
}

TEST(TokenDensity, CountsTextAsAttendedByAllAndAttendingAll) {
  const FramePattern pattern =
      build_frame_pattern({.frames = 4, .window_frames = 0, .n_first_frames = 1});
  // Video 4 x 10 tokens, each attending frame 0 and 5 text tokens; 5 text queries attend all 45.
  EXPECT_DOUBLE_EQ(token_density(pattern, {4, 10, 5}), (40.0 * 10 + 40 * 5 + 5 * 45) / (45 * 45));
}

TEST(RankIndex, KeepsThePublishedFormOnARankThatBeginsWithinAFrame) {
  // The recorded case of T = 9, P = 8, world 2, rank 1: 36 tokens from the middle of frame 4.
  const FramePattern pattern = build_frame_pattern(
      {.frames = 9, .window_frames = 1, .n_first_frames = 1, .extra_globals = {3, 4, 5}});
  const RankIndex index = build_rank_index(pattern, 8, 1, 2);
  EXPECT_EQ(index.local_frames.front(), (LocalFrame{4, {0, 4}}));
  EXPECT_EQ(index.local_frames.back(), (LocalFrame{8, {28, 36}}));
  EXPECT_EQ(index.blocks.indptr, (Frames{0, 5, 11, 18, 25, 32}));
  EXPECT_EQ(index.blocks.local_copies.front(), (BlockCopy{12, 32}));
}

TEST(RankIndex, RefusesAWorldThatDoesNotDivideTheTokens) {
  const FramePattern pattern = build_frame_pattern({.frames = 3, .window_frames = 1});
  EXPECT_THROW(build_rank_index(pattern, 5, 0, 2), Error);
  EXPECT_THROW(build_rank_index(pattern, 5, 3, 3), Error);
  EXPECT_THROW(build_rank_index(pattern, 0, 0, 1), Error);
}

TEST(Schedule, RotatesWithTheStepAndHonoursExpansionByBehaviour) {
  Config config;
  config.rotate_keyframes = true;
  config.expand_window = false;
  const Schedule schedule = make_schedule(config, 41);
  EXPECT_EQ(schedule.interval, 3);
  EXPECT_EQ(schedule.offset(7), 1);
  EXPECT_TRUE(pattern_spec(config, schedule, 41, 7, behaviour(Version::k1_2)).expand_window);
  EXPECT_FALSE(pattern_spec(config, schedule, 41, 7, behaviour(Version::k1_3)).expand_window);
}

TEST(Schedule, NamesANegativeSetting) {
  Config config;
  config.window_size = -3;
  EXPECT_THROW(make_schedule(config, 41), Error);
}

TEST(MaskText, DrawsEveryKindOfCell) {
  const FramePattern pattern = build_frame_pattern(
      {.frames = 6, .window_frames = 1, .n_first_frames = 1, .expand_window = false});
  EXPECT_EQ(mask_text(pattern),
            "   0    5\n"
            "0 |XWW...| 3\n"
            "1 |XWW...| 3\n"
            "2 |GWWW..| 4\n"
            "3 |G.WWW.| 4\n"
            "4 |G..WWW| 4\n"
            "5 |G..WWW| 4\n"
            "G=global W=window X=both .=skip  min=3 max=4 avg=3.7/6\n");
}

}  // namespace
}  // namespace lvsa
