// Figures of a pattern and differences of two, by hand and by brute force.

#include "analysis/patterns/pattern_figures.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>
#include <set>

#include "analysis/patterns/pattern_calls.hpp"
#include "analysis/patterns/pattern_text.hpp"
#include "core/error.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {
namespace {

HeadPattern by_hand() {
  HeadPattern pattern;
  pattern.map = {BlockAxis::uniform(10, 4), BlockAxis::uniform(10, 2), {0, 2, 2, 4}, {0, 3, 1, 4}};
  pattern.mask = {4, 1, {-1, 0, -1, -1}, {1, 3, 0, 0}};
  return pattern;
}

TEST(PatternFigures, AreThoseOfThePattern) {
  HeadPattern pattern = by_hand();
  pattern.order = Permutation({1, 0, 2, 3, 4, 5, 6, 7, 8, 9}, "order");
  pattern.skip = SkipRule{-2.0};
  pattern.choice = "local";
  const PatternFigures f = pattern_figures(pattern);
  EXPECT_EQ(f.rows, 3);
  EXPECT_EQ(f.columns, 5);
  EXPECT_EQ(f.kept, 4);
  EXPECT_DOUBLE_EQ(f.block_density, 4.0 / 15.0);
  EXPECT_DOUBLE_EQ(f.token_density, (4 * 2 + 3 + 2 * 2 + 2 * 2) / 100.0);
  EXPECT_EQ(f.row_least, 0);
  EXPECT_EQ(f.row_most, 2);
  EXPECT_EQ(f.empty_rows, 1);
  EXPECT_EQ(f.masks, 1);
  EXPECT_EQ(f.masked_blocks, 1);
  EXPECT_EQ(f.moved_tokens, 2);
  EXPECT_FALSE(f.segments);
  EXPECT_EQ(f.skip_threshold_log2, -2.0);
  EXPECT_EQ(f.choice, "local");
}

TEST(PatternDifference, NamesTheFirstBlockAndPair) {
  HeadPattern other = by_hand();
  other.map.indices[1] = 2;
  const PatternDifference d = pattern_difference(by_hand(), other);
  EXPECT_FALSE(d.none());
  EXPECT_TRUE(d.same_blocks);
  EXPECT_EQ(d.row, 0);
  EXPECT_EQ(d.column, 2);
  EXPECT_EQ(d.blocks_only_first, 1);
  EXPECT_EQ(d.blocks_only_second, 1);
  EXPECT_EQ(d.query, 0);
  EXPECT_EQ(d.key, 4);
  EXPECT_EQ(d.only_first, 3);
  EXPECT_EQ(d.only_second, 3);
  EXPECT_TRUE(pattern_difference(other, other).none());
  EXPECT_NE(difference_text(d).find("row 0, column 2"), std::string::npos);
}

TEST(PatternDifference, SeesMasksThoughTheBlocksAreTheSame) {
  HeadPattern other = by_hand();
  other.mask = {};
  const PatternDifference d = pattern_difference(by_hand(), other);
  EXPECT_EQ(d.row, -1);
  EXPECT_EQ(d.query, 0);
  EXPECT_EQ(d.key, 7);
  EXPECT_EQ(d.only_first, 0);
  EXPECT_EQ(d.only_second, 5);
}

// Pairs of tokens of a pattern.
std::set<std::pair<std::int64_t, std::int64_t>> pairs_of(const HeadPattern& pattern) {
  std::set<std::pair<std::int64_t, std::int64_t>> pairs;
  for (std::int64_t query = 0; query < pattern.map.rows.tokens(); ++query) {
    for (const KeyRange& range : visible_tokens(pattern, query)) {
      for (std::int64_t key = range.first; key < range.second; ++key) pairs.emplace(query, key);
    }
  }
  return pairs;
}

HeadPattern any_pattern(std::int64_t tokens, const std::optional<Permutation>& order) {
  const auto low = *rc::gen::inRange<std::int64_t>(0, 9);
  const auto high = *rc::gen::inRange<std::int64_t>(0, 9);
  HeadPattern pattern = pattern_of_ranges(
      BlockAxis::uniform(tokens, *rc::gen::inRange(1, 20)),
      BlockAxis::uniform(tokens, *rc::gen::inRange(1, 20)),
      [&](std::int64_t place, std::vector<KeyRange>& out) {
        out = {{std::max<std::int64_t>(place - low, 0), std::min(place + high + 1, tokens)}};
      });
  pattern.order = order;
  return pattern;
}

RC_GTEST_PROP(PatternDifference, CountsThePairsOfEach, ()) {
  const auto tokens = *rc::gen::inRange<std::int64_t>(1, 60);
  std::vector<std::int32_t> turned(static_cast<std::size_t>(tokens));
  std::iota(turned.rbegin(), turned.rend(), 0);
  const std::vector<std::optional<Permutation>> orders = {
      std::nullopt, Permutation::identity(tokens), Permutation(turned, "order")};
  const HeadPattern first = any_pattern(tokens, *rc::gen::elementOf(orders));
  const HeadPattern second = any_pattern(tokens, *rc::gen::elementOf(orders));
  const auto a = pairs_of(first);
  const auto b = pairs_of(second);
  std::vector<std::pair<std::int64_t, std::int64_t>> only_first;
  std::vector<std::pair<std::int64_t, std::int64_t>> either;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(only_first));
  std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(either));
  const PatternDifference d = pattern_difference(first, second);
  RC_ASSERT(d.only_first == static_cast<std::int64_t>(only_first.size()));
  RC_ASSERT(d.only_first + d.only_second == static_cast<std::int64_t>(either.size()));
  if (!either.empty()) {
    RC_ASSERT(std::pair(d.query, d.key) == either.front());
  }
}

