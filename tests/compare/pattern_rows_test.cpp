// Metrics of patterns that choose single keys against their definitions, in long double.

#include "analysis/sweep/pattern_rows.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "analysis/sweep/pattern_metrics.hpp"
#include "analysis/sweep/pattern_tiles.hpp"
#include "core/error.hpp"
#include "core/pattern/frame_pattern.hpp"
#include "reference/attention/simd_level.hpp"
#include "tests/compare/compare_support.hpp"

namespace lvsa::analysis {
namespace {

using testing::noise_sample;
using testing::speckled;

std::vector<double> row_of(const TensorView& view, std::int64_t token) {
  std::vector<double> row(static_cast<std::size_t>(view.shape[3]));
  view.read_row(0, token, 0, row.data());
  return row;
}

struct NaiveRow {
  std::vector<long double> out;
  long double lse = 0.0L;
  long double entropy = 0.0L;
};

// Softmax over the tokens of some ranges.
NaiveRow attend(const Sample& s, std::int64_t token, const std::vector<KeyRange>& ranges) {
  const std::vector<double> q = row_of(s.q, token);
  std::vector<std::pair<std::int64_t, long double>> scores;
  long double top = -INFINITY;
  for (const auto& [first, last] : ranges) {
    for (std::int64_t j = first; j < last; ++j) {
      const std::vector<double> k = row_of(s.k, j);
      long double score = 0.0L;
      for (std::size_t c = 0; c < q.size(); ++c) score += static_cast<long double>(q[c]) * k[c];
      scores.emplace_back(j, score * s.scale);
      top = std::max(top, score * s.scale);
    }
  }
  NaiveRow row{std::vector<long double>(q.size(), 0.0L)};
  std::vector<long double> cells(static_cast<std::size_t>(s.grid.frames) + 1, 0.0L);
  long double sum = 0.0L;
  for (const auto& [j, score] : scores) {
    const long double w = expl(score - top);
    sum += w;
    cells[static_cast<std::size_t>(std::min(j / s.grid.patches_per_frame, s.grid.frames))] += w;
    const std::vector<double> v = row_of(s.v, j);
    for (std::size_t c = 0; c < v.size(); ++c) row.out[c] += w * v[c];
  }
  for (long double& x : row.out) x /= sum;
  row.lse = top + logl(sum);
  for (const long double cell : cells) {
    if (cell > 0.0L) row.entropy -= cell / sum * logl(cell / sum);
  }
  return row;
}

struct Naive {
  long double l1 = 0, l1_dense = 0, l2 = 0, l2_dense = 0, recall = 0, entropy = 0, least = 2;
};

TEST(PatternRows, FollowTheDefinitionsForAnyKeysOrderAndRaggedBlocks) {
  const FrameGrid grid{4, 37, 11};
  for (const double loudness : {1.0, 40.0}) {
    const Sample sample = noise_sample(grid, 12, 3, loudness);
    const std::vector<HeadPattern> patterns = {
        speckled(grid.seq_len(), 0.5, 1, false), speckled(grid.seq_len(), 0.3, 2, true),
        speckled(grid.seq_len(), 0.05, 3, true), speckled(grid.seq_len(), 0.9, 4, false)};
    std::vector<const HeadPattern*> pointers;
    for (const HeadPattern& p : patterns) pointers.push_back(&p);
    const std::vector<std::int64_t> tokens = {0, 5, 36, 37, 80, 147};
    const auto got = evaluate_head_patterns(sample, pointers, tokens);
    for (std::size_t p = 0; p < patterns.size(); ++p) {
      Naive due;
      for (const std::int64_t token : tokens) {
        const NaiveRow dense = attend(sample, token, {{0, grid.seq_len()}});
        const NaiveRow sparse = attend(sample, token, visible_tokens(patterns[p], token));
        for (std::size_t c = 0; c < dense.out.size(); ++c) {
          due.l1 += fabsl(sparse.out[c] - dense.out[c]);
          due.l1_dense += fabsl(dense.out[c]);
          due.l2 += (sparse.out[c] - dense.out[c]) * (sparse.out[c] - dense.out[c]);
          due.l2_dense += dense.out[c] * dense.out[c];
        }
        const long double recall = expl(sparse.lse - dense.lse);
        due.recall += recall;
        due.least = std::min(due.least, recall);
        due.entropy += sparse.entropy;
      }
      const auto rows = static_cast<long double>(tokens.size());
      const auto value = [&](Metric m) { return got[p][static_cast<std::size_t>(m)]; };
      EXPECT_NEAR(value(Metric::kRelativeL1), static_cast<double>(due.l1 / due.l1_dense), 1e-11);
      EXPECT_NEAR(value(Metric::kRelativeL2),
                  static_cast<double>(sqrtl(due.l2) / sqrtl(due.l2_dense)), 1e-11);
      EXPECT_NEAR(value(Metric::kRecallMean), static_cast<double>(due.recall / rows), 1e-12);
      EXPECT_NEAR(value(Metric::kRecallMin), static_cast<double>(due.least), 1e-12);
      EXPECT_NEAR(value(Metric::kEntropySparse), static_cast<double>(due.entropy / rows), 1e-11);
    }
  }
}

TEST(PatternRows, APatternFarBelowTheLargestScoreIsStillExact) {
  const FrameGrid grid{2, 30, 0};
  const Sample sample = noise_sample(grid, 4, 9, 4000.0);
  // Only the key with the smallest score.
  const std::int64_t token = 7;
  std::int64_t least = 0;
  long double smallest = INFINITY;
  for (std::int64_t j = 0; j < grid.seq_len(); ++j) {
    const long double score = attend(sample, token, {{j, j + 1}}).lse;
    if (score < smallest) {
      smallest = score;
      least = j;
    }
  }
  const HeadPattern one = pattern_of_ranges(
      BlockAxis::uniform(60, 16), BlockAxis::uniform(60, 16),
      [&](std::int64_t, std::vector<KeyRange>& out) { out.emplace_back(least, least + 1); });
  const HeadPattern* pointer = &one;
  const std::vector<std::int64_t> tokens = {token};
  const auto got = evaluate_head_patterns(sample, std::span(&pointer, 1), tokens);
  const long double shift = attend(sample, token, {{0, 60}}).lse - smallest;
  ASSERT_GT(shift, 800.0L);  // below what a double holds relative to the largest
  EXPECT_NEAR(got[0][static_cast<std::size_t>(Metric::kLseShiftMean)], static_cast<double>(shift),
              1e-9);
  EXPECT_EQ(got[0][static_cast<std::size_t>(Metric::kRecallMean)], 0.0);
}

TEST(PatternRows, NoKeysGiveZeroOutputAndNoRecall) {
  const FrameGrid grid{2, 10, 0};
  const Sample sample = noise_sample(grid, 4, 2);
  HeadPattern none;
  none.map = make_block_map(BlockAxis::uniform(20, 8), BlockAxis::uniform(20, 8),
                            [](std::int64_t, std::int64_t) { return false; });
  const HeadPattern* pointer = &none;
  const std::vector<std::int64_t> tokens = {3};
  const auto got = evaluate_head_patterns(sample, std::span(&pointer, 1), tokens)[0];
  EXPECT_EQ(got[static_cast<std::size_t>(Metric::kRelativeL2)], 1.0);
  EXPECT_EQ(got[static_cast<std::size_t>(Metric::kRecallMean)], 0.0);
  EXPECT_TRUE(std::isinf(got[static_cast<std::size_t>(Metric::kLseShiftMean)]));
  EXPECT_TRUE(std::isnan(got[static_cast<std::size_t>(Metric::kCosineMin)]));
}

TEST(PatternRows, AllKeysAreTheDenseOutputBitForBitInAnyBlocks) {
  const FrameGrid grid{3, 100, 7};
  const Sample sample = noise_sample(grid, 20, 4, 3.0);
  HeadPattern all, permuted;
  all.map = full_block_map(BlockAxis::uniform(307, 128), BlockAxis::uniform(307, 64));
  permuted = speckled(307, 1.0, 1, true);
  const HeadPattern* pointers[] = {&all, &permuted};
  const std::vector<std::int64_t> tokens = {0, 150, 299};
  for (const auto& metrics : evaluate_head_patterns(sample, pointers, tokens)) {
    EXPECT_EQ(metrics[static_cast<std::size_t>(Metric::kRelativeL1)], 0.0);
    EXPECT_EQ(metrics[static_cast<std::size_t>(Metric::kRecallMin)], 1.0);
    EXPECT_EQ(metrics[static_cast<std::size_t>(Metric::kLseShiftMax)], 0.0);
  }
}

TEST(PatternRows, ThreadsBlocksOfRowsInstructionsAndCompanyLeaveNoTrace) {
  const FrameGrid grid{4, 50, 5};
  const Sample sample = noise_sample(grid, 24, 5, 2.0);
  const HeadPattern a = speckled(grid.seq_len(), 0.4, 1, true);
  const HeadPattern b = speckled(grid.seq_len(), 0.6, 2, false);
  const HeadPattern* both[] = {&b, &a};
  const HeadPattern* alone[] = {&a};
  std::vector<std::int64_t> tokens;
  for (std::int64_t t = 0; t < 200; t += 7) tokens.push_back(t);
  const auto due = evaluate_head_patterns(sample, alone, tokens)[0];
  PatternRowsOptions options;
  options.threads = 3;
  options.bytes = 1;  // eight rows at a time
  options.level = reference::SimdLevel::kBaseline;
  EXPECT_EQ(evaluate_head_patterns(sample, both, tokens, options)[1], due);
}

TEST(PatternRows, WholeFramesGiveTheFiguresOfASweep) {
  const FrameGrid grid{5, 20, 3};
  const Sample sample = noise_sample(grid, 16, 6, 2.0);
  PatternSpec spec;
  spec.frames = 5;
  spec.window_frames = 1;
  spec.n_first_frames = 1;
  const FramePattern frames = build_frame_pattern(spec);
  const HeadPattern pattern =
      pattern_of_ranges(BlockAxis::uniform(103, 16), BlockAxis::uniform(103, 16),
                        [&](std::int64_t place, std::vector<KeyRange>& out) {
                          if (place < 100) {
                            for (const std::int32_t f : frames.row(place / 20))
                              out.emplace_back(f * 20, f * 20 + 20);
                          } else {
                            out.emplace_back(0, 100);
                          }
                          out.emplace_back(100, 103);
                        });
  const HeadPattern* pointer = &pattern;
  const RowChoice rows{4, 1};
  const auto got =
      evaluate_head_patterns(sample, std::span(&pointer, 1), choose_rows(grid, rows))[0];
  const auto due = evaluate_patterns(sample, std::span(&frames, 1), rows)[0];
  for (const MetricInfo& metric : metric_infos()) {
    const auto m = static_cast<std::size_t>(metric.metric);
    EXPECT_NEAR(got[m], due[m], 1e-11) << metric.name;
  }
}

TEST(PatternRows, WhatDoesNotFitIsNamed) {
  const FrameGrid grid{2, 10, 0};
  const Sample sample = noise_sample(grid, 4, 2);
  const HeadPattern other = speckled(19, 0.5, 1, false);
  const HeadPattern* pointer = &other;
  const std::vector<std::int64_t> tokens = {3};
  EXPECT_THROW(evaluate_head_patterns(sample, std::span(&pointer, 1), tokens), Error);
  EXPECT_THROW(evaluate_head_patterns(sample, {}, {}), Error);
}

TEST(KeyTiles, MarkWhatAPatternAttends) {
  const FrameGrid grid{3, 70, 9};
  const KeyTiles tiles(grid);
  EXPECT_EQ(tiles.count(), 7u);  // 64 + 6 of each frame, and the text
  for (const bool reversed : {false, true}) {
    const HeadPattern pattern = speckled(grid.seq_len(), 0.6, 5, reversed);
    std::vector<std::uint64_t> words(tiles.count());
    for (std::int64_t token = 0; token < grid.seq_len(); token += 13) {
      mark_visible(pattern, token, tiles, words);
      std::vector<bool> due(static_cast<std::size_t>(grid.seq_len()));
      for (const auto& [first, last] : visible_tokens(pattern, token)) {
        for (std::int64_t j = first; j < last; ++j) due[static_cast<std::size_t>(j)] = true;
      }
      for (std::size_t t = 0; t < tiles.count(); ++t) {
        for (std::int64_t j = 0; j < 64; ++j) {
          const bool here = ((words[t] >> j) & 1) != 0;
          const bool expected =
              j < tiles[t].size && due[static_cast<std::size_t>(tiles[t].begin + j)];
          ASSERT_EQ(here, expected) << "token " << token << ", tile " << t << ", key " << j;
        }
      }
    }
  }
}

}  // namespace
}  // namespace lvsa::analysis
