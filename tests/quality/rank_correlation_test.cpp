#include "analysis/quality/rank_correlation.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <numeric>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using Values = std::vector<double>;

// Pairs counted one by one, as the definition has it.
double tau_by_pairs(const Values& x, const Values& y) {
  double score = 0, untied_x = 0, untied_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      const double a = x[i] < x[k] ? -1 : (x[i] > x[k] ? 1 : 0);
      const double b = y[i] < y[k] ? -1 : (y[i] > y[k] ? 1 : 0);
      score += a * b;
      untied_x += a * a;
      untied_y += b * b;
    }
  }
  return score / std::sqrt(untied_x * untied_y);
}

Values small_integers(const std::vector<int>& drawn) { return Values(drawn.begin(), drawn.end()); }

// Ten people's scores and hours, a textbook example without ties: the sum of the squared
// differences of ranks is 194, so rho = 1 - 6 * 194 / (10 * 99).
const Values kScores = {86, 97, 99, 100, 101, 103, 106, 110, 112, 113};
const Values kHours = {2, 20, 28, 27, 50, 29, 7, 17, 6, 12};

TEST(RankCorrelation, EqualValuesShareTheMeanOfTheirRanks) {
  EXPECT_EQ(midranks(Values{3.0, 1.0, 3.0, 2.0}), (Values{3.5, 1.0, 3.5, 2.0}));
  EXPECT_EQ(midranks(Values{5.0, 5.0, 5.0}), (Values{2.0, 2.0, 2.0}));
  EXPECT_EQ(midranks(Values{INFINITY, 1.0, -INFINITY}), (Values{3.0, 2.0, 1.0}));
}

TEST(RankCorrelation, RhoWithoutTiesIsTheClassicFormula) {
  EXPECT_NEAR(spearman_rho(kScores, kHours), 1.0 - 6.0 * 194.0 / 990.0, 1e-15);
  EXPECT_NEAR(spearman_rho(kScores, kHours), -29.0 / 165.0, 1e-15);
}

TEST(RankCorrelation, TiesAreCountedAsByHand) {
  // Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: products sum to 4.5, squares to 4.5 and 5.
  const Values x = {1, 2, 2, 3}, y = {1, 3, 2, 4};
  EXPECT_NEAR(spearman_rho(x, y), 4.5 / std::sqrt(4.5 * 5.0), 1e-15);
  // Of six pairs one is tied in x, and the other five agree.
  EXPECT_NEAR(kendall_tau_b(x, y), 5.0 / std::sqrt(5.0 * 6.0), 1e-15);
}

TEST(RankCorrelation, IsNotDefinedWhereOneSideIsAllAlike) {
  EXPECT_TRUE(std::isnan(spearman_rho(Values{1, 1, 1}, Values{1, 2, 3})));
  EXPECT_TRUE(std::isnan(kendall_tau_b(Values{1, 2, 3}, Values{7, 7, 7})));
  const CorrelationTest test = test_correlation(Values{1, 1, 1, 1}, Values{1, 2, 3, 4});
  EXPECT_TRUE(std::isnan(test.rho) && std::isnan(test.p_rho) && std::isnan(test.rho_interval.low));
}

RC_GTEST_PROP(RankCorrelationProperty, TauInNLogNIsTauByPairs, (const std::vector<int>& drawn)) {
  Values x, y;
  for (std::size_t i = 0; i + 1 < drawn.size(); i += 2) {
    x.push_back(drawn[i] % 5);
    y.push_back(drawn[i + 1] % 5);
  }
  RC_PRE(x.size() >= 2);
  const double naive = tau_by_pairs(x, y), quick = kendall_tau_b(x, y);
  RC_ASSERT(std::isnan(naive) == std::isnan(quick));
  if (!std::isnan(naive)) RC_ASSERT(std::abs(naive - quick) < 1e-12);
}

RC_GTEST_PROP(RankCorrelationProperty, KnowsOnlyTheOrder, (const std::vector<int>& drawn)) {
  RC_PRE(drawn.size() >= 3);
  const Values x = small_integers(drawn);
  Values y, bent, turned;
  for (std::size_t i = 0; i < x.size(); ++i) y.push_back(static_cast<double>((i * 7) % x.size()));
  for (const double value : x) bent.push_back(std::atan(value / 50.0));
  for (const double value : x) turned.push_back(-value);
  const double rho = spearman_rho(x, y);
  RC_PRE(!std::isnan(rho));
  RC_ASSERT(spearman_rho(bent, y) == rho);
  RC_ASSERT(std::abs(spearman_rho(turned, y) + rho) < 1e-15);
  RC_ASSERT(spearman_rho(y, x) == rho);
}

TEST(RankCorrelation, ExactPValuesAreThoseOfTheTables) {
  // Perfect order: two of n! permutations are as extreme.
  EXPECT_DOUBLE_EQ(test_correlation(Values{1, 2, 3}, Values{4, 5, 6}).p_rho, 2.0 / 6.0);
  EXPECT_DOUBLE_EQ(test_correlation(Values{1, 2, 3, 4, 5}, Values{9, 7, 5, 3, 1}).p_rho,
                   2.0 / 120.0);
  // rho = 0.9 at n = 5: one-sided 0.042 in the published tables, 5 of 120; tau = 0.8 the same.
  const CorrelationTest swapped = test_correlation(Values{1, 2, 3, 4, 5}, Values{1, 2, 3, 5, 4});
  EXPECT_TRUE(swapped.exact);
  EXPECT_NEAR(swapped.rho, 0.9, 1e-15);
  EXPECT_DOUBLE_EQ(swapped.p_rho, 10.0 / 120.0);
  EXPECT_NEAR(swapped.tau, 0.8, 1e-15);
  EXPECT_DOUBLE_EQ(swapped.p_tau, 10.0 / 120.0);
}