TEST(PatternDifference, RefusesSequencesOfOtherLengths) {
  HeadPattern other;
  other.map = full_block_map(BlockAxis::uniform(9, 4), BlockAxis::uniform(9, 4));
  EXPECT_THROW(pattern_difference(by_hand(), other), Error);
}

TEST(BlockMapPicture, HasAColourForKeptAndForOthers) {
  const PaletteImage image = draw_block_map(by_hand().map, "title");
  EXPECT_EQ(image.pixels.size(), image.width * image.height);
  // Two rows of pixels inside of the first and of the empty row of blocks: the same ground, and
  // kept blocks in the first alone.
  const std::size_t cell = 512 / 5;
  const auto pixel = [&](std::size_t row, std::size_t column) {
    return image.pixels[(34 + row * cell + cell / 2) * image.width + 12 + column * cell + cell / 2];
  };
  EXPECT_EQ(pixel(0, 0), pixel(0, 3));
  EXPECT_NE(pixel(0, 0), pixel(0, 1));
  EXPECT_EQ(pixel(1, 0), pixel(0, 1));
  EXPECT_EQ(pixel(2, 4), pixel(0, 0));
}

TEST(BlockMapPicture, OfALargeMapIsSmall) {
  const PaletteImage image = draw_block_map(
      full_block_map(BlockAxis::uniform(3000, 2), BlockAxis::uniform(3000, 3)), "", 256);
  EXPECT_LE(image.width, 256u + 600u);
  EXPECT_LE(image.height, 256u + 64u);
}

std::string refusal(const std::string& size) {
  return test_support::refusal_of([&] { parse_video_size(size); });
}

TEST(VideoSize, IsReadFromWords) {
  const VideoGrid video = parse_video_size("T=21,h=30 w=52,text=7");
  EXPECT_EQ(video.grid.frames, 21);
  EXPECT_EQ(video.grid.patches_per_frame, 1560);
  EXPECT_EQ(video.grid.text_tokens, 7);
  EXPECT_EQ(video.height, 30);
  EXPECT_EQ(parse_video_size("T=2,P=9").height, 0);
  EXPECT_EQ(parse_video_size("h=3,w=4", false).grid.text_tokens, -1);
}

TEST(VideoSize, IsRefusedWithTheWord) {
  EXPECT_EQ(refusal("T=2,h=3"), "--size: both h= and w= are due");
  EXPECT_EQ(refusal("T=0,h=3,w=4"), "--size: 'T=0': an integer of 1 .. 2147483647 is due");
  EXPECT_EQ(refusal("T=2,frames=3"), "--size: 'frames=3': T=, h=, w=, text= or P= is due");
  EXPECT_EQ(refusal("T=2,T=2"), "--size: T comes twice");
  EXPECT_EQ(refusal("T=2,h=3,w=4,P=13"), "--size: P=13 for h=3 w=4: they make 12");
  EXPECT_EQ(refusal("h=3,w=4"),
            "--size: 'h=3,w=4': T=, h= and w= are due, for example T=21,h=30,w=52");
  EXPECT_EQ(refusal("T=99999,h=999,w=999"),
            "--size: 99799101999 tokens, at most 2147483647 are due");
}

}  // namespace
}  // namespace lvsa::analysis
