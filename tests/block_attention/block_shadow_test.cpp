// How a row's keys are cut into tiles, by hand.

#include "reference/attention/blocks/block_shadow.hpp"

#include <gtest/gtest.h>

namespace lvsa::reference {
namespace {

// Two query blocks; the first attends key blocks 0 and 2 of places 0-3, 4-7, 8-9, and of block 0
// only the pairs that its mask shows.
HeadPattern small_pattern() {
  HeadPattern pattern;
  pattern.map.rows = BlockAxis::of_begins({0, 5, 10});
  pattern.map.columns = BlockAxis::of_begins({0, 4, 8, 10});
  pattern.map.indptr = {0, 2, 3};
  pattern.map.indices = {0, 2, 1};
  pattern.mask.block_rows = 5;
  pattern.mask.words = 1;
  pattern.mask.entry = {0, -1, -1};
  pattern.mask.bits = {0b1111, 0b1001, 0b1100, 0b0000, 0b0001};
  return pattern;
}

Schedule tiles_of(std::int64_t keys, std::int32_t cross) {
  Schedule schedule;
  schedule.key_tile = keys;
  schedule.tiles_cross_frames = cross;
  return schedule;
}

using Tokens = std::vector<std::int64_t>;
using Tiles = std::vector<ShadowTile>;

TEST(MapSequence, CutsTheKeptBlocksAsOneSequenceOrEachByItself) {
  const HeadPattern pattern = small_pattern();
  const ShadowSequence across = map_sequence(pattern, 0, tiles_of(3, 1), {});
  EXPECT_EQ(across.tokens, (Tokens{0, 1, 2, 3, 8, 9}));
  EXPECT_EQ(across.tiles, (Tiles{{0, 3, 0}, {3, 6, 0}}));
  const ShadowSequence apart = map_sequence(pattern, 0, tiles_of(3, 0), {});
  EXPECT_EQ(apart.tokens, across.tokens);
  EXPECT_EQ(apart.tiles, (Tiles{{0, 3, 0}, {3, 4, 0}, {4, 6, 0}}));
  EXPECT_EQ(map_sequence(pattern, 7, tiles_of(3, 1), {}).tokens, (Tokens{4, 5, 6, 7}));
}

TEST(MapSequence, CountsHiddenPairsInTilesAndLeavesThemOut) {
  const HeadPattern pattern = small_pattern();
  const ShadowSequence two = map_sequence(pattern, 2, tiles_of(2, 1), {});
  EXPECT_EQ(two.tokens, (Tokens{2, 3, 8, 9}));
  EXPECT_EQ(two.tiles, (Tiles{{0, 2, 0}, {2, 4, 0}}));
  EXPECT_EQ(two.hidden_tiles, 1);
  EXPECT_EQ(two.places, 6);
  EXPECT_EQ(map_sequence(pattern, 1, tiles_of(2, 1), {}).tiles,
            (Tiles{{0, 1, 0}, {1, 2, 0}, {2, 4, 0}}));
}

TEST(MapSequence, GoesByPlacesOfTheOrderAndPassesOverSkippedBlocks) {
  HeadPattern pattern = small_pattern();
  pattern.order = Permutation({9, 8, 7, 6, 5, 4, 3, 2, 1, 0}, "order");
  EXPECT_EQ(map_sequence(pattern, 9, tiles_of(4, 1), {}).tokens, (Tokens{9, 8, 7, 6, 1, 0}));
  std::vector<SkipDecision> decisions(2);
  decisions[0].state = SkipState::kSkipped;
  EXPECT_EQ(map_sequence(pattern, 9, tiles_of(4, 0), decisions).tokens, (Tokens{1, 0}));
  Schedule backwards = tiles_of(4, 0);
  backwards.key_order = LVSA_KEYS_DESCENDING;
  EXPECT_EQ(map_sequence(pattern, 9, backwards, {}).tiles, (Tiles{{4, 6, 0}, {0, 4, 0}}));
}

}  // namespace
}  // namespace lvsa::reference
