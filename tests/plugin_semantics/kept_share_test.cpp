#include "reference/plugin/kept_share.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>

#include "core/error.hpp"

namespace lvsa::reference {
namespace {

constexpr std::array kAll = {SparsitySchedule::kConstant, SparsitySchedule::kConservative,
                             SparsitySchedule::kAggressive};

TEST(KeptShare, IsWhatARulerGives) {
  // Five steps from 1 to 0.2: a fifth less each time.
  const std::array<double, 5> down = {1.0, 0.8, 0.6, 0.4, 0.2};
  for (std::size_t i = 0; i < 5; ++i) {
    const auto step = static_cast<std::int64_t>(i);
    EXPECT_DOUBLE_EQ(kept_share(SparsitySchedule::kConservative, 0.2, step, 5), down[i]);
    EXPECT_DOUBLE_EQ(kept_share(SparsitySchedule::kAggressive, 0.2, step, 5), down[4 - i]);
    EXPECT_EQ(kept_share(SparsitySchedule::kConstant, 0.2, step, 5), 0.2);
  }
}

TEST(KeptShare, OfOneStepIsThatOfTheFirst) {
  EXPECT_EQ(kept_share(SparsitySchedule::kConstant, 0.3, 0, 1), 0.3);
  EXPECT_EQ(kept_share(SparsitySchedule::kConservative, 0.3, 0, 1), 1.0);
  EXPECT_EQ(kept_share(SparsitySchedule::kAggressive, 0.3, 0, 1), 0.3);
}

TEST(KeptShare, RefusesStepsOutsideTheRunAndSharesThatKeepNothing) {
  for (const SparsitySchedule schedule : kAll) {
    EXPECT_THROW(kept_share(schedule, 0.5, -1, 4), Error);
    EXPECT_THROW(kept_share(schedule, 0.5, 4, 4), Error);
    EXPECT_THROW(kept_share(schedule, 0.0, 0, 4), Error);
    EXPECT_THROW(kept_share(schedule, 1.5, 0, 4), Error);
  }
}

RC_GTEST_PROP(KeptShareProperty, EndsAreExactAndTheRampNeverTurns, ()) {
  const double topk = *rc::gen::inRange(1, 1000001) / 1000000.0;
  const auto steps = *rc::gen::inRange<std::int64_t>(2, 300);
  double before = 2.0;
  double sum = 0.0;
  for (std::int64_t step = 0; step < steps; ++step) {
    const double share = kept_share(SparsitySchedule::kConservative, topk, step, steps);
    RC_ASSERT(share <= before);
    RC_ASSERT(share >= topk && share <= 1.0);
    RC_ASSERT(share == kept_share(SparsitySchedule::kAggressive, topk, steps - 1 - step, steps));
    before = share;
    sum += share;
  }
  RC_ASSERT(kept_share(SparsitySchedule::kConservative, topk, 0, steps) == 1.0);
  RC_ASSERT(before == topk);
  // A ramp's mean is the mean of its ends.
  RC_ASSERT(std::abs(sum / static_cast<double>(steps) - (1.0 + topk) / 2.0) < 1e-12);
}

}  // namespace
}  // namespace lvsa::reference
