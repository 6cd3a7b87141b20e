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
  row.deviation = {1.25};
  row.score_shift = {0.0};
  row.value_sum = {0.0};
  row.normaliser = 20.0;
  row.keys = 1000;
  return row;
}

TEST(BoundModel, TakesTheWorstCaseForWhatAKernelDoesNotSay) {
  const BoundModel unknown = make_bound_model(nullptr, LVSA_BF16, 128);
  EXPECT_EQ(unknown.p_roundoff, 0x1p-8);
  EXPECT_EQ(unknown.accumulator_roundoff, 0x1p-23);
  EXPECT_EQ(unknown.denominator, Denominator::kUnknown);
  EXPECT_TRUE(unknown.rescales);
  EXPECT_EQ(accumulation_steps(unknown, 1000, 1000), 2001);
  lvsa_numerics numerics{};
  numerics.key_tile = 64;
  numerics.p_dtype = LVSA_F32;
  numerics.accumulator = LVSA_F32;
  BoundModel known = make_bound_model(&numerics, LVSA_BF16, 128);
  EXPECT_EQ(known.p_roundoff, 0x1p-24);
  EXPECT_EQ(known.accumulator_roundoff, 0x1p-24);
  EXPECT_EQ(known.denominator, Denominator::kExactP);
  EXPECT_FALSE(known.rescales_drift);
  EXPECT_EQ(accumulation_steps(known, 1000, 16), 1 + 1000 + 16) << "a carried accumulator";
  known.sum_step = 64;
  EXPECT_EQ(accumulation_steps(known, 1000, 16), 64 + 2 * 16) << "sums that start with their tile";
  known.sum_step = 16;
  EXPECT_EQ(accumulation_steps(known, 1000, 16), 16 + (63 + 16) + 16);
  known.splits = 3;
  EXPECT_EQ(accumulation_steps(known, 1000, 16), 16 + (63 + 16) + 16 + 8);
}

TEST(BoundModel, TakesWhatIsDeclaredOfTheSchedule) {
  lvsa_numerics numerics{};
  numerics.p_dtype = LVSA_E4M3;
  numerics.p_rounding = LVSA_P_TOWARD_ZERO;
  numerics.p_scale_log2 = 8;
  numerics.sum_rounded_p = 1;
  numerics.split_keys = 3;
  numerics.partial_dtype = LVSA_BF16;
  numerics.key_order = LVSA_KEYS_ASCENDING;
  BoundModel model = make_bound_model(&numerics, LVSA_BF16, 64);
  EXPECT_EQ(model.p_roundoff, 0x1p-3);
  EXPECT_EQ(model.p_underflow, 0x1p-17);
  EXPECT_EQ(model.denominator, Denominator::kRoundedP);
  EXPECT_EQ(model.partial_roundoff, 0x1p-8);
  EXPECT_EQ(model.scores.score, 3.0);
  EXPECT_EQ(model.scores.exponent, 11.0);
  EXPECT_TRUE(model.rescales_drift);
  numerics.max_rule = LVSA_MAX_FINAL;
  numerics.rescale_exact = 1;
  model = make_bound_model(&numerics, LVSA_BF16, 64);
  EXPECT_FALSE(model.rescales);
  EXPECT_FALSE(model.rescales_drift);
}

TEST(BoundModel, TakesTheWorstAccumulatorsThatAreKnownUnlessToldOthers) {
  EXPECT_EQ(make_bound_model(nullptr, LVSA_BF16, 64).accumulator_roundoff, 0x1p-23);
  EXPECT_EQ(make_bound_model(nullptr, LVSA_F32, 64).accumulator_roundoff, 0x1p-23);
  EXPECT_EQ(make_bound_model(nullptr, LVSA_E4M3, 64).accumulator_roundoff, 0x1p-13);
  lvsa_numerics numerics{};
  numerics.accumulator_roundoff = 0x1p-20;
  EXPECT_EQ(make_bound_model(&numerics, LVSA_BF16, 64).accumulator_roundoff, 0x1p-20);
}

TEST(BoundModel, CountsTheFactorsOfFp8Tensors) {
  const BoundModel plain = make_bound_model(nullptr, LVSA_BF16, 64);
  const BoundModel fp8 = make_bound_model(nullptr, LVSA_E4M3, 64);
  EXPECT_EQ(fp8.scores.score, plain.scores.score + 2.0);
  EXPECT_EQ(fp8.scores.exponent, plain.scores.exponent + 2.0);
  EXPECT_EQ(fp8.last_roundings(), plain.last_roundings() + 1.0);
}

