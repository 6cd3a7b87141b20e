// Each metric against its definition, from attention computed directly.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "analysis/sweep/pattern_metrics.hpp"
#include "core/error.hpp"
#include "tests/sweep/partials_support.hpp"

namespace lvsa::analysis {
namespace {

using testing::attend_naively;
using testing::element;
using testing::make_sample;

double value(const MetricValues& values, Metric metric) {
  return values[static_cast<std::size_t>(metric)];
}

/// The definitions of docs/sweep_metrics.md, a row after the other.
MetricValues metrics_by_definition(const Sample& sample, const FramePattern& pattern,
                                   std::span<const std::int64_t> tokens) {
  std::vector<std::int32_t> all(static_cast<std::size_t>(cell_count(sample.grid)));
  std::iota(all.begin(), all.end(), 0);
  long double l1 = 0, l2 = 0, dot = 0, own = 0, dense_l1 = 0, dense_own = 0;
  long double least = 1e300L, most = -1e300L, entropy = 0, dense_entropy = 0, shifts = 0;
  std::vector<long double> recalls, cosines;
  for (const std::int64_t token : tokens) {
    const auto row = pattern.row(token / sample.grid.patches_per_frame);
    std::vector<std::int32_t> cells(row.begin(), row.end());
    if (sample.grid.text_tokens > 0) cells.push_back(static_cast<std::int32_t>(sample.grid.frames));
    const auto sparse = attend_naively(sample, token, cells);
    const auto dense = attend_naively(sample, token, all);
    long double row_dot = 0, row_own = 0, row_dense = 0;
    for (std::size_t c = 0; c < dense.out.size(); ++c) {
      const long double o = sparse.out[c], star = dense.out[c];
      l1 += std::fabs(o - star);
      l2 += (o - star) * (o - star);
      dense_l1 += std::fabs(star);
      row_dot += o * star;
      row_own += o * o;
      row_dense += star * star;
      least = std::min(least, star);
      most = std::max(most, star);
    }
    dot += row_dot;
    own += row_own;
    dense_own += row_dense;
    cosines.push_back(row_dot / std::sqrt(row_own * row_dense));
    recalls.push_back(std::exp(sparse.lse - dense.lse));
    shifts += dense.lse - sparse.lse;
    entropy += sparse.entropy;
    dense_entropy += dense.entropy;
  }
  std::sort(recalls.begin(), recalls.end());
  const auto rows = static_cast<long double>(tokens.size());
  const long double rmse = std::sqrt(l2 / (rows * static_cast<long double>(sample.q.shape[3])));
  MetricValues made{};
  const auto set = [&](Metric metric, long double x) {
    made[static_cast<std::size_t>(metric)] = static_cast<double>(x);
  };
  set(Metric::kRelativeL1, l1 / dense_l1);
  set(Metric::kRelativeL2, std::sqrt(l2 / dense_own));
  set(Metric::kCosinePooled, dot / std::sqrt(own * dense_own));
  set(Metric::kCosineMin, *std::min_element(cosines.begin(), cosines.end()));
  set(Metric::kRmse, rmse);
  set(Metric::kPsnr, 20.0L * std::log10((most - least) / rmse));
  set(Metric::kRecallMean, std::accumulate(recalls.begin(), recalls.end(), 0.0L) / rows);
  const auto place = static_cast<std::size_t>(std::ceil(0.01L * rows)) - 1;
  set(Metric::kRecallP01, recalls[place]);
  set(Metric::kRecallMin, recalls.front());
  set(Metric::kLseShiftMean, shifts / rows);
  set(Metric::kLseShiftMax, -std::log(recalls.front()));
  set(Metric::kEntropyDense, dense_entropy / rows);
  set(Metric::kEntropySparse, entropy / rows);
  return made;
}

PatternSpec some_spec(std::int64_t frames) {
  PatternSpec spec{.frames = frames};
  spec.window_frames = *rc::gen::inRange<std::int64_t>(0, 4);
  spec.n_first_frames = *rc::gen::inRange<std::int64_t>(1, 3);
  spec.interval = *rc::gen::inRange<std::int64_t>(0, 9);
  spec.offset = *rc::gen::inRange<std::int64_t>(0, 9);
  spec.expand_window = *rc::gen::arbitrary<bool>();
  return spec;
}

RC_GTEST_PROP(PatternMetrics, AreWhatTheirDefinitionsSay, ()) {
  const Sample sample = make_sample({.frames = *rc::gen::inRange<std::int64_t>(1, 12),
                                     .patches = *rc::gen::inRange<std::int64_t>(1, 14),
                                     .text = *rc::gen::element<std::int64_t>(0, 0, 5),
                                     .dim = *rc::gen::inRange<std::int64_t>(2, 12),
                                     .seed = *rc::gen::inRange<std::uint64_t>(0, 100000),
                                     .loudness = *rc::gen::element(0.125, 1.0)});
  const FramePattern pattern = build_frame_pattern(some_spec(sample.grid.frames));
  const RowChoice choice{.rows_per_frame = *rc::gen::inRange<std::int64_t>(0, 15), .seed = 5};
  const auto found = evaluate_patterns(sample, {&pattern, 1}, choice, 1).at(0);
  const auto due = metrics_by_definition(sample, pattern, choose_rows(sample.grid, choice));
  const bool dense = pattern.frame_density() == 1.0;
  for (const MetricInfo& metric : metric_infos()) {
    const double a = value(found, metric.metric);
    const double b = value(due, metric.metric);
    RC_LOG() << metric.name << ": " << a << " found, " << b << " due\n";
    if (dense && metric.metric == Metric::kPsnr) {
      RC_ASSERT(std::isinf(a) && a > 0.0);
    } else {
      RC_ASSERT(std::fabs(a - b) <= 1e-12 * std::max(1.0, std::fabs(b)));
    }
  }
}

TEST(PatternMetrics, OfThePatternThatAttendsAllAreExactlyThoseOfNoError) {
  const Sample sample = make_sample({.frames = 13, .patches = 6, .text = 4, .dim = 20});
  const FramePattern dense = build_frame_pattern({.frames = 13, .interval = 1});
  const MetricValues values = evaluate_patterns(sample, {&dense, 1}).at(0);
  EXPECT_EQ(value(values, Metric::kRelativeL1), 0.0);
  EXPECT_EQ(value(values, Metric::kRelativeL2), 0.0);
  EXPECT_EQ(value(values, Metric::kRmse), 0.0);
  EXPECT_EQ(value(values, Metric::kPsnr), std::numeric_limits<double>::infinity());
  EXPECT_EQ(value(values, Metric::kRecallMin), 1.0);
  EXPECT_EQ(value(values, Metric::kLseShiftMax), 0.0);
  EXPECT_EQ(value(values, Metric::kEntropySparse), value(values, Metric::kEntropyDense));
  EXPECT_NEAR(value(values, Metric::kCosineMin), 1.0, 1e-15);
}

TEST(PatternMetrics, OfAPatternWithoutKeysSayThatAllIsLost) {
  const Sample sample = make_sample({.frames = 4, .patches = 3, .dim = 5});
  const FramePattern nothing = build_frame_pattern({.frames = 4});
  ASSERT_EQ(nothing.frame_pairs(), 0);
  const MetricValues values = evaluate_patterns(sample, {&nothing, 1}).at(0);
  EXPECT_DOUBLE_EQ(value(values, Metric::kRelativeL1), 1.0);
  EXPECT_DOUBLE_EQ(value(values, Metric::kRelativeL2), 1.0);
  EXPECT_TRUE(std::isnan(value(values, Metric::kCosinePooled)));
  EXPECT_TRUE(std::isnan(value(values, Metric::kCosineMin)));
  EXPECT_EQ(value(values, Metric::kRecallMean), 0.0);
  EXPECT_EQ(value(values, Metric::kLseShiftMean), std::numeric_limits<double>::infinity());
  EXPECT_EQ(value(values, Metric::kEntropySparse), 0.0);
}

TEST(PatternMetrics, AreNotDefinedWhereTheDenseOutputIsZero) {
  Sample sample = make_sample({.frames = 3, .patches = 2, .dim = 2});
  for (std::int64_t j = 0; j < 6; ++j)
    element(sample, 'v', j, 0) = element(sample, 'v', j, 1) = 0.0;
  const FramePattern window = build_frame_pattern({.frames = 3, .n_first_frames = 1});
  const MetricValues values = evaluate_patterns(sample, {&window, 1}).at(0);
  EXPECT_TRUE(std::isnan(value(values, Metric::kRelativeL1)));
  EXPECT_TRUE(std::isnan(value(values, Metric::kRelativeL2)));
  EXPECT_TRUE(std::isnan(value(values, Metric::kCosinePooled)));
  EXPECT_LT(value(values, Metric::kRecallMean), 1.0);
}

// 250 rows: the percentile is the third smallest.
TEST(PatternMetrics, TakeTheFirstPercentileByNearestRank) {
  const Sample sample = make_sample({.frames = 5, .patches = 50, .dim = 3});
  const FramePattern pattern = build_frame_pattern({.frames = 5, .n_first_frames = 2});
  const auto tokens = choose_rows(sample.grid, {.rows_per_frame = 0});
  ASSERT_EQ(tokens.size(), 250U);
  const FramePartials partials = compute_partials(sample, tokens);
  std::vector<double> recalls;
  for (std::size_t r = 0; r < tokens.size(); ++r) {
    const std::vector<double> masses = cell_masses(partials, r);
    recalls.push_back(masses[0] + masses[1]);
  }
  std::sort(recalls.begin(), recalls.end());
  const auto values = evaluate_patterns(sample, {&pattern, 1}, {.rows_per_frame = 0}).at(0);
  EXPECT_NEAR(value(values, Metric::kRecallP01), recalls[2], 1e-14);
}

TEST(PatternMetrics, RefusePatternsAndRowsOfOtherVideos) {
  const PatternPlan plan(3);
  const FrameGrid grid = make_frame_grid(4, 2, 1);
  EXPECT_THROW(PatternEvaluator(plan, grid, 1), Error);
  EXPECT_THROW(PatternPlan(0), Error);
  EXPECT_THROW(PatternPlan(3, std::vector{build_frame_pattern({.frames = 4})}), Error);
  const Sample sample = make_sample({.frames = 3, .patches = 2, .text = 1});
  PatternEvaluator evaluator(plan, sample.grid, 1);
  const std::int64_t text = 6;
  EXPECT_THROW(evaluator.add(compute_partials(sample, {&text, 1})), Error);
  EXPECT_THROW(evaluator.finish(), Error);
}

TEST(FrameSets, AreEqualWhereTheirFramesAre) {
  const std::int64_t cells = 45;
  FrameSets sets(cells);
  std::vector<std::vector<std::int32_t>> known;
  for (int round = 0; round < 200; ++round) {
    std::vector<std::uint8_t> bits(sets.bytes(), 0);
    std::vector<std::int32_t> wanted;
    // A stride and a window, as patterns have them, from few choices so that sets come again.
    const int stride = 2 + round % 5;
    const int first = round % 11;
    for (int c = 0; c < cells; ++c) {
      if (c % stride != 0 && (c < first || c > first + 6)) continue;
      wanted.push_back(c);
      bits[static_cast<std::size_t>(c) / 8] |= static_cast<std::uint8_t>(1U << (c % 8));
    }
    const std::uint32_t number = sets.add(bits);
    EXPECT_EQ(sets.cells_of(number), wanted);
    const auto before = std::find(known.begin(), known.end(), wanted);
    EXPECT_EQ(number, static_cast<std::size_t>(before - known.begin()));
    if (before == known.end()) known.push_back(wanted);
  }
  EXPECT_EQ(sets.sets().size(), known.size());
  EXPECT_EQ(known.size(), 55U);
}

TEST(RowChoice, TakesAsManyRowsInEachFrame) {
  const FrameGrid grid = make_frame_grid(6, 50, 9);
  const auto rows = choose_rows(grid, {.rows_per_frame = 8, .seed = 2});
  ASSERT_EQ(rows.size(), 48U);
  EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto stretch = static_cast<std::int64_t>(i % 8);
    const std::int64_t within = rows[i] - static_cast<std::int64_t>(i / 8) * 50;
    EXPECT_GE(within, stretch * 50 / 8);
    EXPECT_LT(within, (stretch + 1) * 50 / 8);
  }
  EXPECT_NE(rows, choose_rows(grid, {.rows_per_frame = 8, .seed = 3}));
  EXPECT_EQ(choose_rows(grid, {.rows_per_frame = 0}).size(), 300U);
  EXPECT_EQ(choose_rows(grid, {.rows_per_frame = 51}).back(), 299);
  EXPECT_THROW(choose_rows(grid, {.rows_per_frame = -1}), Error);
}

}  // namespace
}  // namespace lvsa::analysis
