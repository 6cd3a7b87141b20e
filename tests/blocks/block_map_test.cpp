// Block maps, axes, masks and orders: what is refused names row and column.

#include "core/blocks/block_map.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "core/blocks/element_mask.hpp"
#include "core/blocks/head_pattern.hpp"
#include "core/error.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa {
namespace {

using test_support::refusal_of;

BlockMap small_map() {
  return {BlockAxis::uniform(10, 4), BlockAxis::uniform(7, 2), {0, 2, 2, 4}, {0, 3, 1, 2}};
}

std::string map_refusal(const std::function<void(BlockMap&)>& change) {
  BlockMap map = small_map();
  change(map);
  return refusal_of([&] { check_block_map(map, "map"); });
}

TEST(BlockAxis, CutsTheLastBlockShort) {
  const BlockAxis axis = BlockAxis::uniform(10, 4);
  EXPECT_EQ(axis.begins(), (std::vector<std::int64_t>{0, 4, 8, 10}));
  EXPECT_EQ(axis.size(2), 2);
  EXPECT_EQ(axis.largest(), 4);
  EXPECT_EQ(axis.block_of(3), 0);
  EXPECT_EQ(axis.block_of(4), 1);
  EXPECT_EQ(axis.block_of(9), 2);
  EXPECT_EQ(BlockAxis::uniform(3, 128).largest(), 3);
}

TEST(BlockAxis, RefusesBlocksThatDoNotAscend) {
  EXPECT_EQ(refusal_of([] {
              BlockAxis::of_begins({0, 4, 4});
            }),
            "block begins: entry 2 is 4 after 4, they must ascend");
  EXPECT_EQ(refusal_of([] {
              BlockAxis::of_begins({1, 4});
            }),
            "block begins: two entries at least are due, the first one 0");
  EXPECT_EQ(refusal_of([] { BlockAxis::uniform(0, 4); }), "tokens=0: at least 1 is due");
  EXPECT_EQ(refusal_of([] { BlockAxis::uniform(4, 0); }), "block=0: at least 1 is due");
}

TEST(BlockMap, IsRefusedWithRowAndColumn) {
  EXPECT_EQ(map_refusal([](BlockMap&) {}), "accepted");
  EXPECT_EQ(map_refusal([](BlockMap& m) { m.indices[3] = 1; }), "map: row 2: column 1 comes twice");
  EXPECT_EQ(map_refusal([](BlockMap& m) { m.indices[3] = 0; }),
            "map: row 2: column 0 after 1, columns must ascend");
  EXPECT_EQ(map_refusal([](BlockMap& m) { m.indices[3] = 4; }),
            "map: row 2: column 4 is out of range, 0 .. 3 are due");
  EXPECT_EQ(map_refusal([](BlockMap& m) { m.indices[0] = -1; }),
            "map: row 0: column -1 is out of range, 0 .. 3 are due");
}

TEST(BlockMap, IsRefusedForAWrongIndptr) {
  EXPECT_EQ(map_refusal([](BlockMap& m) { m.indptr[2] = 1; }),
            "map: row 1: indptr falls from 2 to 1");
  EXPECT_EQ(map_refusal([](BlockMap& m) { m.indptr[0] = 1; }),
            "map: indptr begins with 1, 0 is due");
  EXPECT_EQ(map_refusal([](BlockMap& m) { m.indptr.back() = 5; }),
            "map: indptr ends with 5, but there are 4 indices");
  EXPECT_EQ(map_refusal([](BlockMap& m) { m.indptr.pop_back(); }),
            "map: indptr has 3 entries, 4 are due for 3 rows of blocks");
  EXPECT_EQ(map_refusal([](BlockMap& m) { m.rows = BlockAxis(); }), "map: there are no blocks");
}

TEST(BlockMap, KnowsItsDensity) {
  EXPECT_DOUBLE_EQ(block_density(small_map()), 4.0 / 12.0);
  const BlockMap full = full_block_map(BlockAxis::uniform(10, 4), BlockAxis::uniform(7, 2));
  EXPECT_EQ(full.kept(), 12);
  EXPECT_DOUBLE_EQ(block_density(full), 1.0);
}

// The first kept block of small_map() with a mask of its own.
HeadPattern masked_pattern() {
  HeadPattern pattern;
  pattern.map = small_map();
  pattern.mask = {4, 1, {0, -1, -1, -1}, {1, 2, 3, 0}};
  return pattern;
}

std::string mask_refusal(const std::function<void(ElementMask&)>& change) {
  HeadPattern pattern = masked_pattern();
  change(pattern.mask);
  return refusal_of([&] { check_head_pattern(pattern, "p"); });
}

TEST(ElementMask, IsRefusedWithRowAndColumn) {
  EXPECT_EQ(mask_refusal([](ElementMask&) {}), "accepted");
  EXPECT_EQ(mask_refusal([](ElementMask& m) { m.entry[3] = 1; }),
            "p: row 2, column 2: mask 1 is out of range, -1 .. 0 are due");
  EXPECT_EQ(mask_refusal([](ElementMask& m) { m.entry[1] = -2; }),
            "p: row 0, column 3: mask -2 is out of range, -1 .. 0 are due");
  // Column 3 has one key, row 2 two queries.
  EXPECT_EQ(mask_refusal([](ElementMask& m) { m.entry[1] = 0; }),
            "p: row 0, column 3: mask 0 has bits past the end of its block of 4 x 1");
  EXPECT_EQ(mask_refusal([](ElementMask& m) { m.entry[3] = 0; }),
            "p: row 2, column 2: mask 0 has bits past the end of its block of 2 x 2");
  EXPECT_EQ(mask_refusal([](ElementMask& m) {
              m.bits = {0, 0, 0, 0};
            }),
            "p: row 0, column 0: mask 0 attends no pair: leave the block out");
  EXPECT_EQ(mask_refusal([](ElementMask& m) { m.entry.pop_back(); }),
            "p: 3 mask numbers for 4 kept blocks");
  EXPECT_EQ(mask_refusal([](ElementMask& m) { m.words = 2; }),
            "p: masks of 4 rows of 2 words, 4 rows of 1 words are due");
}

TEST(ElementMask, IsStoredOnceHoweverOftenItComes) {
  ElementMaskBuilder builder(BlockAxis::uniform(4, 2), BlockAxis::uniform(4, 2));
  builder.add_full();
  EXPECT_EQ(builder.add({1, 2}), 0);
  EXPECT_EQ(builder.add({2, 1}), 1);
  EXPECT_EQ(builder.add({1, 2}), 0);
  builder.add_again(1);
  const ElementMask mask = builder.take();
  EXPECT_EQ(mask.entry, (std::vector<std::int32_t>{-1, 0, 1, 0, 1}));
  EXPECT_EQ(mask.masks(), 2);
}

TEST(Permutation, IsRefusedWithPlaceAndToken) {
  EXPECT_EQ(refusal_of([] {
              Permutation({0, 2, 2}, "order");
            }),
            "order: place 2: token 2 comes twice, first at place 1");
  EXPECT_EQ(refusal_of([] {
              Permutation({0, 3, 1}, "order");
            }),
            "order: place 1: token 3 is out of range, 0 .. 2 are due");
  EXPECT_EQ(refusal_of([] {
              Permutation({0, -1, 1}, "order");
            }),
            "order: place 1: token -1 is out of range, 0 .. 2 are due");
}

TEST(HeadPattern, RefusesAnOrderOfAnotherLength) {
  HeadPattern pattern = masked_pattern();
  pattern.order = Permutation::identity(10);
  EXPECT_EQ(refusal_of([&] { check_head_pattern(pattern, "p"); }),
            "p: an order of 10 tokens for 10 queries and 7 keys");
}

TEST(HeadPattern, RefusesASkipThresholdThatIsNoNumber) {
  HeadPattern pattern = masked_pattern();
  pattern.skip = SkipRule{1.0 / 0.0};
  EXPECT_EQ(refusal_of([&] { check_head_pattern(pattern, "p"); }),
            "p: skip threshold inf is no finite number");
}

}  // namespace
}  // namespace lvsa
