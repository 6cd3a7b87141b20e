// Where the published index structures do not describe the same set, or not what one may expect.
// Each is a fact that a consumer has to know; these examples keep it from changing unnoticed.

#include <gtest/gtest.h>

#include <vector>

#include "tests/property/index_form.hpp"

namespace lvsa::property {
namespace {

PatternCase pattern(std::int64_t frames, std::int64_t patches, std::int64_t window,
                    std::int64_t rank, std::int64_t world) {
  PatternCase c;
  c.arguments.total_latent_frames = frames;
  c.arguments.num_patches = patches;
  c.arguments.window_size = window;
  c.arguments.n_first_frames = 1;
  c.arguments.rank = rank;
  c.arguments.world = world;
  c.arguments.expand_window = false;
  return c;
}

std::vector<IndexForm> both(const PatternCase& c) { return {core_form(c), reference_form(c)}; }

// Frame 4 is the first of rank 1; its window 3 .. 5 reaches back to rank 0.
TEST(AttendedTable, IsNotClippedToTheRankWhileContextAndBlockRowsAre) {
  for (const IndexForm& index : both(pattern(8, 2, 1, 1, 2))) {
    EXPECT_EQ(index.table_frames(0), (reference::FrameSet{0, 3, 4, 5}));
    EXPECT_EQ(index.context_frames(4, 2), (reference::FrameSet{4, 5}));
    EXPECT_EQ(index.row_frames(0, 2), (reference::FrameSet{0, 4, 5}));
  }
}

// Rows of an adaptive window differ in length: the first frame's window holds a global frame.
TEST(AttendedTable, PadsItsRowsByRepeatingTheirLastFrame) {
  for (const IndexForm& index : both(pattern(6, 1, 1, 0, 1))) {
    EXPECT_EQ(index.attended_C, 4);
    EXPECT_EQ(index.attended_indices.at(0), (std::vector<std::int64_t>{0, 1, 2, 2}));
    EXPECT_EQ(index.attended_indices.at(3), (std::vector<std::int64_t>{0, 2, 3, 4}));
  }
}

// 15 tokens of 5 frames on 3 ranks: rank 1 holds tokens 5 .. 9, the last of frame 1, all of frame 2
// and the first of frame 3.
TEST(BlockRows, HoldTokensOfTwoFramesOnARankThatStartsInsideAFrame) {
  const PatternCase c = pattern(5, 3, 1, 1, 3);
  for (const IndexForm& index : both(c)) {
    EXPECT_EQ(index.global_token_start % c.patches(), 2);
    EXPECT_EQ(index.local_frames.size(), 3U);
    EXPECT_EQ(index.fi_MB, 2);
    // Row 0 stands for frame 1 but covers the tokens 0 .. 2 of the rank: one of frame 1, two of
    // frame 2.
    EXPECT_EQ(index.local_frames.at(1), (std::pair<std::int64_t, std::int64_t>{0, 1}));
    EXPECT_EQ(index.local_frames.at(2), (std::pair<std::int64_t, std::int64_t>{1, 4}));
    EXPECT_EQ(index.row_frames(0, 3), (reference::FrameSet{0, 1, 2}));
    EXPECT_EQ(index.row_frames(1, 3), (reference::FrameSet{0, 1, 2, 3}));
  }
}

// Frame 3 is touched by rank 1, but there are two rows only: no row follows its rule.
TEST(BlockRows, AreFewerThanTheFramesOfARankThatStartsAndEndsInsideOne) {
  for (const IndexForm& index : both(pattern(5, 3, 1, 1, 3))) {
    EXPECT_EQ(index.fi_MB + 1, static_cast<std::int64_t>(index.local_frames.size()));
  }
}

// The copy of a frame starts where the whole frame would stand on the rank. Boundary guards make
// the shared frames global, so that this shows without them only.
TEST(BlockRows, CopyAPartlyHeldFrameFromBeforeTheRanksFirstTokenUnlessItIsAGuard) {
  PatternCase c = pattern(5, 3, 1, 1, 3);
  for (const IndexForm& index : both(c)) {
    EXPECT_EQ(index.fi_local_copies, (Pairs{{-2, 3}, {1, 6}, {4, 9}}));
    EXPECT_EQ(index.window_ctx.at(2), (Pairs{{0, 1}, {1, 4}, {4, 5}}));
  }
  c.arguments.boundary_guards = {1, 3};
  for (const IndexForm& index : both(c)) {
    EXPECT_EQ(index.fi_local_copies, (Pairs{{1, 6}}));
  }
}

// Without a window no frame is added to the global ones, the query's own neither.
TEST(GlobalsOnly, LeaveAFrameThatIsNotGlobalWithoutItself) {
  for (const IndexForm& index : both(pattern(3, 1, 0, 0, 1))) {
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(index.table_frames(i), (reference::FrameSet{0}));
    }
  }
}

// Neither global frames nor a window: every structure is empty, none is missing.
TEST(GlobalsOnly, AttendNothingWithoutGlobalFrames) {
  PatternCase c = pattern(3, 2, 0, 0, 1);
  c.arguments.n_first_frames = 0;
  for (const IndexForm& index : both(c)) {
    EXPECT_EQ(index.attended_C, 0);
    EXPECT_EQ(index.attended_indices, (std::vector<std::vector<std::int64_t>>(3)));
    EXPECT_EQ(index.fi_indptr, (std::vector<std::int64_t>{0, 0, 0, 0}));
    EXPECT_EQ(index.fi_N, 0);
  }
}

}  // namespace
}  // namespace lvsa::property
