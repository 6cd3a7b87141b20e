// Rules at matched density, their tables, and what is left out.

#include "analysis/sweep/pattern_compare.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "analysis/sweep/pattern_compare_files.hpp"
#include "analysis/sweep/pattern_search.hpp"
#include "analysis/sweep/pattern_skip.hpp"
#include "core/error.hpp"
#include "core/io/hdf5.hpp"
#include "tests/compare/compare_support.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {
namespace {

using test_support::refusal_of;

using testing::band_rule;
using testing::noise_sample;
using testing::NoiseSource;
using testing::speckle_rule;

constexpr FrameGrid kGrid{4, 40, 8};

std::size_t at(Metric metric) { return static_cast<std::size_t>(metric); }

CompareOptions options_of(std::vector<CompareRule> rules, std::vector<double> densities = {}) {
  CompareOptions options;
  options.rules = std::move(rules);
  options.densities = std::move(densities);
  options.rows = {4, 1};
  return options;
}

PatternInput static_input() {
  PatternInput input;
  input.video.grid = kGrid;
  return input;
}

TEST(PatternSearch, AnIntegerKnobComesAsNearAsItsStepsAllow) {
  const CompareRule rule = band_rule("band");
  const std::vector<double> targets = {0.5, 0.1, 0.29};
  const auto found = PatternSearch(rule).find(static_input(), targets);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    double nearest = 1.0;
    for (int width = 0; width <= 40; ++width) {
      const auto made = make_patterns(rule, "band width=" + std::to_string(width), static_input());
      nearest = std::min(nearest, std::fabs(made.token_density - targets[i]));
    }
    EXPECT_EQ(std::fabs(found[i]->token_density - targets[i]), nearest);
    EXPECT_EQ(found[i]->words, "band width=" + std::to_string(static_cast<int>(found[i]->knob)));
  }
}

TEST(PatternSearch, ARealKnobEndsNearTheTargetAndDoesNotDependOnTheOtherTargets) {
  const CompareRule rule = speckle_rule("speckle share=0.9");
  const auto found = PatternSearch(rule).find(static_input(), {0.7, 0.2});
  EXPECT_NEAR(found[0]->token_density, 0.7, 0.002 * 0.7);
  EXPECT_NEAR(found[1]->token_density, 0.2, 0.002 * 0.2);
  EXPECT_EQ(found[0]->words.find("share=0.9"), std::string::npos);
}

TEST(PatternSearch, OutOfReachTheEndOfTheKnobStands) {
  CompareRule rule = speckle_rule("speckle");
  rule.knob.densest = 0.4;
  const auto found = PatternSearch(rule).find(static_input(), {1.0});
  EXPECT_EQ(found[0]->words, "speckle share=0.4");
  EXPECT_EQ(found[0]->knob, 0.4);
}

TEST(PatternSearch, ARotationIsMadeWholeAndItsDensityIsTheMean) {
  const auto made = make_patterns(band_rule("band"), "band width=2 turn=3", static_input());
  ASSERT_EQ(made.patterns.size(), 3u);
  double mean = 0.0;
  for (const auto& pattern : made.patterns) mean += token_density(*pattern) / 3.0;
  EXPECT_NEAR(made.token_density, mean, 1e-15);
  EXPECT_EQ(make_patterns(band_rule("band"), "band width=2", static_input()).patterns.size(), 1u);
}

TEST(PatternSearch, ComputedDensityCountsWholeBlocksTokenDensityTheirMasks) {
  HeadPattern pattern = pattern_of_ranges(
      BlockAxis::uniform(10, 4), BlockAxis::uniform(10, 4),
      [](std::int64_t place, std::vector<KeyRange>& out) { out.emplace_back(place, place + 1); });
  EXPECT_NEAR(token_density(pattern), 0.1, 1e-15);
  EXPECT_NEAR(computed_density(pattern.map), (16 + 16 + 4) / 100.0, 1e-15);
}