TEST(RankCorrelation, RandomPermutationsComeNearTheKnownP) {
  // n = 10, rho = -0.176: two-sided p 0.63 by the tables' t approximation.
  const CorrelationTest test = test_correlation(kScores, kHours);
  EXPECT_FALSE(test.exact);
  EXPECT_NEAR(test.p_rho, 0.63, 0.02);
  // A perfect order of ten: no random permutation is like it, and the one seen is counted.
  const CorrelationTest perfect = test_correlation(kScores, kScores);
  EXPECT_DOUBLE_EQ(perfect.p_rho, 1.0 / 10000.0);
}

TEST(RankCorrelation, LargeSamplesTakeTheNormalApproximationOfTau) {
  Values x, y;
  for (int i = 0; i < 60; ++i) {
    x.push_back(i);
    y.push_back((i * 37) % 60);
  }
  const CorrelationTest test = test_correlation(x, y);
  const double n = 60.0;
  const double score = test.tau * n * (n - 1.0) / 2.0;
  const double z = score / std::sqrt(n * (n - 1.0) * (2.0 * n + 5.0) / 18.0);
  EXPECT_NEAR(test.p_tau, std::erfc(std::abs(z) / std::sqrt(2.0)), 1e-12);
}

TEST(RankCorrelation, AgreesWithAnIndependentPackageOnTies) {
  // SciPy 1.x: spearmanr, kendalltau; p by going through all 5,040 orders with NumPy.
  const CorrelationTest test =
      test_correlation(Values{1, 2, 2, 3, 3, 3, 4}, Values{2, 1, 4, 3, 3, 5, 5});
  EXPECT_NEAR(test.rho, 0.6859943405700354, 1e-14);
  EXPECT_NEAR(test.tau, 0.5564148840746572, 1e-14);
  EXPECT_NEAR(test.p_rho, 0.09523809523809523, 1e-14);
  EXPECT_NEAR(test.p_tau, 0.12857142857142856, 1e-14);
  // kendalltau(method="asymptotic") with many ties on both sides.
  Values x, y;
  for (int i = 0; i < 60; ++i) {
    x.push_back(i % 7);
    y.push_back((i * 37) % 60 / 3);
  }
  const CorrelationTest large = test_correlation(x, y, {1, 99, 99});
  EXPECT_NEAR(large.tau, -0.04310799243398284, 1e-14);
  EXPECT_NEAR(large.p_tau, 0.6510655477449028, 1e-12);
}

TEST(RankCorrelation, AScoreThatIsOftenAllAlikeHasNoInterval) {
  // One video of seven differs: a third of the resamples miss it.
  const CorrelationTest test =
      test_correlation(Values{1, 2, 3, 4, 5, 6, 7}, Values{0, 1, 1, 1, 1, 1, 1});
  EXPECT_FALSE(std::isnan(test.rho));
  EXPECT_TRUE(std::isnan(test.rho_interval.low));
}

TEST(RankCorrelation, TheBootstrapHoldsWhatIsSeenAndDependsOnTheSeedAlone) {
  const CorrelationTest once = test_correlation(kScores, kHours, {7, 99, 499});
  const CorrelationTest again = test_correlation(kScores, kHours, {7, 99, 499});
  const CorrelationTest other = test_correlation(kScores, kHours, {8, 99, 499});
  EXPECT_EQ(once.rho_interval.low, again.rho_interval.low);
  EXPECT_EQ(once.p_rho, again.p_rho);
  EXPECT_NE(once.rho_interval.low, other.rho_interval.low);
  EXPECT_LT(once.rho_interval.low, once.rho);
  EXPECT_GT(once.rho_interval.high, once.rho);
  EXPECT_GE(once.rho_interval.low, -1.0);
  // Ten pairs in perfect order stay so however they are drawn.
  const CorrelationTest perfect = test_correlation(kScores, kScores, {1, 99, 499});
  EXPECT_EQ(perfect.rho_interval.low, 1.0);
  EXPECT_EQ(perfect.tau_interval.high, 1.0);
}

TEST(RankCorrelation, HolmIsTheTextbookOrder) {
  const std::vector<double> adjusted = holm_adjusted(Values{0.01, 0.04, 0.03, 0.005});
  const Values due = {0.03, 0.06, 0.06, 0.02};
  for (std::size_t i = 0; i < due.size(); ++i) EXPECT_NEAR(adjusted[i], due[i], 1e-15);
  const std::vector<double> with_nan = holm_adjusted(Values{NAN, 0.02, 0.9});
  EXPECT_TRUE(std::isnan(with_nan[0]));
  EXPECT_NEAR(with_nan[1], 0.04, 1e-15);
}

TEST(RankCorrelation, PartialTakesOutTheThirdVariable) {
  EXPECT_NEAR(partial_rho(0.5, 0.3, 0.4), (0.5 - 0.12) / std::sqrt(0.91 * 0.84), 1e-15);
  EXPECT_NEAR(partial_rho(0.12, 0.3, 0.4), 0.0, 1e-15);
  EXPECT_TRUE(std::isnan(partial_rho(0.5, 1.0, 0.4)));
}

TEST(RankCorrelation, RefusesNaNAndLengthsThatDiffer) {
  EXPECT_THROW(test_correlation(Values{1, NAN, 3}, Values{1, 2, 3}), Error);
  EXPECT_THROW(test_correlation(Values{1, 2}, Values{1, 2, 3}), Error);
}

}  // namespace
}  // namespace lvsa::analysis
