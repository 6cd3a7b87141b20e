// Who owns what, against examples worked out by hand and properties.
#include "analysis/diagnose/parallel_layout.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using reference::TokenRange;

ParallelQuestion question(FrameGrid grid, std::int64_t ulysses, std::int64_t ring,
                          reference::HeadCounts heads) {
  ParallelQuestion q;
  q.grid = grid;
  q.world = {ulysses, ring};
  q.heads = heads;
  return q;
}

// The worked example: U = R = 2, S = 8, H = 4.
TEST(ParallelLayout, OfTwoByTwoIsTheWorkedExample) {
  const ParallelLayout layout = make_parallel_layout(question({4, 2, 0}, 2, 2, {4, 4}));
  ASSERT_EQ(layout.ranks.size(), 4U);
  const TokenRange owns[] = {{0, 2}, {2, 4}, {4, 6}, {6, 8}};
  const TokenRange rows[] = {{0, 4}, {0, 4}, {4, 8}, {4, 8}};
  const TokenRange heads[] = {{0, 2}, {2, 4}, {0, 2}, {2, 4}};
  for (std::size_t r = 0; r < 4; ++r) {
    EXPECT_EQ(layout.ranks[r].owns, owns[r]) << r;
    EXPECT_EQ(layout.ranks[r].rows, rows[r]) << r;
    EXPECT_EQ(layout.ranks[r].heads, heads[r]) << r;
    EXPECT_EQ(layout.ranks[r].ulysses, static_cast<std::int64_t>(r % 2)) << r;
    EXPECT_EQ(layout.ranks[r].ring, static_cast<std::int64_t>(r / 2)) << r;
    EXPECT_TRUE(layout.ranks[r].partial.empty()) << r;
  }
  EXPECT_TRUE(layout.good());
}

// 21 frames of 1560 tokens over 4: 8190 each, which are 5.25 frames.
TEST(ParallelLayout, ShowsFramesThatARankHoldsInPart) {
  const ParallelLayout layout = make_parallel_layout(question({21, 1560, 0}, 4, 1, {12, 12}));
  EXPECT_TRUE(layout.divisibility.tokens);
  EXPECT_EQ(layout.divisibility.chunk, 8190);
  const RankShare& second = layout.ranks[1];
  EXPECT_EQ(second.owns, (TokenRange{8190, 16380}));
  EXPECT_EQ(second.first_frame, 5);
  EXPECT_EQ(second.last_frame, 10);
  ASSERT_EQ(second.partial.size(), 2U);
  EXPECT_EQ(second.partial[0].frame, 5);
  EXPECT_EQ(second.partial[0].tokens, (TokenRange{390, 1560}));
  EXPECT_EQ(second.partial[1].frame, 10);
  EXPECT_EQ(second.partial[1].tokens, (TokenRange{0, 780}));
}

// 21 * 1590 = 33390 = 4 * 8347 + 2. gcd(4, 1590) = 2, so every second T works: 20 and 22 latent
// frames, 77 and 85 video frames.
TEST(ParallelLayout, NamesTheNearestLengthsThatWork) {
  const ParallelLayout layout = make_parallel_layout(question({21, 1590, 0}, 4, 1, {16, 16}));
  EXPECT_FALSE(layout.divisibility.tokens);
  EXPECT_FALSE(layout.good());
  EXPECT_EQ(layout.divisibility.padding, 2);
  EXPECT_EQ(layout.divisibility.step_frames, 2);
  ASSERT_TRUE(layout.divisibility.below && layout.divisibility.above);
  EXPECT_EQ(layout.divisibility.below->latent_frames, 20);
  EXPECT_EQ(layout.divisibility.below->video_frames, 77);
  EXPECT_EQ(layout.divisibility.above->latent_frames, 22);
  EXPECT_EQ(layout.divisibility.above->video_frames, 85);
  EXPECT_EQ(layout.divisibility.above->video_tokens, 34980);
  // Z / (Z + pad): 33390 / 33392.
  EXPECT_DOUBLE_EQ(layout.bias.uniform, 33390.0 / 33392.0);
  EXPECT_DOUBLE_EQ(layout.bias.low, 33390.0 / (33390.0 + 2.0 * std::exp(10.0)));
}

TEST(ParallelLayout, PadsHeadsByGroupsOrRefuses) {
  ParallelQuestion q = question({4, 2, 0}, 2, 1, {28, 7});
  EXPECT_FALSE(make_parallel_layout(q).good());
  q.pads_heads = true;
  const ParallelLayout layout = make_parallel_layout(q);
  EXPECT_TRUE(layout.good());
  EXPECT_EQ(layout.heads.padded, (reference::HeadCounts{32, 8}));
  EXPECT_EQ(layout.ranks[0].heads, (TokenRange{0, 16}));
  EXPECT_EQ(layout.ranks[1].heads, (TokenRange{16, 28}));
  EXPECT_EQ(layout.ranks[1].padded_heads, 4);
  EXPECT_EQ(layout.ranks[1].kv_heads, (TokenRange{4, 7}));
  EXPECT_EQ(layout.heads.ulysses_that_divide, (std::vector<std::int64_t>{1, 7}));
}