TEST(Compare, EachEntryHasTheFiguresOfItsPatternOnEachSample) {
  const NoiseSource source(kGrid, 16, 3);
  const auto results = compare_patterns(
      source, options_of({band_rule("band"), speckle_rule("speckle")}, {0.5, 0.2}));
  ASSERT_EQ(results.entries.size(), 4u);
  for (std::size_t e = 0; e < 4; ++e) {
    for (std::size_t i = 0; i < 3; ++i) {
      const CompareFigures& f = results.values[results.place(e, i)];
      EXPECT_NEAR(f.token_density, results.entries[e].target, 0.03);
      EXPECT_DOUBLE_EQ(f.density_distance, std::fabs(f.token_density - results.entries[e].target));
      EXPECT_GT(f.metrics[at(Metric::kRelativeL2)], 0.0);
      EXPECT_GT(f.metrics[at(Metric::kRecallMean)], 0.0);
    }
  }
  // Denser is nearer to the dense output.
  EXPECT_LT(results.values[results.place(0, 0)].metrics[at(Metric::kRelativeL2)],
            results.values[results.place(1, 0)].metrics[at(Metric::kRelativeL2)]);
  // Only one of them predicts, and only odd heads are reordered.
  EXPECT_EQ(results.values[results.place(0, 0)].time.prediction_ms, 0.0);
  EXPECT_GT(results.values[results.place(2, 0)].time.prediction_ms, 0.0);
  EXPECT_EQ(results.values[results.place(2, 0)].time.order_ms, 0.0);
  EXPECT_GT(results.values[results.place(2, 1)].time.order_ms, 0.0);
}

TEST(Compare, ThreadsLeaveNoTraceInTheTables) {
  const NoiseSource source(kGrid, 16, 2);
  const auto text = [&](int threads) {
    CompareOptions options = options_of({band_rule("band turn=3"), speckle_rule("speckle")}, {0.4});
    options.threads = threads;
    const CompareResults results = compare_patterns(source, options);
    const std::string path = ::testing::TempDir() + "/lvsa_compare.csv";
    write_compare_csv(results, path);
    std::ifstream in(path);
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
  };
  const std::string one = text(1);
  EXPECT_EQ(text(3), one);
  EXPECT_GT(one.size(), 500u);
}

TEST(Compare, ARuleThatCannotBeMadeStopsOrIsCountedWithItsReason) {
  const NoiseSource source(kGrid, 16, 4);
  CompareOptions options = options_of({band_rule("band fail=1"), band_rule("band width=2")});
  EXPECT_EQ(refusal_of([&] { compare_patterns(source, options); }),
            "pattern 'band fail=1' (layer 0, step 0, batch 0, head 1): band: an odd head");
  options.exclude = true;
  const CompareResults results = compare_patterns(source, options);
  ASSERT_EQ(results.failures.size(), 2u);
  EXPECT_EQ(results.failures[1].sample, 3u);
  EXPECT_TRUE(results.failed(0, 1));
  EXPECT_FALSE(results.failed(1, 1));
  EXPECT_TRUE(std::isnan(results.values[results.place(0, 1)].metrics[at(Metric::kRecallMean)]));
  // The mean is that of the others.
  const double mean = (results.values[results.place(0, 0)].metrics[at(Metric::kRelativeL2)] +
                       results.values[results.place(0, 2)].metrics[at(Metric::kRelativeL2)]) /
                      2.0;
  EXPECT_DOUBLE_EQ(pooled_figures(results, 0).metrics[at(Metric::kRelativeL2)], mean);
}

TEST(Compare, ARuleWhoseWordsExcludeTheKnobStandsAsItIs) {
  const NoiseSource source(kGrid, 16, 1);
  CompareRule rule = band_rule("band width=1");
  const auto made = rule.make;
  rule.make = [made](const std::string& words) {
    if (words != "band width=1") throw Error(ErrorKind::kValue, "not both");
    return made(words);
  };
  const auto results = compare_patterns(source, options_of({rule}, {0.5, 0.2}));
  ASSERT_EQ(results.entries.size(), 1u);
  EXPECT_TRUE(std::isnan(results.entries[0].target));
  EXPECT_EQ(results.words[0], "band width=1");
}

TEST(Compare, GroupsAreThoseOfLayerAndClass) {
  const NoiseSource source(kGrid, 8, 4);
  const auto results = compare_patterns(source, options_of({band_rule("band")}));
  const auto groups = groups_by_layer_and_class(results);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[1].head_class, "odd");
  EXPECT_EQ(groups[1].samples, (std::vector<std::size_t>{1, 3}));
}

TEST(CompareInput, WordsAreReadAndWrongOnesNamed) {
  const auto rules = parse_compare_rules(" dense block_q=128 ;# nothing\n dense block_q=64\n");
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0].words, "dense");
  EXPECT_EQ(rules[1].words, "dense block_q=64");
  EXPECT_NE(refusal_of([] { parse_compare_rules("dense; dense block_k=64"); }).find("comes twice"),
            std::string::npos);
  EXPECT_NE(refusal_of([] { parse_compare_rules("denser"); }).find("denser"), std::string::npos);
  EXPECT_NE(refusal_of([] { parse_compare_rules(" ; # x"); }).find("no pattern"),
            std::string::npos);
  EXPECT_EQ(parse_densities("0.5, 1"), (std::vector<double>{0.5, 1.0}));
  for (const char* bad : {"0", "1.5", "-0.1", "nan", "half", "0.5,0.5", ""}) {
    EXPECT_NE(refusal_of([&] { parse_densities(bad); }), "accepted") << bad;
  }
}

