#include "analysis/speed/analyse.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kBlocks = 45;

SpeedCase case_of(double ratio, std::size_t blocks = kBlocks) {
  SpeedCase c;
  c.line = "T=1 P=1";
  c.ratios.assign(blocks, ratio);
  c.noise_ratios.assign(blocks, 1.0);
  return c;
}

SpeedCase judged(SpeedCase c) {
  SpeedComparison comparison;
  comparison.cases.push_back(std::move(c));
  analyse_speed(comparison);
  return comparison.cases.front();
}

// Half of the values `spread` above the middle, half as far below, the middle once.
std::vector<double> spread_about(double middle, double spread) {
  std::vector<double> values{middle};
  while (values.size() < kBlocks) {
    values.push_back(middle * (1.0 + spread));
    values.push_back(middle / (1.0 + spread));
  }
  return values;
}

TEST(Verdict, FollowsTheRatio) {
  EXPECT_EQ(judged(case_of(1.0)).verdict, SpeedVerdict::kSame);
  EXPECT_EQ(judged(case_of(1.029)).verdict, SpeedVerdict::kSame);
  EXPECT_EQ(judged(case_of(1.031)).verdict, SpeedVerdict::kSlower);
  EXPECT_EQ(judged(case_of(1.0 / 1.029)).verdict, SpeedVerdict::kSame);
  EXPECT_EQ(judged(case_of(1.0 / 1.031)).verdict, SpeedVerdict::kFaster);
}

TEST(Verdict, IsUndecidedOnTheBoundaryItself) {
  const SpeedCase c = judged(case_of(1.03));
  EXPECT_EQ(c.verdict, SpeedVerdict::kUndecided);
  EXPECT_NE(c.reason, "");
}

TEST(Verdict, IsUndecidedWhereTheIntervalCrossesDelta) {
  SpeedCase c = case_of(1.0);
  c.ratios = spread_about(1.03, 0.02);
  c = judged(c);
  EXPECT_EQ(c.verdict, SpeedVerdict::kUndecided);
  EXPECT_NE(c.reason.find("crosses 1 + delta"), std::string::npos) << c.reason;
}

TEST(Verdict, SameIsNoLackOfEvidence) {
  SpeedCase c = case_of(1.0);
  c.ratios = spread_about(1.0, 0.2);  // the interval reaches far beyond 3 % on both sides
  EXPECT_EQ(judged(c).verdict, SpeedVerdict::kUndecided);
}

TEST(Delta, IsThreeTimesTheNoise) {
  SpeedCase c = case_of(1.0);
  c.noise_ratios = spread_about(1.0, 0.02);
  c = judged(c);
  EXPECT_NEAR(c.noise, 0.02, 1e-12);
  EXPECT_NEAR(c.delta, 0.06, 1e-12);
  c.ratios.assign(kBlocks, 1.05);
  EXPECT_EQ(judged(c).verdict, SpeedVerdict::kSame);
  c.ratios.assign(kBlocks, 1.07);
  EXPECT_EQ(judged(c).verdict, SpeedVerdict::kSlower);
}

TEST(Delta, CountsNoiseBelowOneLikeNoiseAbove) {
  SpeedCase c = case_of(1.0);
  c.noise_ratios.assign(kBlocks, 1.0 / 1.02);
  EXPECT_NEAR(judged(c).noise, 0.02, 1e-12);
}

TEST(Delta, ThatIsTooLargeGivesNoSame) {
  SpeedCase c = case_of(1.0);
  c.noise_ratios = spread_about(1.0, 0.04);  // delta is 12 %
  const SpeedCase equal = judged(c);
  EXPECT_EQ(equal.verdict, SpeedVerdict::kUndecided);
  EXPECT_NE(equal.reason.find("A against itself varies"), std::string::npos) << equal.reason;
  c.ratios.assign(kBlocks, 1.5);
  EXPECT_EQ(judged(c).verdict, SpeedVerdict::kSlower);
}

TEST(Suspicion, AnotherClockInBsCallsLeavesEverythingUndecided) {
  SpeedCase c = case_of(1.5);
  c.clock_ratio = 0.95;
  c = judged(c);
  EXPECT_EQ(c.verdict, SpeedVerdict::kUndecided);
  EXPECT_NE(c.reason.find("clock"), std::string::npos);
  EXPECT_EQ(judged([] {
              SpeedCase near = case_of(1.5);
              near.clock_ratio = 0.99;
              return near;
            }())
                .verdict,
            SpeedVerdict::kSlower);
}

TEST(Blocks, FewOfThemDecideNothing) {
  const SpeedCase c = judged(case_of(2.0, 5));
  EXPECT_EQ(c.verdict, SpeedVerdict::kUndecided);
  EXPECT_NE(c.reason.find("are due at the least"), std::string::npos) << c.reason;
  EXPECT_EQ(judged(case_of(2.0, 9)).verdict, SpeedVerdict::kSlower);
  EXPECT_EQ(least_blocks(SpeedRules{}, 1), 8);    // 2^-8 < 0.005 <= 2^-7
  EXPECT_EQ(least_blocks(SpeedRules{}, 10), 11);  // 2^-11 < 0.0005
}

TEST(Blocks, AreAskedForByTheNoiseOfAAgainstItself) {
  const SpeedRules rules;
  EXPECT_EQ(blocks_for(std::vector<double>(15, 1.0), rules, 15), 15 * kLeastBlocksOfProcess);
  const std::int64_t some = blocks_for(spread_about(1.0, 0.02), rules, 15);
  EXPECT_GT(some, 15 * kLeastBlocksOfProcess);
  EXPECT_EQ(some / 15 % 2, 1);
  EXPECT_EQ(blocks_for(spread_about(1.0, 0.5), rules, 15), 15 * kMostBlocksOfProcess);
}