TEST(ParallelLayout, TensorParallelRanksVaryFastest) {
  ParallelQuestion q = question({4, 2, 0}, 2, 1, {8, 4});
  q.tp = 2;
  q.cfg = 2;
  const ParallelLayout layout = make_parallel_layout(q);
  ASSERT_EQ(layout.ranks.size(), 8U);
  const RankShare& share = layout.ranks[7];
  EXPECT_EQ(share.tp, 1);
  EXPECT_EQ(share.ulysses, 1);
  EXPECT_EQ(share.cfg, 1);
  EXPECT_EQ(share.heads, (TokenRange{6, 8}));
  EXPECT_EQ(share.kv_heads, (TokenRange{3, 4}));
  EXPECT_EQ(layout.ranks[1].tp, 1);
  EXPECT_EQ(layout.ranks[1].ulysses, 0);
}

TEST(ParallelLayout, SaysWhichStandaloneModesThereAre) {
  // T = 21 and 12 heads over 4: no ring (21 / 4), custom and ulysses.
  const auto modes = make_parallel_layout(question({21, 1560, 0}, 4, 1, {12, 12})).standalone;
  ASSERT_EQ(modes.size(), 3U);
  EXPECT_TRUE(modes[0].available);
  EXPECT_TRUE(modes[1].available);
  EXPECT_FALSE(modes[2].available);
  EXPECT_TRUE(
      make_parallel_layout(question({21, 1560, 0}, 1, 3, {10, 10})).standalone[2].available);
}

TEST(ParallelLayout, CoversEveryTokenAndEveryHeadOnceInEachWorldUpTo64Ranks) {
  EXPECT_TRUE(rc::check([] {
    const auto u = *rc::gen::inRange<std::int64_t>(1, 9);
    const auto r = *rc::gen::inRange<std::int64_t>(1, 9);
    const auto frames = *rc::gen::inRange<std::int64_t>(1, 30);
    const auto patches = *rc::gen::inRange<std::int64_t>(1, 40);
    const auto kv = *rc::gen::inRange<std::int64_t>(1, 9);
    ParallelQuestion q = question({frames, patches, 0}, u, r, {2 * kv, kv});
    q.pads_heads = true;
    const ParallelLayout layout = make_parallel_layout(q);
    std::int64_t tokens = 0;
    for (const RankShare& share : layout.ranks) {
      RC_ASSERT(share.owns.begin == tokens);
      tokens = share.owns.end;
      if (share.owns.begin < share.owns.end) {
        RC_ASSERT(share.rows.begin <= share.owns.begin);
        RC_ASSERT(share.rows.end >= share.owns.end);
        RC_ASSERT(share.partial.size() <= 2U);
      }
    }
    RC_ASSERT(tokens == frames * patches);
    // (row, head) pairs: every rank of a Ulysses group computes the same rows, other heads.
    std::int64_t pairs = 0;
    for (const RankShare& share : layout.ranks) {
      pairs += (share.rows.end - share.rows.begin) * (share.heads.end - share.heads.begin);
    }
    RC_ASSERT(pairs == frames * patches * 2 * kv);
    // The lengths named do divide, and no nearer one does.
    const Divisibility& d = layout.divisibility;
    RC_ASSERT(d.tokens == (frames * patches % (u * r) == 0));
    const std::int64_t top = d.above->latent_frames;
    for (std::int64_t t = frames; t <= top; ++t) {
      RC_ASSERT((t * patches % (u * r) == 0) == (t == top));
    }
  }));
}

TEST(ParallelLayout, RefusesWhatIsOutOfRange) {
  EXPECT_THROW(make_parallel_layout(question({4, 2, 0}, 0, 1, {4, 4})), Error);
  EXPECT_THROW(make_parallel_layout(question({4, 2, 0}, 1, -1, {4, 4})), Error);
  EXPECT_THROW(make_parallel_layout(question({4, 2, 0}, 4096, 4096, {4, 4})), Error);
  EXPECT_THROW(make_parallel_layout(question({4, 2, 0}, 1, 1, {7, 2})), Error);
  EXPECT_THROW(make_parallel_layout(question({4, 0, 0}, 1, 1, {4, 4})), Error);
  EXPECT_THROW(make_parallel_layout(question({1 << 30, std::int64_t{1} << 40, 0}, 1, 1, {4, 4})),
               Error);
}

}  // namespace
}  // namespace lvsa::analysis