TEST(Rates, PredictedTimeIsAttentionPredictionAndReordering) {
  const RateChoice rates("dense=100 sparse=50 sparge.sparse=80 prediction=10 memory=2");
  const PatternRates of = rates.of("sparge", 128, 12, kGrid);
  EXPECT_EQ(of.sparse, 80.0);
  EXPECT_EQ(rates.of("radial", 128, 12, kGrid).sparse, 50.0);
  // 4 * 1000^2 * 128 flops = 5.12e8.
  const PredictedTime t = predict_time({0.25, 1e6, true}, of, 1000, 128);
  EXPECT_NEAR(t.dense_ms, 5.12e8 / 100e12 * 1e3, 1e-12);
  EXPECT_NEAR(t.attention_ms, 0.25 * 5.12e8 / 80e12 * 1e3, 1e-12);
  EXPECT_NEAR(t.prediction_ms, 1e6 / 10e12 * 1e3, 1e-12);
  EXPECT_NEAR(t.order_ms, 16.0 * 1000 * 128 / 2e12 * 1e3, 1e-12);
  EXPECT_NEAR(t.speedup, t.dense_ms / (t.attention_ms + t.prediction_ms + t.order_ms), 1e-12);
  EXPECT_EQ(predict_time({1.0, 0.0, false}, of, 1000, 128).speedup, 1.0);
  for (const char* bad : {"dense", "dense=0", "dense=x", "fast=3", "dense=1 dense=2"}) {
    EXPECT_NE(refusal_of([&] { RateChoice choice(bad); }), "accepted") << bad;
  }
}

// Two keys blocks of one key each; the second row's scores tell whether the block is skipped.
TEST(Skip, FollowsTheRuleOnBlocksThatAreEasyToCount) {
  const FrameGrid grid{1, 4, 0};
  Sample sample = noise_sample(grid, 1, 1);
  auto storage = std::make_shared<std::vector<double>>();
  // q = 1, k = 0, -10, -3, -20: log2 units of the scores are these times scale log2 e.
  *storage = {1, 1, 1, 1, 0, -10, -3, -20};
  sample.q.data = storage->data();
  sample.k.data = storage->data() + 4;
  sample.scale = 0.6931471805599453;
  HeadPattern pattern;
  pattern.map = full_block_map(BlockAxis::uniform(4, 4), BlockAxis::uniform(4, 1));
  EXPECT_FALSE(skips_blocks(pattern));
  pattern.skip = SkipRule{5.0};
  ASSERT_TRUE(skips_blocks(pattern));
  // Of the blocks -10 (skipped), -3 (stays), -20 (the last, never skipped).
  const SkipFigures figures = measure_skip(sample, pattern);
  EXPECT_DOUBLE_EQ(figures.left, 0.75);
  const double all = 1.0 + 0x1p-10 + 0x1p-3 + 0x1p-20;
  EXPECT_NEAR(figures.mass, 0x1p-10 / all, 1e-15);
  pattern.skip = SkipRule{50.0};
  EXPECT_FALSE(skips_blocks(pattern));
}

TEST(CompareFiles, TheHdf5FileHoldsTheFiguresUnderTheirScales) {
  const NoiseSource source(kGrid, 8, 3);
  const CompareOptions options =
      options_of({band_rule("band"), speckle_rule("speckle share=0.5")}, {0.3});
  const auto results = compare_patterns(source, options);
  const std::string path = ::testing::TempDir() + "/lvsa_compare.h5";
  write_compare_hdf5(results, plan_of_comparison(source, options), path);
  const Hdf5File file(path);
  const RealDataset recall = file.read_reals("metrics/recall");
  const RealDataset density = file.read_reals("figures/token_density");
  EXPECT_EQ(recall.shape, (std::vector<std::int64_t>{2, 3}));
  for (std::size_t i = 0; i < results.values.size(); ++i) {
    EXPECT_EQ(recall.values[i], results.values[i].metrics[at(Metric::kRecallMean)]);
    EXPECT_EQ(density.values[i], results.values[i].token_density);
  }
  EXPECT_EQ(file.read_texts("entries/pattern"),
            (std::vector<std::string>{"band", "speckle share=0.5"}));
  EXPECT_EQ(file.read_texts("made/words"), results.words);
  EXPECT_EQ(file.read_texts("samples/class"), (std::vector<std::string>{"even", "odd", "even"}));
  EXPECT_EQ(file.text_attribute("metrics/recall", "better"), "higher");
}

}  // namespace
}  // namespace lvsa::analysis
