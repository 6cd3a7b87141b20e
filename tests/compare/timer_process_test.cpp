// What a process that times says, and how long it may be silent.

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "analysis/run/request_link.hpp"
#include "analysis/sweep/pattern_timer_process.hpp"
#include "analysis/sweep/pattern_timer_wire.hpp"
#include "tests/compare/compare_support.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {
namespace {

TEST(TimerProcess, ATimeIsReadBackFromItsBytes) {
  TimedPattern timed;
  timed.time = {1.0, 0.5, 0.25, NAN, 4.0, 1.0 / 3.0};
  timed.untimed = "kernel k: no";
  timed.lost = true;
  const TimedPattern read = parse_timed(timed_bytes(timed));
  EXPECT_EQ(read.time.dense_ms, 1.0);
  EXPECT_EQ(read.time.attention_ms, 0.5);
  EXPECT_EQ(read.time.ratio, 0.25);
  EXPECT_TRUE(std::isnan(read.time.prediction_ms));
  EXPECT_EQ(read.time.total_ms, 4.0);
  EXPECT_EQ(read.time.speedup, 1.0 / 3.0);
  EXPECT_EQ(read.untimed, "kernel k: no");
  EXPECT_TRUE(read.lost);
  EXPECT_THROW(parse_timed("short"), ProcessLost);
}

TEST(TimerProcess, PatienceGrowsWithThePairsAndIsLessForAGpu) {
  PatternInput input;
  input.video.grid = {2, 500, 0};
  EXPECT_EQ(timer_patience_s(input, false, 8), 60.0);  // no tensors
  const Sample sample = testing::noise_sample({2, 500, 0}, 128, 1);
  input.q = sample.q;
  // 2 * 1000^2 * 128 operations a head.
  EXPECT_DOUBLE_EQ(timer_patience_s(input, false, 1), 60.0 + 0.512);
  EXPECT_DOUBLE_EQ(timer_patience_s(input, false, 8), 60.0 + 8 * 0.512);
  EXPECT_DOUBLE_EQ(timer_patience_s(input, true, 8), 60.0 + 8 * 0.000256);
}

TEST(TimerProcess, OneThatCannotBeStartedOrSaysNothingIsNamed) {
  const auto thrown = [](const std::vector<std::string>& argv) -> std::string {
    return test_support::refusal_of([&] { time_apart({"lib.so:k", argv, 5.0, {}}); });
  };
  EXPECT_EQ(
      thrown({"/bin/true"}),
      "kernel lib.so:k: CRASH: its process ended with exit code 0 during: loading the library");
  EXPECT_NE(thrown({"/bin/sh", "-c", "echo hello >&3; sleep 9"}).find("wrote into the channel"),
            std::string::npos);
  EXPECT_EQ(thrown({"/bin/sh", "-c", "echo refused 6 no device >&3; sleep 9"}), "no device");
  EXPECT_NE(thrown({"/no/such/program"}).find("/no/such/program"), std::string::npos);
}

}  // namespace
}  // namespace lvsa::analysis
