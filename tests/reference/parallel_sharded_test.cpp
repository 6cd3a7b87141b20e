// Attention in shards where the result is known by hand.
#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <cstring>

#include "core/error.hpp"
#include "reference/parallel/sharded_attention.hpp"

namespace lvsa::reference {
namespace {

// Scores all 0 and V = 1 for keys of `frame`: the output is the share of that frame.
ShardedProblem uniform(FrameGrid grid, std::int64_t frame, SequenceWorld world) {
  ShardedProblem p;
  p.grid = grid;
  p.q = HeadTensor(grid.seq_len(), 2, 1);
  p.k = HeadTensor(grid.seq_len(), 2, 1);
  p.v = HeadTensor(grid.seq_len(), 2, 1);
  for (std::int64_t t = 0; t < grid.video_tokens(); ++t) {
    const bool in = t / grid.patches_per_frame == frame;
    for (std::int64_t h = 0; h < 2; ++h) *p.v.row(t, h) = in ? 1.0 : 0.0;
  }
  p.attended.resize(static_cast<std::size_t>(grid.frames));
  for (auto& list : p.attended) {
    for (std::int32_t f = 0; f < grid.frames; ++f) list.push_back(f);
  }
  p.world = world;
  return p;
}

TEST(Sharded, CountsEveryKeyOnce) {
  const ShardedProblem p = uniform({4, 2, 3}, 1, {2, 2});
  const ShardedResult made = attend_sharded(p);
  for (std::int64_t t = 0; t < 11; ++t) {
    EXPECT_NEAR(*made.out.row(t, 1), 2.0 / 11.0, 1e-15) << t;
    EXPECT_NEAR(*made.lse.row(t, 0), std::log(11.0), 1e-15) << t;
  }
}

TEST(Sharded, GivesMaskedFramesExactlyNoMass) {
  ShardedProblem p = uniform({4, 2, 0}, 3, {1, 4});
  p.attended[0] = {0, 1};
  const ShardedResult made = attend_sharded(p);
  EXPECT_EQ(*made.out.row(0, 0), 0.0);
  EXPECT_EQ(*made.out.row(1, 1), 0.0);
  EXPECT_GT(*made.out.row(2, 0), 0.0);
}

// Text counted in each of R = 4 steps: 8 video keys and 4 * 2 text keys, so ln 4 on their logits.
TEST(Sharded, TextInEveryStepAddsTheLogarithmOfTheDegree) {
  ShardedProblem p = uniform({4, 2, 2}, 0, {1, 4});
  EXPECT_NEAR(*attend_sharded(p).lse.row(0, 0), std::log(8.0 + 2.0), 1e-15);
  p.defect = ParallelDefect::kTextEveryStep;
  EXPECT_NEAR(*attend_sharded(p).lse.row(0, 0), std::log(8.0 + 4.0 * 2.0), 1e-15);
  EXPECT_NEAR(*attend_sharded(p).out.row(0, 0), 2.0 / 16.0, 1e-15);
}

// 9 tokens over 4 Ulysses ranks are padded to 12: Z = 9, pad = 3, m = 0, and the unmasked padding
// scales the output by 9 / 12.
TEST(Sharded, UnmaskedPaddingScalesTheOutputByItsBias) {
  ShardedProblem p = uniform({3, 3, 0}, 1, {4, 1});
  p.pads_heads = true;
  const ShardedResult right = attend_sharded(p);
  EXPECT_EQ(right.padding_tokens, 3);
  EXPECT_NEAR(*right.out.row(0, 0), 3.0 / 9.0, 1e-15);
  p.defect = ParallelDefect::kPaddedKeys;
  EXPECT_NEAR(*attend_sharded(p).out.row(0, 0), 3.0 / 9.0 * (9.0 / (9.0 + 3.0)), 1e-15);
}

TEST(Sharded, ShortAndMissingChunksOfARingAreRead) {
  const ShardedProblem p = uniform({3, 3, 0}, 2, {1, 4});  // chunks of 3, 3, 3 and none
  const ShardedResult made = attend_sharded(p);
  EXPECT_EQ(made.padding_tokens, 0);
  for (std::int64_t t = 0; t < 9; ++t) EXPECT_NEAR(*made.out.row(t, 0), 1.0 / 3.0, 1e-15);
}

TEST(Sharded, ComputesWantedRowsAlone) {
  ShardedProblem p = uniform({4, 2, 2}, 0, {2, 2});
  p.wanted.assign(10, 0);
  p.wanted[3] = 1;
  p.wanted[9] = 1;
  const ShardedResult made = attend_sharded(p);
  for (std::int64_t t = 0; t < 10; ++t) {
    EXPECT_EQ(std::isnan(*made.out.row(t, 0)), t != 3 && t != 9) << t;
  }
}

TEST(Sharded, GivesTheSameBitsOnAnyNumberOfThreads) {
  ShardedProblem p = uniform({6, 2000, 0}, 1, {2, 3});  // large enough for threads
  for (std::size_t i = 0; i < p.q.data.size(); ++i) {
    p.q.data[i] = static_cast<double>(i * 7919 % 1009) / 500.0 - 1.0;
    p.k.data[i] = static_cast<double>(i * 104729 % 997) / 500.0 - 1.0;
    p.v.data[i] = static_cast<double>(i * 31 % 101) / 50.0 - 1.0;
  }
  p.wanted.assign(12000, 0);
  for (std::size_t t = 0; t < 12000; t += 1500) p.wanted[t] = 1;
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const ShardedResult one = attend_sharded(p);
  omp_set_num_threads(5);
  const ShardedResult many = attend_sharded(p);
  omp_set_num_threads(before);
  const std::size_t bytes = one.out.data.size() * sizeof(double);
  EXPECT_EQ(std::memcmp(one.out.data.data(), many.out.data.data(), bytes), 0);
  EXPECT_FALSE(std::isnan(*one.out.row(1500, 1)));
}

TEST(Sharded, RefusesWhatDoesNotFit) {
  ShardedProblem p = uniform({4, 2, 0}, 0, {3, 1});
  EXPECT_THROW(attend_sharded(p), Error);  // 2 heads over 3 ranks
  p.pads_heads = true;
  EXPECT_NO_THROW(attend_sharded(p));
  p.attended[1] = {4};
  EXPECT_THROW(attend_sharded(p), Error);
  p.attended.pop_back();
  EXPECT_THROW(attend_sharded(p), Error);
}

}  // namespace
}  // namespace lvsa::reference
