#include "analysis/speed/median_statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

namespace lvsa::analysis {
namespace {

using Generator = std::mt19937_64;

// Values of a distribution whose median is 1, from a uniform number between 0 and 1.
double normal_quantile_like(Generator& generator) {
  std::normal_distribution<double> normal(1.0, 0.1);
  return normal(generator);
}
double exponential(Generator& generator) {
  std::exponential_distribution<double> draw(std::numbers::ln2);
  return draw(generator);
}
double cauchy(Generator& generator) {
  std::cauchy_distribution<double> draw(1.0, 0.1);
  return draw(generator);
}

// Share of samples whose interval holds 1.
template <typename Draw>
double coverage(Draw draw, std::size_t n, double level) {
  constexpr int kSamples = 2000;
  Generator generator(7);
  int held = 0;
  for (int i = 0; i < kSamples; ++i) {
    std::vector<double> values(n);
    for (double& value : values) value = draw(generator);
    const RatioEstimate e = MedianSample::independent(values).interval(level);
    held += e.low <= 1.0 && 1.0 <= e.high ? 1 : 0;
  }
  return static_cast<double>(held) / kSamples;
}

TEST(BinomialTail, IsWhatHandsCompute) {
  EXPECT_NEAR(binomial_tail(10, 0.5, 8), 56.0 / 1024.0, 1e-14);
  EXPECT_NEAR(binomial_tail(3, 0.2, 1), 1.0 - 0.512, 1e-14);
  EXPECT_NEAR(binomial_tail(20, 0.5, 20), std::ldexp(1.0, -20), 1e-18);
  EXPECT_EQ(binomial_tail(5, 0.3, 0), 1.0);
  EXPECT_EQ(binomial_tail(5, 0.3, 6), 0.0);
  EXPECT_EQ(binomial_tail(5, 0.0, 1), 0.0);
  EXPECT_EQ(binomial_tail(5, 1.0, 5), 1.0);
}

TEST(BinomialTail, KeepsItsDigitsForHundredsOfTrials) {
  // Symmetric about the middle: P(X >= 303) of 605 is one half.
  EXPECT_NEAR(binomial_tail(605, 0.5, 303), 0.5, 1e-12);
  EXPECT_NEAR(binomial_tail(605, 0.5, 605) * std::ldexp(1.0, 605), 1.0, 1e-9);
}

TEST(MedianOf, TakesTheMeanOfTheMiddleTwo) {
  EXPECT_EQ(median_of(std::vector<double>{3.0, 1.0, 2.0}), 2.0);
  EXPECT_EQ(median_of(std::vector<double>{4.0, 1.0, 2.0, 3.0}), 2.5);
}

// The distribution of the median over all resamples, against resamples drawn one by one.
TEST(Bootstrap, OfAllResamplesIsTheLimitOfDrawnOnes) {
  const std::vector<double> values{0.9, 0.95, 0.97, 1.0, 1.01, 1.02, 1.05, 1.06, 1.1, 1.3, 2.0};
  Generator generator(11);
  std::uniform_int_distribution<std::size_t> pick(0, values.size() - 1);
  constexpr int kResamples = 40'000;
  int below = 0;
  for (int i = 0; i < kResamples; ++i) {
    std::vector<double> resample(values.size());
    for (double& value : resample) value = values[pick(generator)];
    below += median_of(resample) <= 1.0 ? 1 : 0;
  }
  const double exact = binomial_tail(11, 4.0 / 11.0, 6);  // four values up to 1
  EXPECT_NEAR(static_cast<double>(below) / kResamples, exact, 0.01);
}

TEST(MedianInterval, HoldsTheMedianAsOftenAsItSays) {
  for (const std::size_t n : {std::size_t{15}, std::size_t{45}}) {
    for (const double level : {0.95, 0.99}) {
      // Never rarer, save for chance in 2,000 samples; not much more often either.
      const double allowance = 3.0 * std::sqrt(level * (1.0 - level) / 2000.0);
      for (const double share : {coverage(normal_quantile_like, n, level),
                                 coverage(exponential, n, level), coverage(cauchy, n, level)}) {
        EXPECT_GE(share, level - allowance) << n << " values, level " << level;
        EXPECT_LT(share, 1.0);
      }
    }
  }
}

TEST(MedianInterval, SaysWhatThePValuesSay) {
  Generator generator(3);
  for (int i = 0; i < 200; ++i) {
    std::vector<double> values(5 + generator() % 60);
    for (double& value : values) value = exponential(generator);
    const MedianSample sample(values);
    const double level = 0.999;
    const double side = (1.0 - level) / 2.0;
    const RatioEstimate e = sample.interval(level);
    EXPECT_LE(e.low, e.median);
    EXPECT_GE(e.high, e.median);
    for (const double c : {0.2, 0.7, 1.0, 1.4, 3.0}) {
      EXPECT_EQ(e.low > c, sample.p_at_most(c) <= side) << c;
      EXPECT_EQ(e.high < c, sample.p_at_least(c) <= side) << c;
    }
  }
}

TEST(MedianInterval, IsEverythingForTooFewValues) {
  const std::vector<double> values{1.0, 1.0, 1.0, 1.0, 1.0};
  const RatioEstimate e = MedianSample(values).interval(0.99);  // 2^-5 is more than half a percent
  EXPECT_EQ(e.low, 0.0);
  EXPECT_TRUE(std::isinf(e.high));
}

TEST(EffectiveCount, IsSmallerForValuesThatAreLikeTheirNeighbours) {
  Generator generator(5);
  std::normal_distribution<double> normal;
  std::vector<double> values(401);
  double walk = 0.0;
  for (double& value : values) value = walk = 0.8 * walk + normal(generator);
  EXPECT_LT(effective_count(values), 200U);
  std::shuffle(values.begin(), values.end(), generator);
  EXPECT_GT(effective_count(values), 250U);
  EXPECT_EQ(effective_count(std::vector<double>(9, 1.0)), 9U);
}

TEST(EffectiveCount, KeepsTheCoverageOfCorrelatedValues) {
  Generator generator(13);
  std::normal_distribution<double> normal;
  constexpr int kSamples = 1000;
  int held = 0;
  int held_naively = 0;
  for (int i = 0; i < kSamples; ++i) {
    std::vector<double> values(105);
    double walk = 0.0;
    for (double& value : values) {
      walk = 0.6 * walk + normal(generator);
      value = 1.0 + 0.01 * walk;
    }
    const auto holds = [](const RatioEstimate& e) { return e.low <= 1.0 && 1.0 <= e.high; };
    held += holds(MedianSample(values).interval(0.95)) ? 1 : 0;
    held_naively += holds(MedianSample::independent(values).interval(0.95)) ? 1 : 0;
  }
  EXPECT_GT(held, 900);
  EXPECT_LT(held_naively, 850);
}

// The example that textbooks have: sorted 0.005, 0.01, 0.03, 0.04 against 0.05 / 4, 3, 2, 1.
TEST(Holm, IsWhatHandsCompute) {
  const std::vector<double> p{0.01, 0.04, 0.03, 0.005};
  const std::vector<HolmStep> steps = holm(p, 0.05);
  EXPECT_TRUE(steps[3].rejected);
  EXPECT_TRUE(steps[0].rejected);
  EXPECT_FALSE(steps[2].rejected);
  EXPECT_FALSE(steps[1].rejected);  // 0.04 is below 0.05, but the one before it has stayed
  EXPECT_DOUBLE_EQ(steps[3].threshold, 0.05 / 4);
  EXPECT_DOUBLE_EQ(steps[0].threshold, 0.05 / 3);
  EXPECT_DOUBLE_EQ(steps[2].threshold, 0.05 / 2);
  EXPECT_DOUBLE_EQ(steps[1].threshold, 0.05 / 2);
}

TEST(Holm, RejectsAtTheThresholdItself) {
  EXPECT_TRUE(holm(std::vector<double>{0.025, 0.05}, 0.05)[1].rejected);
  EXPECT_FALSE(holm(std::vector<double>{0.0251, 0.05}, 0.05)[1].rejected);
  EXPECT_TRUE(holm(std::vector<double>{}, 0.05).empty());
}

// Nine values in three groups that do not overlap: H = 7.2, and exp(-3.6) for two degrees of
// freedom.
TEST(KruskalWallis, IsWhatHandsCompute) {
  const std::vector<double> values{1, 2, 3, 4, 5, 6, 7, 8, 9};
  const std::vector<std::int64_t> groups{0, 0, 0, 1, 1, 1, 2, 2, 2};
  EXPECT_NEAR(kruskal_wallis(values, groups), std::exp(-3.6), 0.002);
  EXPECT_EQ(kruskal_wallis(values, std::vector<std::int64_t>(9, 0)), 1.0);
  const std::vector<std::int64_t> mixed{0, 1, 2, 2, 1, 0, 0, 1, 2};
  EXPECT_GT(kruskal_wallis(values, mixed), 0.5);
}

}  // namespace
}  // namespace lvsa::analysis
