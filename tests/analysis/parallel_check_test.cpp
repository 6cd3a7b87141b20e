// Sharded attention against attention of one rank, and the defects that must not pass.
#include "analysis/diagnose/parallel_check.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "analysis/diagnose/parallel_suite.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

TEST(ParallelSuite, ShardedResultsAreThoseOfOneRankInAllWorldsUpTo8x8) {
  const auto results = run_parallel_suite(8, 8);
  EXPECT_EQ(results.size(), 64 * 7 + 8 * 2);
  std::int64_t padded = 0;
  std::int64_t empty_first = 0;
  for (const auto& [subject, verdict] : results) {
    EXPECT_LE(verdict.worst(), subject.run.merges_in_fp32 ? 2e-6 : 1e-12) << subject.line();
    EXPECT_EQ(verdict.nan_rows, 0) << subject.line();
    for (const NamedCheck& check : verdict.checks) {
      EXPECT_NE(check.state, CheckState::kFails) << subject.line() << ": " << check.message;
    }
    padded += verdict.padding_tokens > 0 ? 1 : 0;
    empty_first += verdict.empty_first_blocks > 0 ? 1 : 0;
  }
  // The difficulties are there, or the figures above would say little.
  EXPECT_GE(padded, 100);
  EXPECT_GE(empty_first, 40);
}

TEST(ParallelDefects, AreAllFoundAndTheHealthyComputationIsNotAccused) {
  const ParallelDefectReport report = run_parallel_defects();
  EXPECT_EQ(report.healthy_accused_by, std::vector<std::string>{});
  EXPECT_GE(report.defects.size(), 19U);
  for (const auto& line : report.defects) EXPECT_FALSE(line.by.empty()) << line.name << " survives";
  EXPECT_TRUE(report.good());
}

ParallelData small(FrameGrid grid, reference::HeadCounts heads, std::int64_t window) {
  ParallelShape shape;
  shape.grid = grid;
  shape.heads = heads;
  shape.pattern.window_frames = window;
  shape.pattern.interval = 4;
  return make_parallel_data(shape);
}

TEST(ParallelCheck, AnyProblemInAnyWorldIsAsOnOneRank) {
  EXPECT_TRUE(rc::check([] {
    const auto draw = [](std::int64_t least, std::int64_t most) {
      return *rc::gen::inRange(least, most + 1);
    };
    ParallelShape shape;
    shape.grid = {draw(1, 12), draw(1, 9), draw(0, 4)};
    const std::int64_t kv = draw(1, 4);
    shape.heads = {kv * draw(1, 3), kv};
    shape.head_dim = draw(1, 5);
    shape.pattern.window_frames = draw(0, 3);
    shape.pattern.n_first_frames = draw(0, 2);
    shape.pattern.interval = draw(0, 5);
    shape.pattern.offset = draw(0, 4);
    shape.pattern.expand_window = draw(0, 1) == 1;
    shape.seed = static_cast<std::uint64_t>(draw(0, 1000));
    ParallelRun run;
    run.world = {draw(1, 8), draw(1, 8)};
    run.pads_heads = true;
    const ParallelData data = make_parallel_data(shape);
    const ParallelVerdict verdict = check_exact(data, run);
    for (const NamedCheck& check : verdict.checks) {
      if (check.state == CheckState::kFails) RC_FAIL(check.name + ": " + check.message);
    }
    const std::int64_t ranks = run.world.ring;
    if (shape.grid.video_tokens() % ranks == 0) {
      const CustomVerdict custom = check_custom(data, ranks);
      for (const NamedCheck& check : custom.own.checks) {
        if (check.state == CheckState::kFails)
          RC_FAIL("custom " + check.name + ": " + check.message);
      }
    }
  }));
}

TEST(ParallelCheck, ThePublishedMergeIsNanWhereTheFirstBlockIsEmpty) {
  const ParallelData data = small({8, 2, 0}, {2, 2}, 0);  // anchors 0 and 4 alone
  ParallelRun run;
  run.world = {1, 4};
  EXPECT_TRUE(check_exact(data, run).good());
  run.merge = reference::MergeForm::kPublished;
  const ParallelVerdict verdict = check_exact(data, run);
  EXPECT_FALSE(verdict.good());
  // Ranks 1 and 3 hold frames 2-3 and 6-7: no anchor.
  EXPECT_EQ(verdict.empty_first_blocks, 2 * 2 * 2 * 2);
  EXPECT_EQ(verdict.nan_rows, 2 * 2 * 2 * 2);
}

TEST(ParallelCheck, TensorParallelSlicesAreExactToo) {
  const ParallelData data = small({6, 4, 3}, {8, 4}, 1);
  ParallelRun run;
  run.tp = 2;
  run.world = {2, 2};
  EXPECT_LE(check_exact(data, run).worst(), 1e-12);
  run.tp = 3;
  EXPECT_THROW(check_exact(data, run), Error);
}

TEST(ParallelCheck, HeadsThatUlyssesDoesNotDivideAreRefusedOrPadded) {
  const ParallelData data = small({4, 2, 0}, {28, 7}, 1);
  ParallelRun run;
  run.world = {2, 1};
  try {
    check_exact(data, run);
    FAIL() << "28 on 7 heads over two ranks passed";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("7 kv heads over 2"), std::string::npos);
  }
  run.pads_heads = true;
  EXPECT_TRUE(check_exact(data, run).good());
}

TEST(ParallelCustom, IsExactOnOneRankAndDiffersByWhatTheSeamsTake) {
  const ParallelData data = small({12, 2, 0}, {2, 2}, 1);  // anchors 0, 4, 8
  const CustomVerdict one = check_custom(data, 1);
  EXPECT_TRUE(one.own.good());
  EXPECT_EQ(one.added + one.removed, 0);
  EXPECT_LE(one.largest_difference, 1e-12);
  // Two ranks: the seam is at frame 6, guards 5, 6, 7 are global.
  const CustomVerdict two = check_custom(data, 2);
  EXPECT_TRUE(two.own.good());
  EXPECT_EQ(two.guards, (std::vector<std::int32_t>{5, 6, 7}));
  EXPECT_GT(two.added, 0);
  EXPECT_GT(two.largest_difference, 1e-3);
  EXPECT_GT(two.relative_rms, 1e-3);
}

TEST(ParallelCustom, NeedsAWorldThatDividesTheVideo) {
  EXPECT_THROW(check_custom(small({5, 3, 0}, {1, 1}, 1), 2), Error);
}

}  // namespace
}  // namespace lvsa::analysis