TEST(BoundModel, CountsTilesThatEndWithTheirFrame) {
  BoundModel model = make_bound_model(nullptr, LVSA_BF16, 128);
  const FrameGrid grid{10, 100, 30};
  EXPECT_EQ(count_tiles(model, grid, 4, 430), 430);
  model.key_tile = 64;
  EXPECT_EQ(count_tiles(model, grid, 4, 430), 4 * 2 + 1);
  model.tiles_cross_frames = 1;
  EXPECT_EQ(count_tiles(model, grid, 4, 430), 7);
  model.tiles_cross_frames = 2;
  EXPECT_EQ(count_tiles(model, grid, 4, 430), 7 + 1);
}

BoundModel plain_model() {
  BoundModel model;
  model.p_roundoff = 0x1p-8;
  model.p_underflow = 0x1p-25;
  model.accumulator_roundoff = 0x1p-24;
  model.denominator = Denominator::kExactP;
  model.scores.constant = 2.0;
  return model;
}

TEST(Tolerance, AddsItsFourTerms) {
  reference::RowResult row = one_column(0.5, 2.0);
  row.score_shift = {1e-6};
  row.value_sum = {3.0};
  const Tolerance t = output_tolerance(plain_model(), row, 0, {100, 11});
  EXPECT_DOUBLE_EQ(t.p_rounding, 2.0 / 256);
  EXPECT_DOUBLE_EQ(t.scores, 1e-6 + 2 * 10 * 0x1p-24 * 1.25);
  EXPECT_DOUBLE_EQ(t.accumulation, 104 * 0x1p-24 * 2.5);
  EXPECT_DOUBLE_EQ(t.underflow, 3.0 * 0x1p-25);
  EXPECT_DOUBLE_EQ(t.total,
                   (1 + 0x1p-6) * (t.p_rounding + t.scores + t.accumulation + t.underflow));
}

TEST(Tolerance, GrowsWhereTheDenominatorSumsRoundedP) {
  BoundModel model = plain_model();
  const reference::RowResult row = one_column(0.5, 1.0);
  model.denominator = Denominator::kRoundedP;
  const Tolerance rounded = output_tolerance(model, row, 0, {100, 1});
  EXPECT_DOUBLE_EQ(rounded.p_rounding, 1.25 / 256) << "the deviation, not the magnitude";
  EXPECT_DOUBLE_EQ(rounded.underflow, 0x1p-25 * 1000 / 20.0 * 0.5);
  model.denominator = Denominator::kUnknown;
  EXPECT_DOUBLE_EQ(output_tolerance(model, row, 0, {100, 1}).p_rounding, 1.25 / 256);
  EXPECT_DOUBLE_EQ(output_tolerance(model, one_column(0.5, 3.0), 0, {100, 1}).p_rounding,
                   3.0 / 256);
}

TEST(Tolerance, CoversHigherOrdersWherePIsCoarse) {
  BoundModel model = plain_model();
  const reference::RowResult row = one_column(0.5, 1.0);
  EXPECT_EQ(higher_order_factor(model, row, {100, 1}), 1 + 0x1p-6);
  model.p_roundoff = 0x1p-4;
  // (1 + u)^2 - 1 = 2 u (1 + u / 2) would already need more than 1 + 2^-6.
  EXPECT_GT(higher_order_factor(model, row, {100, 1}), 1.09);
  EXPECT_LT(higher_order_factor(model, row, {100, 1}), 1.11);
}

TEST(LseTolerance, AddsItsTerms) {
  reference::RowResult row = one_column(0.5, 1.0);
  row.max_score = -3.0;
  row.lse = 1.0;
  row.lse_shift = 1e-5;
  BoundModel model = plain_model();
  LseTolerance t = lse_terms(model, row, {100, 11});
  EXPECT_DOUBLE_EQ(t.scores, 1e-5 + 20 * 0x1p-24);
  EXPECT_DOUBLE_EQ(t.p_rounding, 0.0);
  EXPECT_DOUBLE_EQ(t.accumulation, 100 * 0x1p-24);
  EXPECT_DOUBLE_EQ(t.logarithm, 3 * (3 + 4 + 1) * 0x1p-24);
  EXPECT_DOUBLE_EQ(t.total, (1 + 0x1p-6) * (t.scores + t.accumulation + t.logarithm));
  model.denominator = Denominator::kRoundedP;
  t = lse_terms(model, row, {100, 11});
  EXPECT_DOUBLE_EQ(t.p_rounding, 0x1p-8 + 0x1p-25 * 1000 / 20.0);
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
