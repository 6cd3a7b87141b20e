#include "analysis/verify/bounds.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace lvsa::analysis {
namespace {

reference::RowResult one_column(double out, double magnitude) {
  reference::RowResult row;
  row.out = {out};
  row.magnitude = {magnitude};
  row.score_shift = {0.0};
  row.value_sum = {0.0};
  row.keys = 1000;
  return row;
}

TEST(BoundModel, TakesTheWorstCaseForWhatAKernelDoesNotSay) {
  const BoundModel unknown = make_bound_model(nullptr, LVSA_BF16, 128);
  EXPECT_EQ(unknown.p_roundoff, 0x1p-8);
  EXPECT_EQ(unknown.accumulator_roundoff, 0x1p-23);
  EXPECT_EQ(accumulation_steps(unknown, 1000, 1000), 2001);
  lvsa_numerics numerics{};
  numerics.key_tile = 64;
  numerics.p_dtype = LVSA_F32;
  numerics.accumulator = LVSA_F32;
  const BoundModel known = make_bound_model(&numerics, LVSA_BF16, 128);
  EXPECT_EQ(known.p_roundoff, 0x1p-24);
  EXPECT_EQ(known.accumulator_roundoff, 0x1p-24);
  EXPECT_EQ(accumulation_steps(known, 1000, 16), 64 + 32);
}

TEST(BoundModel, CountsTilesThatEndWithTheirFrame) {
  BoundModel model = make_bound_model(nullptr, LVSA_BF16, 128);
  const FrameGrid grid{10, 100, 30};
  EXPECT_EQ(count_tiles(model, grid, 4, 430), 430);
  model.key_tile = 64;
  EXPECT_EQ(count_tiles(model, grid, 4, 430), 4 * 2 + 1);
  model.tiles_cross_frames = true;
  EXPECT_EQ(count_tiles(model, grid, 4, 430), 7);
}

TEST(Tolerance, AddsItsFourTerms) {
  BoundModel model;
  model.p_roundoff = 0x1p-8;
  model.p_underflow = 0x1p-25;
  model.accumulator_roundoff = 0x1p-24;
  reference::RowResult row = one_column(0.5, 2.0);
  row.score_shift = {1e-6};
  row.value_sum = {3.0};
  const Tolerance t = output_tolerance(model, row, 0, 100);
  EXPECT_DOUBLE_EQ(t.p_rounding, 2.0 / 256);
  EXPECT_DOUBLE_EQ(t.scores, 1e-6);
  EXPECT_DOUBLE_EQ(t.accumulation, 104 * 0x1p-24 * 2.5);
  EXPECT_DOUBLE_EQ(t.underflow, 3.0 * 0x1p-25);
  EXPECT_DOUBLE_EQ(t.total,
                   (1 + 0x1p-6) * (t.p_rounding + t.scores + t.accumulation + t.underflow));
}

TEST(AcceptInterval, HoldsExactlyTheRoundedValuesOfTheTolerance) {
  const Interval interval = accept_interval(1.0, 0.01, LVSA_BF16);
  EXPECT_EQ(interval.low, 0.98828125);
  EXPECT_EQ(interval.high, 1.0078125);
  EXPECT_FALSE(interval.contains(NAN));
  EXPECT_TRUE(accept_interval(0.0, 0.0, LVSA_F32).contains(-0.0));
  EXPECT_TRUE(accept_interval(-INFINITY, 0.0, LVSA_F32).contains(-INFINITY));
  EXPECT_FALSE(accept_interval(1.0, 0.01, LVSA_BF16).contains(INFINITY));
}

TEST(UnroundedError, AgreesWithTheInterval) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> uniform(-1.0, 1.0);
  for (int i = 0; i < 20000; ++i) {
    for (const DType dtype : {LVSA_F16, LVSA_BF16, LVSA_F32}) {
      const double exact = uniform(random);
      const double tolerance =
          std::ldexp(std::fabs(uniform(random)), -static_cast<int>(random() % 20));
      const double got = round_to_dtype(dtype, exact + 3 * tolerance * uniform(random));
      const bool accepted = accept_interval(exact, tolerance, dtype).contains(got);
      const double error = unrounded_error(exact, got, dtype);
      // A hair of room for ties and the rounding of exact +- tolerance itself.
      if (error < tolerance * (1 - 1e-9)) {
        EXPECT_TRUE(accepted) << exact << " " << got;
      }
      if (error > tolerance * (1 + 1e-9)) {
        EXPECT_FALSE(accepted) << exact << " " << got;
      }
    }
  }
}

TEST(UnroundedError, IsInfiniteForWhatIsNotFinite) {
  EXPECT_EQ(unrounded_error(1.0, INFINITY, LVSA_BF16), INFINITY);
  EXPECT_EQ(unrounded_error(1.0, NAN, LVSA_BF16), INFINITY);
  EXPECT_EQ(unrounded_error(1.0, 1.0, LVSA_BF16), 0.0);
}

}  // namespace
}  // namespace lvsa::analysis
