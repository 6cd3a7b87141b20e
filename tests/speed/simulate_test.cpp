#include "analysis/speed/simulate.hpp"

#include <gtest/gtest.h>

#include "analysis/speed/block_order.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

TEST(BlockOrder, IsTheSameReadBackwardsInBothHalves) {
  for (std::int64_t block = 0; block < 8; ++block) {
    const BlockOrder order = block_order(block);
    for (std::size_t half = 0; half < kSlots; half += kSlots / 2) {
      for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(order[half + i].side, order[half + 3 - i].side);
        EXPECT_EQ(order[half + i].noise, order[half].noise);
      }
      EXPECT_NE(order[half].side, order[half + 1].side);
    }
    EXPECT_NE(order[0].noise, order[kSlots - 1].noise);
  }
}

TEST(BlockOrder, BeginsWithEachKernelAndEachHalfEquallyOften) {
  int with_a = 0;
  int with_noise = 0;
  for (std::int64_t block = 0; block < 4; ++block) {
    with_a += block_order(block)[0].side == Side::kA ? 1 : 0;
    with_noise += block_order(block)[0].noise ? 1 : 0;
  }
  EXPECT_EQ(with_a, 2);
  EXPECT_EQ(with_noise, 2);
}

TEST(BlockRatio, OfTimesThatRiseEvenlyIsOne) {
  for (std::int64_t block = 0; block < 4; ++block) {
    BlockTimes times;
    double now = 1.0;
    for (const BlockSlot slot : block_order(block)) add_time(times, slot, now += 0.1);
    EXPECT_NEAR(block_ratio(times), 1.0, 1e-12);
    EXPECT_NEAR(noise_ratio(times), 1.0, 1e-12);
  }
}

TEST(Rounds, HaveAsManyBlocksEach) {
  std::vector<int> blocks(15);
  for (std::int64_t block = 0; block < 45; ++block) {
    ++blocks[static_cast<std::size_t>(round_of(block, 45, 15))];
  }
  EXPECT_EQ(blocks, std::vector<int>(15, 3));
}

SimulationSettings small(double slowdown) {
  SimulationSettings settings;
  settings.runs = 20;
  settings.cases = 3;
  settings.slowdown = slowdown;
  return settings;
}

TEST(Simulation, GivesTheSameNumbersForTheSameSeed) {
  SimulationSettings settings = small(1.0);
  const auto ratios = [&](std::int64_t run) {
    return simulated_comparison(NoiseModel::kCorrelated, settings, run).cases[1].ratios;
  };
  EXPECT_EQ(ratios(3), ratios(3));
  EXPECT_NE(ratios(3), ratios(4));
  const std::vector<double> before = ratios(3);
  settings.seed = 2;
  EXPECT_NE(ratios(3), before);
}

TEST(Simulation, HasNoFalseAlarmInAFewRunsOfAnyNoise) {
  for (const NoiseModel model : all_noise_models()) {
    const SimulationOutcome outcome = simulate(model, small(1.0));
    EXPECT_EQ(outcome.false_alarms, 0) << noise_name(model);
    EXPECT_EQ(outcome.runs, 20);
  }
}

TEST(Simulation, FindsTenPercentAndCallsNoOtherCaseSlower) {
  for (const NoiseModel model : {NoiseModel::kQuiet, NoiseModel::kGaussian, NoiseModel::kBimodal}) {
    const SimulationOutcome outcome = simulate(model, small(1.1));
    EXPECT_GE(outcome.changed[static_cast<std::size_t>(SpeedVerdict::kSlower)], 19)
        << noise_name(model);
    EXPECT_EQ(outcome.false_alarms, 0) << noise_name(model);
    EXPECT_EQ(outcome.wrong_way, 0) << noise_name(model);
  }
}

TEST(Simulation, OfADifferenceOnTheBoundaryAlarmsSeldom) {
  // 3 % is no difference by definition; a bit less must not be called one, whatever the noise.
  const SimulationOutcome outcome = simulate(NoiseModel::kGaussian, small(1.029));
  EXPECT_LE(outcome.changed[static_cast<std::size_t>(SpeedVerdict::kSlower)], 1);
}

TEST(NoiseNames, AreReadBack) {
  for (const NoiseModel model : all_noise_models()) {
    EXPECT_EQ(parse_noise(noise_name(model)), model);
    EXPECT_FALSE(noise_description(model).empty());
  }
  EXPECT_THROW(parse_noise("loud"), Error);
}

}  // namespace
}  // namespace lvsa::analysis
