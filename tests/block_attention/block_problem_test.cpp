#include "core/blocks/block_problem.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/blocks/block_loader.hpp"
#include "core/error.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa {
namespace {

// Query i attends the keys 0 .. i and the last one, of `tokens`; masks in the diagonal's blocks.
HeadPattern staircase(std::int64_t tokens, std::int64_t rows, std::int64_t columns) {
  return pattern_of_ranges(BlockAxis::uniform(tokens, rows), BlockAxis::uniform(tokens, columns),
                           [tokens](std::int64_t place, std::vector<KeyRange>& out) {
                             const bool apart = place + 2 < tokens;
                             out.emplace_back(0, apart ? place + 1 : tokens);
                             if (apart) out.emplace_back(tokens - 1, tokens);
                           });
}

HeadPattern dense(std::int64_t tokens, std::int64_t rows, std::int64_t columns) {
  HeadPattern p;
  p.map = full_block_map(BlockAxis::uniform(tokens, rows), BlockAxis::uniform(tokens, columns));
  return p;
}

std::string error_of(const std::vector<HeadPattern>& patterns, std::int64_t batch,
                     std::int64_t heads, std::int64_t block = 0) {
  return test_support::refusal_of(
      [&] { BlockProblem problem(patterns, batch, heads, block, block); });
}

TEST(BlockProblem, StoresEqualMapsMasksAndOrdersOnce) {
  HeadPattern ordered = staircase(20, 4, 4);
  ordered.order = Permutation::identity(20).inverse();
  const std::vector<HeadPattern> patterns = {staircase(20, 4, 4), dense(20, 4, 4), ordered};
  const BlockProblem arrays(patterns, 2, 3);
  EXPECT_EQ(arrays.maps(), 2);
  EXPECT_EQ(arrays.orders(), 1);
  EXPECT_FALSE(arrays.has_skip());
  lvsa_block_problem p{};
  arrays.fill(p);
  EXPECT_EQ(std::vector<std::int32_t>(p.map_of_head, p.map_of_head + 6),
            (std::vector<std::int32_t>{0, 1, 0, 0, 1, 0}));
  EXPECT_EQ(std::vector<std::int32_t>(p.order_of_head, p.order_of_head + 6),
            (std::vector<std::int32_t>{-1, -1, 0, -1, -1, 0}));
  EXPECT_EQ(p.skip_threshold_log2, nullptr);
  EXPECT_EQ(p.maps[1].entry_mask, nullptr);
  EXPECT_EQ(p.row_blocks, 5);
  EXPECT_EQ(p.row_begin[5], 20);
  // Equal masks once: the triangle of the diagonal, the last key for all rows, and in the last
  // block both of them joined.
  EXPECT_EQ(p.mask_count, arrays.masks());
  EXPECT_EQ(p.mask_count, 3);
}

TEST(BlockProblem, LaysMasksOutInTheNominalSize) {
  const HeadPattern pattern = staircase(3, 8, 8);  // blocks of 3 at most
  const BlockProblem arrays({&pattern, 1}, 1, 1, 8, 128);
  lvsa_block_problem p{};
  arrays.fill(p);
  EXPECT_EQ(p.block_rows, 8);
  EXPECT_EQ(p.block_columns, 128);
  EXPECT_EQ(p.mask_words, 2);
  ASSERT_EQ(p.mask_count, 1);
  const std::uint64_t rows[8] = {0b101, 0b111, 0b111, 0, 0, 0, 0, 0};
  for (int r = 0; r < 8; ++r) {
    EXPECT_EQ(p.mask_bits[2 * r], rows[r]) << r;
    EXPECT_EQ(p.mask_bits[2 * r + 1], 0U) << r;
  }
}

TEST(BlockProblem, GivesHeadsWithoutSkipAnInfiniteThreshold) {
  std::vector<HeadPattern> patterns = {dense(8, 4, 4), dense(8, 4, 4)};
  patterns[1].skip = SkipRule{3.5};
  const BlockProblem arrays(patterns, 2, 2);
  lvsa_block_problem p{};
  arrays.fill(p);
  ASSERT_NE(p.skip_threshold_log2, nullptr);
  EXPECT_EQ(p.skip_threshold_log2[0], HUGE_VALF);
  EXPECT_EQ(p.skip_threshold_log2[1], 3.5F);
}

TEST(BlockProblem, KeepsItsAddressesWhenMoved) {
  const HeadPattern pattern = staircase(20, 4, 4);
  BlockProblem first({&pattern, 1}, 1, 1);
  lvsa_block_problem before{};
  first.fill(before);
  const BlockProblem second(std::move(first));
  lvsa_block_problem after{};
  second.fill(after);
  EXPECT_EQ(before.maps, after.maps);
  EXPECT_EQ(before.maps[0].indices, after.maps[0].indices);
  EXPECT_EQ(before.mask_bits, after.mask_bits);
}

TEST(BlockProblem, NamesTheHeadThatDoesNotFit) {
  EXPECT_NE(error_of({dense(8, 4, 4), dense(8, 4, 2)}, 1, 2).find("batch element 0, head 1"),
            std::string::npos);
  EXPECT_NE(error_of({dense(8, 4, 4)}, 1, 2).find("1 patterns for 1 batch elements of 2 heads"),
            std::string::npos);
  EXPECT_NE(error_of({dense(8, 4, 4)}, 1, 1, 2).find("exceed the nominal 2 x 2"),
            std::string::npos);
  HeadPattern unsorted = dense(8, 4, 4);
  std::swap(unsorted.map.indices[2], unsorted.map.indices[3]);
  EXPECT_NE(error_of({unsorted}, 1, 1).find("row 1: column 0 after 1"), std::string::npos);
  HeadPattern skips = dense(8, 4, 4);
  skips.skip = SkipRule{2.0};
  EXPECT_NE(error_of({skips, dense(8, 4, 4)}, 2, 1).find("batch element 1, head 0: skip threshold"),
            std::string::npos);
}

TEST(BlockLoader, NamesThePathThatIsNoLibrary) {
  EXPECT_FALSE(offers_block_kernels("no-such-file.so"));
  try {
    BlockKernelLibrary library("no-such-file.so");
    FAIL() << "loaded";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "no-such-file.so: no such file; a shared library is due");
  }
}

}  // namespace
}  // namespace lvsa
