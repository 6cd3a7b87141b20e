// Who owns what in a world of ranks, against examples worked out by hand.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <numeric>

#include "core/error.hpp"
#include "reference/parallel/all_to_all.hpp"
#include "reference/parallel/sequence_world.hpp"

namespace lvsa::reference {
namespace {

TEST(ParallelSplit, NineEntriesOverFourRanksLeaveNothingForTheLast) {
  EXPECT_EQ(chunk_of(9, 4, 0), (TokenRange{0, 3}));
  EXPECT_EQ(chunk_of(9, 4, 1), (TokenRange{3, 6}));
  EXPECT_EQ(chunk_of(9, 4, 2), (TokenRange{6, 9}));
  const TokenRange last = chunk_of(9, 4, 3);
  EXPECT_EQ(last.end - last.begin, 0);
}

TEST(ParallelSplit, StrictModeWantsAMultipleOfTheWorld) {
  EXPECT_EQ(strict_chunk_of(8, 4, 3), (TokenRange{6, 8}));
  EXPECT_THROW(strict_chunk_of(9, 4, 0), Error);
  EXPECT_THROW(strict_chunk_of(3, 4, 0), Error);
  EXPECT_THROW(strict_chunk_of(0, 4, 0), Error);
}

TEST(ParallelSplit, APartialSplitKeepsTheTextOnEveryRank) {
  EXPECT_EQ(partial_chunk_of(10, 2, 4, 1), (std::vector<std::int64_t>{0, 1, 4, 5}));
  EXPECT_EQ(partial_chunk_of(10, 2, 4, 0), (std::vector<std::int64_t>{0, 1, 2, 3}));
  EXPECT_EQ(partial_chunk_of(10, 2, 4, 3), (std::vector<std::int64_t>{0, 1, 8, 9}));
  EXPECT_EQ(partial_chunk_of(2, 2, 4, 3), (std::vector<std::int64_t>{0, 1}));
  EXPECT_THROW(partial_chunk_of(2, 3, 4, 0), Error);
}

TEST(ParallelSplit, ChunksCoverEveryEntryOnceInOrder) {
  EXPECT_TRUE(rc::check([] {
    const auto size = *rc::gen::inRange<std::int64_t>(0, 500);
    const auto world = *rc::gen::inRange<std::int64_t>(1, 70);
    std::int64_t next = 0;
    for (std::int64_t r = 0; r < world; ++r) {
      const TokenRange own = chunk_of(size, world, r);
      RC_ASSERT(own.begin == next);
      RC_ASSERT(own.end >= own.begin);
      next = own.end;
    }
    RC_ASSERT(next == size);
  }));
}

TEST(ParallelSplit, PaddedHeadsKeepTheGroup) {
  EXPECT_EQ(padded_heads({28, 7}, 2), (HeadCounts{32, 8}));
  EXPECT_EQ(padded_heads({28, 7}, 7), (HeadCounts{28, 7}));
  EXPECT_EQ(padded_heads({12, 12}, 8), (HeadCounts{16, 16}));
  EXPECT_EQ(padded_heads({8, 1}, 4), (HeadCounts{32, 4}));
  EXPECT_THROW(padded_heads({28, 8}, 2), Error);
}

TEST(ParallelRanks, UlyssesGroupsAreContiguousAndRingGroupsStrided) {
  const SequenceWorld world{2, 2};
  EXPECT_EQ(world.ulysses_group(0), (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(world.ulysses_group(1), (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(world.ring_group(0), (std::vector<std::int64_t>{0, 2}));
  EXPECT_EQ(world.ring_group(1), (std::vector<std::int64_t>{1, 3}));
  const SequenceWorld wide{4, 3};
  EXPECT_EQ(wide.ulysses_rank(9), 1);
  EXPECT_EQ(wide.ring_rank(9), 2);
  EXPECT_EQ(wide.rank(1, 2), 9);
}

// Element value 1000 * token + head, so that a value says where it came from.
HeadTensor labelled(std::int64_t first, std::int64_t tokens, std::int64_t heads) {
  HeadTensor tensor(tokens, heads, 1);
  for (std::int64_t t = 0; t < tokens; ++t) {
    for (std::int64_t h = 0; h < heads; ++h) {
      *tensor.row(t, h) = 1000.0 * static_cast<double>(first + t) + static_cast<double>(h);
    }
  }
  return tensor;
}

// U = R = 2, S = 8, H = 4: ranks 0 and 1 own tokens 0-1 and 2-3 and compute rows 0-3, heads 0-1 and
// 2-3; ranks 2 and 3 the same of tokens 4-7.
TEST(AllToAll, GivesTheRowsAndHeadsOfTheWorkedExample) {
  for (const std::int64_t first : {0, 4}) {
    const auto out = heads_for_tokens({labelled(first, 2, 4), labelled(first + 2, 2, 4)});
    ASSERT_EQ(out.size(), 2U);
    for (std::int64_t u = 0; u < 2; ++u) {
      const HeadTensor& rank = out[static_cast<std::size_t>(u)];
      ASSERT_EQ(rank.tokens, 4);
      ASSERT_EQ(rank.heads, 2);
      for (std::int64_t t = 0; t < 4; ++t) {
        for (std::int64_t h = 0; h < 2; ++h) {
          EXPECT_EQ(*rank.row(t, h),
                    1000.0 * static_cast<double>(first + t) + static_cast<double>(2 * u + h));
        }
      }
    }
  }
}

TEST(AllToAll, ThereAndBackIsTheIdentityBitForBit) {
  EXPECT_TRUE(rc::check([] {
    const auto ranks = *rc::gen::inRange<std::int64_t>(1, 9);
    const auto tokens = *rc::gen::inRange<std::int64_t>(0, 6);
    const auto heads = ranks * *rc::gen::inRange<std::int64_t>(1, 4);
    const auto dim = *rc::gen::inRange<std::int64_t>(1, 4);
    std::vector<HeadTensor> in;
    for (std::int64_t r = 0; r < ranks; ++r) {
      HeadTensor& x = in.emplace_back(tokens, heads, dim);
      x.data =
          *rc::gen::container<std::vector<double>>(x.data.size(), rc::gen::arbitrary<double>());
    }
    RC_ASSERT(tokens_for_heads(heads_for_tokens(in)) == in);
  }));
}

TEST(AllToAll, RefusesHeadsThatTheRanksDoNotDivide) {
  EXPECT_THROW(heads_for_tokens({HeadTensor(2, 7, 1), HeadTensor(2, 7, 1)}), Error);
  EXPECT_THROW(heads_for_tokens({HeadTensor(2, 4, 1), HeadTensor(3, 4, 1)}), Error);
  EXPECT_THROW(tokens_for_heads({HeadTensor(3, 2, 1), HeadTensor(3, 2, 1)}), Error);
  EXPECT_THROW(heads_for_tokens({}), Error);
}

}  // namespace
}  // namespace lvsa::reference
