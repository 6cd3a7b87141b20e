#include "analysis/diagnose/cache_rules.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

// Which of the first steps compute all of `blocks` blocks: 'x', else '.'.
std::string computed(CacheRule rule, const std::vector<double>& changes, std::int64_t blocks) {
  std::string text;
  const auto steps = static_cast<std::int64_t>(changes.size());
  for (const double change : changes) {
    text += rule.next(change, steps, blocks).first == blocks ? 'x' : '.';
  }
  return text;
}

TEST(TeaCache, SkipsWhileTheSumStaysBelowTheThreshold) {
  // Sums after the first step: 0.125, 0.25 (not below: computes), 0.125, 0.25, ...
  TeaCacheSettings settings;
  settings.threshold = 0.25;
  EXPECT_EQ(computed(CacheRule(settings), std::vector<double>(7, 0.125), 4), "x.x.x.x");
}

TEST(TeaCache, RescalesByThePolynomialHighestPowerFirst) {
  // 2 x^2 - x + 0.25 is 0.125 at 0.25, and taken by its size where it is negative.
  TeaCacheSettings settings;
  settings.threshold = 0.25;
  settings.coefficients = {2.0, -1.0, 0.25};
  EXPECT_EQ(computed(CacheRule(settings), std::vector<double>(5, 0.25), 4), "x.x.x");
  settings.coefficients = {-1.0, 0.0};
  EXPECT_EQ(computed(CacheRule(settings), std::vector<double>(5, 0.125), 4), "x.x.x");
}

TEST(TeaCache, ComputesTheFirstAndTheLastStepsWhatever) {
  TeaCacheSettings settings;
  settings.threshold = 100.0;
  settings.first_steps = 2;
  settings.last_steps = 1;
  EXPECT_EQ(computed(CacheRule(settings), std::vector<double>(6, 0.1), 4), "xx...x");
}

TEST(DbCache, LeavesTheMiddleBlocksOutAndComparesWithTheLastComputedStep) {
  DbCacheSettings settings;
  settings.threshold = 0.25;
  settings.first_blocks = 2;
  settings.last_blocks = 1;
  settings.warmup_steps = 2;
  CacheRule rule(settings);
  // Changes since the last computed step: -, -, 0.125, 0.25 (not below), 0.125.
  std::string text;
  for (int step = 0; step < 5; ++step) {
    const ComputedBlocks blocks = rule.next(0.125, 5, 10);
    text += blocks.first == 10 ? 'x' : '.';
    if (blocks.first != 10) {
      EXPECT_EQ(blocks.first, 2);
      EXPECT_EQ(blocks.last, 1);
    }
  }
  EXPECT_EQ(text, "xx.x.");
}

TEST(DbCache, KeepsItsLimitsOnCachedSteps) {
  DbCacheSettings settings;
  settings.threshold = 1.0;  // everything is similar
  settings.first_blocks = 1;
  settings.warmup_steps = 1;
  settings.most_cached = 3;
  EXPECT_EQ(computed(CacheRule(settings), std::vector<double>(7, 9.0), 4), "x...xxx");
  settings.most_cached = -1;
  settings.most_consecutive = 2;
  // After a reset the published count starts at the second cached step in a row, with 2.
  EXPECT_EQ(computed(CacheRule(settings), std::vector<double>(9, 9.0), 4), "x..x..x..");
}

TEST(DbCache, SkipsNothingWithoutMiddleBlocksOrThreshold) {
  DbCacheSettings settings;
  settings.first_blocks = 8;
  settings.last_blocks = 8;
  settings.warmup_steps = 0;
  settings.threshold = 1.0;
  EXPECT_EQ(computed(CacheRule(settings), std::vector<double>(3, 0.0), 16), "xxx");
  settings.last_blocks = 0;
  settings.threshold = 0.0;
  EXPECT_EQ(computed(CacheRule(settings), std::vector<double>(3, 0.0), 16), "xxx");
}

TEST(CacheRules, RefuseWhatMakesNoSense) {
  TeaCacheSettings tea;
  tea.threshold = std::nan("");
  EXPECT_THROW(CacheRule{tea}, Error);
  tea.threshold = 0.1;
  tea.first_steps = 0;
  EXPECT_THROW(CacheRule{tea}, Error);
  DbCacheSettings db;
  db.first_blocks = 0;
  EXPECT_THROW(CacheRule{db}, Error);
}

}  // namespace
}  // namespace lvsa::analysis
