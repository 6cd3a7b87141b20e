// The oracle's outputs and every sum of the bounds against the definition in 220 bits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "reference/attention/oracle_loops.hpp"
#include "reference/attention/simd_level.hpp"
#include "tests/analysis/exact_row.hpp"

namespace lvsa::analysis {
namespace {

constexpr reference::ScoreErrorModel kErrors{
    .dot = 0x1p-16, .score = 2.0, .exponent = 3.0, .constant = 4.0, .unit = 0x1p-24};

// Roundings of fp64 on the way to a sum over the row, first order, twice over: D + 2 in a score
// (relative to its absolute sum), 3 more and the size of the argument in a weight, one for each key
// in a sum.
double oracle_error(const RowInputs& inputs, const ExactRow& exact) {
  double worst = 0.0;
  for (std::size_t j = 0; j < exact.p.size(); ++j) {
    // Where the weight is below 2^-1074 nothing is left that could be wrong.
    const double below = std::min((exact.max - exact.score[j]).value(), 760.0);
    worst =
        std::max(worst, exact.absolute[j].value() * static_cast<double>(inputs.dim + 2) + below);
  }
  return 2.0 * (2.0 * worst + static_cast<double>(inputs.keys) + 8.0) * 0x1p-53;
}

// What underflow leaves out of a sum of weights times values.
double lost(const RowInputs& inputs) {
  double most = 1.0;
  for (const double v : inputs.v) most = std::max(most, std::fabs(v));
  return static_cast<double>(inputs.keys) * most * 2.0 * std::ldexp(1.0, -1074);
}

void expect_columns(const RowInputs& inputs, const ExactRow& exact, const reference::RowResult& got,
                    double error) {
  for (std::int64_t c = 0; c < std::min<std::int64_t>(inputs.dim, 3); ++c) {
    SCOPED_TRACE(c);
    const auto i = static_cast<std::size_t>(c);
    const ExactColumn sums = exact_column(inputs, exact, kErrors, c);
    const double spread = sums.magnitude.value() + std::fabs(sums.out.value());
    const double tiny = lost(inputs);
    EXPECT_NEAR(got.out[i], sums.out.value(), error * spread + tiny);
    EXPECT_NEAR(got.magnitude[i], sums.magnitude.value(), error * sums.magnitude.value() + tiny);
    EXPECT_NEAR(got.value_sum[i], sums.value_sum.value(), error * sums.value_sum.value());
    // The centre moves with the output's own error.
    EXPECT_NEAR(got.deviation[i], sums.deviation.value(), 2.0 * error * spread + tiny);
    EXPECT_NEAR(got.score_shift[i], sums.score_shift.value(),
                2.0 * error * (sums.score_shift.value() + got.max_eta * spread) + tiny);
  }
}

TEST(OracleInManyBits, AgreesInEverySumOfEveryHardRow) {
  for (const std::uint64_t seed : {1U, 2U}) {
    for (const RowInputs& inputs : hard_rows(seed)) {
      SCOPED_TRACE(inputs.name);
      const ExactRow exact = exact_row(inputs);
      const OracleRow made = oracle_row(inputs);
      const auto got = attend_row(made.problem, {0, 0, 0}, kErrors);
      const double error = oracle_error(inputs, exact);
      ASSERT_LT(error, 1e-6) << "the test would see nothing";
      const double size = 1.0 + std::fabs(exact.lse.value());
      EXPECT_NEAR(got.max_score, exact.max.value(), error * size);
      EXPECT_NEAR(got.lse, exact.lse.value(), error * size);
      EXPECT_NEAR(got.normaliser, exact.normaliser.value(), error * exact.normaliser.value());
      Real weighted;
      double worst = 0.0;
      for (std::size_t j = 0; j < exact.p.size(); ++j) {
        const Real eta = exact_eta(exact, kErrors, j);
        weighted += exact.p[j] * eta;
        worst = std::max(worst, eta.value());
      }
      EXPECT_NEAR(got.lse_shift, (weighted / exact.normaliser).value(), 2.0 * error * got.max_eta);
      EXPECT_NEAR(got.max_eta, worst, error * (1.0 + worst));
      expect_columns(inputs, exact, got, error);
    }
  }
}

TEST(OracleInManyBits, ExponentialIsWithinAUnitInTheLastPlace) {
  std::vector<double> x = {0.0, -0x1p-60, -1.0, -700.0, -745.0, -746.0, -800.0, -1e9, -INFINITY};
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> uniform(0.0, 1.0);
  for (int i = 0; i < 20000; ++i) {
    const double range = i % 3 == 0 ? 1.0 : i % 3 == 1 ? 40.0 : 750.0;
    x.push_back(-range * uniform(random));
  }
  std::vector<double> y(x.size());
  reference::kOracleBaselineLoops.exp_array(x.data(), y.data(),
                                            static_cast<std::int64_t>(x.size()));
  EXPECT_EQ(y[0], 1.0);
  EXPECT_EQ(y[8], 0.0);
  double worst = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i])) continue;
    const Real exact = exp(Real(x[i]));
    const double nearest = exact.value();
    const double unit = std::max(std::ldexp(1.0, -1074), std::nextafter(nearest, 2.0) - nearest);
    worst = std::max(worst, (abs(Real(y[i]) - exact) / Real(unit)).value());
  }
  EXPECT_LT(worst, 1.01);
  EXPECT_GT(worst, 0.4) << "nothing was measured";
}

}  // namespace
}  // namespace lvsa::analysis
