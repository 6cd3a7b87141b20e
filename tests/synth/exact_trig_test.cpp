// Against the system's functions, which are right to a unit or so in the last place.
#include <gtest/gtest.h>

#include <cmath>

#include "analysis/synth/rope.hpp"
#include "core/exact/exact_functions.hpp"

namespace lvsa::synth {
namespace {

TEST(ExactTrig, ExponentialIsThatOfTheSystem) {
  for (double x = -50.0; x < 50.0; x += 0.0371) {
    EXPECT_NEAR(exact::exp(x) / std::exp(x), 1.0, 1e-14) << x;
  }
  EXPECT_EQ(exact::exp(0.0), 1.0);
}

TEST(ExactTrig, SineAndCosineAreThoseOfTheSystem) {
  for (double x = -500.0; x < 500.0; x += 0.0713) {
    EXPECT_NEAR(exact::sincos(x).sin, std::sin(x), 1e-13) << x;
    EXPECT_NEAR(exact::sincos(x).cos, std::cos(x), 1e-13) << x;
  }
}

// The split and the frequencies of WanRotaryPosEmbed for a head dimension of 128.
TEST(Rope, DividesTheHeadAsWanDoes) {
  const auto axes = rope_axes(128);
  EXPECT_EQ(axes[0].pairs(), 22);
  EXPECT_EQ(axes[1].pairs(), 21);
  EXPECT_EQ(axes[2].pairs(), 21);
  EXPECT_EQ(axes[1].first_pair, 22);
  EXPECT_EQ(axes[2].first_pair, 43);
  for (const RopeAxis& axis : axes) {
    for (std::size_t i = 0; i < axis.turns.size(); ++i) {
      const double dim = 2.0 * static_cast<double>(axis.pairs());
      EXPECT_NEAR(axis.turns[i] / std::pow(10000.0, -2.0 * static_cast<double>(i) / dim), 1.0,
                  1e-13);
    }
  }
}

double nearness(const RopeAxis& axis, double reach, double distance) {
  const auto shares = nearness_shares(axis, reach);
  double sum = 0.0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    sum += shares[i] * std::cos(axis.turns[i] * distance);
  }
  return sum;
}

TEST(Rope, NearnessFallsLikeAnExponentialWhereTheFrequenciesAllowIt) {
  const RopeAxis axis = rope_axes(128)[0];
  for (const double reach : {4.0, 8.0, 16.0}) {
    for (double d = 0.0; d < 12.0; d += 1.0) {
      EXPECT_NEAR(nearness(axis, reach, d), std::exp(-d / reach), 0.15);
    }
  }
}

TEST(Rope, NearnessFallsFromOneForShortReaches) {
  const RopeAxis axis = rope_axes(128)[0];
  for (const double reach : {0.0, 1.0, 2.0}) {
    EXPECT_NEAR(nearness(axis, reach, 0.0), 1.0, 1e-14);
    for (const double d : {1.0, 2.0, 3.0}) {
      EXPECT_LT(nearness(axis, reach, d), nearness(axis, reach, d - 1.0));
    }
  }
}

TEST(Rope, TheSharpestNearnessHasNoEcho) {
  const RopeAxis axis = rope_axes(128)[1];
  for (double d = 3.0; d < 60.0; d += 1.0) EXPECT_LT(nearness(axis, 0.0, d), 0.5) << d;
}

}  // namespace
}  // namespace lvsa::synth
