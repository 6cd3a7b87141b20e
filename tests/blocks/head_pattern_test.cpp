// Patterns made from rules of pairs, against brute force over all pairs.

#include "core/blocks/head_pattern.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

#include "core/blocks/segment_pattern.hpp"

namespace lvsa {
namespace {

using Mask = std::vector<std::vector<std::uint8_t>>;

BlockAxis any_axis(std::int64_t tokens) {
  if (*rc::gen::arbitrary<bool>()) {
    return BlockAxis::uniform(tokens, *rc::gen::element<std::int64_t>(1, 3, 16, 64, 70, 128, 500));
  }
  std::vector<std::int64_t> begins{0};
  while (begins.back() < tokens) {
    begins.push_back(std::min(tokens, begins.back() + *rc::gen::inRange<std::int64_t>(1, 90)));
  }
  return BlockAxis::of_begins(begins);
}

// Rows of runs of random lengths; rows repeat for a while so that segments have a length.
Mask any_mask(std::int64_t queries, std::int64_t keys) {
  Mask mask;
  while (static_cast<std::int64_t>(mask.size()) < queries) {
    std::vector<std::uint8_t> row;
    std::uint8_t bit = *rc::gen::inRange(0, 2) == 0 ? 0 : 1;
    while (static_cast<std::int64_t>(row.size()) < keys) {
      const auto run = static_cast<std::size_t>(*rc::gen::inRange<std::int64_t>(1, keys + 2));
      row.insert(row.end(), run, bit);
      bit ^= 1;
    }
    row.resize(static_cast<std::size_t>(keys));
    mask.insert(mask.end(), static_cast<std::size_t>(*rc::gen::inRange(1, 40)), row);
  }
  mask.resize(static_cast<std::size_t>(queries));
  return mask;
}

std::vector<KeyRange> ranges_of(const std::vector<std::uint8_t>& row) {
  std::vector<KeyRange> ranges;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i] != 0)
      append_range(ranges, static_cast<std::int64_t>(i), static_cast<std::int64_t>(i) + 1);
  }
  return ranges;
}

std::vector<QuerySegment> segments_of(const Mask& mask) {
  std::vector<QuerySegment> segments;
  for (std::size_t q = 0; q < mask.size(); ++q) {
    const auto at = static_cast<std::int64_t>(q);
    if (q > 0 && mask[q] == mask[q - 1]) {
      segments.back().end = at + 1;
    } else {
      segments.push_back({at, at + 1, ranges_of(mask[q])});
    }
  }
  return segments;
}

// All that a pattern says must be what the mask says.
void expect_same(const HeadPattern& pattern, const Mask& mask) {
  check_head_pattern(pattern, "pattern");
  const BlockMap& map = pattern.map;
  std::int64_t pairs = 0;
  for (std::int64_t r = 0; r < map.rows.blocks(); ++r) {
    std::vector<std::int32_t> kept;
    for (std::int64_t c = 0; c < map.columns.blocks(); ++c) {
      std::int64_t in_block = 0;
      for (std::int64_t q = map.rows.begin(r); q < map.rows.end(r); ++q) {
        const auto& row = mask[static_cast<std::size_t>(q)];
        in_block += std::accumulate(row.begin() + map.columns.begin(c),
                                    row.begin() + map.columns.end(c), std::int64_t{0});
      }
      pairs += in_block;
      if (in_block > 0) kept.push_back(static_cast<std::int32_t>(c));
    }
    RC_ASSERT(std::equal(kept.begin(), kept.end(), map.row(r).begin(), map.row(r).end()));
  }
  RC_ASSERT(attended_pairs(pattern) == pairs);
  for (std::size_t q = 0; q < mask.size(); ++q) {
    RC_ASSERT(visible_tokens(pattern, static_cast<std::int64_t>(q)) == ranges_of(mask[q]));
  }
}

RC_GTEST_PROP(HeadPattern, OfRangesAttendsThesePairs, ()) {
  const auto queries = *rc::gen::inRange<std::int64_t>(1, 300);
  const auto keys = *rc::gen::inRange<std::int64_t>(1, 300);
  const Mask mask = any_mask(queries, keys);
  expect_same(pattern_of_ranges(any_axis(queries), any_axis(keys),
                                [&](std::int64_t place, std::vector<KeyRange>& out) {
                                  out = ranges_of(mask[static_cast<std::size_t>(place)]);
                                }),
              mask);
}

RC_GTEST_PROP(HeadPattern, OfSegmentsAttendsThesePairs, ()) {
  const auto queries = *rc::gen::inRange<std::int64_t>(1, 300);
  const auto keys = *rc::gen::inRange<std::int64_t>(1, 300);
  const Mask mask = any_mask(queries, keys);
  expect_same(pattern_of_segments(any_axis(queries), any_axis(keys), segments_of(mask)), mask);
}

RC_GTEST_PROP(HeadPattern, SeesTokensThroughItsOrder, ()) {
  const auto tokens = *rc::gen::inRange<std::int64_t>(1, 200);
  const Mask mask = any_mask(tokens, tokens);
  HeadPattern pattern = pattern_of_segments(any_axis(tokens), any_axis(tokens), segments_of(mask));
  std::vector<std::int32_t> order(static_cast<std::size_t>(tokens));
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[static_cast<std::size_t>(*rc::gen::inRange<std::size_t>(0, i))]);
  }
  pattern.order = Permutation(order, "order");
  for (std::size_t place = 0; place < order.size(); ++place) {
    std::vector<std::uint8_t> due(order.size(), 0);
    for (std::size_t key = 0; key < order.size(); ++key) {
      due[static_cast<std::size_t>(order[key])] = mask[place][key];
    }
    RC_ASSERT(visible_tokens(pattern, order[place]) == ranges_of(due));
  }
}

RC_GTEST_PROP(Permutation, FollowedByItsInverseIsTheIdentity, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(1, 400);
  std::vector<std::int32_t> order(size);
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = size; i > 1; --i) {
    std::swap(order[i - 1], order[*rc::gen::inRange<std::size_t>(0, i)]);
  }
  const Permutation permutation(order, "order");
  const Permutation inverse = permutation.inverse();
  const auto values =
      *rc::gen::container<std::vector<std::uint32_t>>(size, rc::gen::arbitrary<std::uint32_t>());
  std::vector<std::uint32_t> there(size);
  std::vector<std::uint32_t> back(size);
  for (std::size_t i = 0; i < size; ++i) {
    there[i] = values[static_cast<std::size_t>(permutation.token(static_cast<std::int64_t>(i)))];
  }
  for (std::size_t i = 0; i < size; ++i) {
    back[i] = there[static_cast<std::size_t>(inverse.token(static_cast<std::int64_t>(i)))];
  }
  RC_ASSERT(back == values);
  RC_ASSERT(inverse.inverse() == permutation);
}

TEST(HeadPattern, CountsMaskedPairsInItsDensity) {
  // Query i attends keys 0 .. i: 55 pairs of 100.
  const HeadPattern causal = pattern_of_ranges(BlockAxis::uniform(10, 4), BlockAxis::uniform(10, 3),
                                               [](std::int64_t place, std::vector<KeyRange>& out) {
                                                 out = {{0, place + 1}};
                                               });
  EXPECT_EQ(attended_pairs(causal), 55);
  EXPECT_DOUBLE_EQ(token_density(causal), 0.55);
  EXPECT_EQ(causal.map.indices, (std::vector<std::int32_t>{0, 1, 0, 1, 2, 0, 1, 2, 3}));
}

}  // namespace
}  // namespace lvsa