// Fifteen processes of three blocks; each process has a ratio of its own.
SpeedCase processes_of(double low, double high) {
  SpeedCase c = case_of(1.0);
  for (std::size_t i = 0; i < kBlocks; ++i) {
    const std::size_t process = i / 3;
    c.block_round.push_back(static_cast<std::int64_t>(process));
    const double place = static_cast<double>((process * 7) % 15) / 14.0;
    c.ratios[i] = low + (high - low) * place + 1e-5 * static_cast<double>(i % 3);
  }
  return c;
}

TEST(Processes, ThatDifferAreTheWitnessesInsteadOfTheirBlocks) {
  const SpeedCase c = judged(processes_of(1.0, 1.02));
  ASSERT_EQ(c.remarks.size(), 1U);
  EXPECT_NE(c.remarks.front().find("processes differ"), std::string::npos);
  EXPECT_EQ(c.verdict, SpeedVerdict::kSame);
  // All blocks together would say SLOWER: 1.05 in the middle, and 45 of them.
  EXPECT_EQ(judged(processes_of(1.0, 1.10)).verdict, SpeedVerdict::kUndecided);
  EXPECT_EQ(judged(processes_of(1.05, 1.15)).verdict, SpeedVerdict::kSlower);
}

TEST(Cases, AreHeldAgainstHolmsThresholds) {
  // Nine blocks: 2 * 2^-9 = 0.0039 is below 0.01, but not below 0.01 / 3.
  SpeedComparison comparison;
  comparison.cases = {case_of(1.5, 9)};
  analyse_speed(comparison);
  EXPECT_EQ(comparison.cases[0].verdict, SpeedVerdict::kSlower);
  comparison.cases = {case_of(1.5, 9), case_of(1.5, 9), case_of(1.5, 9)};
  analyse_speed(comparison);
  EXPECT_EQ(comparison.cases[0].verdict, SpeedVerdict::kUndecided);
  // With two clear ones before it, it is the last of three and held against 0.01 itself.
  comparison.cases = {case_of(1.5), case_of(1.5, 9), case_of(1.5)};
  analyse_speed(comparison);
  EXPECT_EQ(comparison.cases[1].verdict, SpeedVerdict::kSlower);
}

TEST(Remarks, TellOfThrottledClocksAndLeaveTheVerdict) {
  SpeedComparison comparison;
  comparison.cases = {case_of(1.5)};
  comparison.states.resize(2);
  comparison.states[1].gpu_throttle = 0x20;
  comparison.states[1].steal_share = 0.1;
  for (int turn = 0; turn < 2; ++turn) analyse_speed(comparison);
  EXPECT_EQ(comparison.cases[0].verdict, SpeedVerdict::kSlower);
  EXPECT_EQ(comparison.cases[0].remarks,
            (std::vector<std::string>{"the GPU lowered its clocks: heat",
                                      "a hypervisor took 10 % of the processors' time"}));
}

TEST(BadRatios, AreRefused) {
  EXPECT_THROW(judged(case_of(1.0, 0)), Error);
  EXPECT_THROW(judged(case_of(0.0)), Error);
  EXPECT_THROW(judged(case_of(std::nan(""))), Error);
}

SpeedVerdict mirrored(SpeedVerdict verdict) {
  if (verdict == SpeedVerdict::kFaster) return SpeedVerdict::kSlower;
  if (verdict == SpeedVerdict::kSlower) return SpeedVerdict::kFaster;
  return verdict;
}

std::vector<double> any_ratios() {
  const auto permille = *rc::gen::container<std::vector<int>>(51, rc::gen::inRange(-80, 120));
  std::vector<double> ratios;
  for (const int p : permille) ratios.push_back(std::exp(p / 1000.0));
  return ratios;
}

RC_GTEST_PROP(Verdict, IsTheMirrorImageWhenAAndBChangePlaces, ()) {
  SpeedCase c = case_of(1.0);
  c.ratios = any_ratios();
  SpeedCase turned = c;
  for (double& ratio : turned.ratios) ratio = 1.0 / ratio;
  RC_ASSERT(judged(turned).verdict == mirrored(judged(c).verdict));
}

RC_GTEST_PROP(Verdict, IsWhatThePrintedIntervalShows, ()) {
  SpeedCase c = case_of(1.0);
  c.ratios = any_ratios();
  c = judged(c);
  const double top = 1.0 + c.delta;
  RC_ASSERT((c.verdict == SpeedVerdict::kSlower) == (c.ratio.low > top));
  RC_ASSERT((c.verdict == SpeedVerdict::kFaster) == (c.ratio.high < 1.0 / top));
  RC_ASSERT((c.verdict == SpeedVerdict::kSame) == (c.ratio.low > 1.0 / top && c.ratio.high < top));
}

RC_GTEST_PROP(Verdict, DoesNotDependOnTheOrderOfTheCases, ()) {
  SpeedComparison comparison;
  for (int i = 0; i < 4; ++i) {
    comparison.cases.push_back(case_of(1.0));
    comparison.cases.back().ratios = any_ratios();
  }
  SpeedComparison turned = comparison;
  std::reverse(turned.cases.begin(), turned.cases.end());
  analyse_speed(comparison);
  analyse_speed(turned);
  for (std::size_t i = 0; i < 4; ++i) {
    RC_ASSERT(comparison.cases[i].verdict == turned.cases[3 - i].verdict);
  }
}

}  // namespace
}  // namespace lvsa::analysis
