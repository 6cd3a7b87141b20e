// The process that asks, against measuring processes that make their times up: shell scripts.

#include "analysis/speed/bench_run.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "analysis/speed/measure.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

// Two equal kernels, calls of a millisecond, cases 0 to 3; making the tensors of case 2 takes
// `set_up_s`.
BenchPlan plan_of(const std::string& set_up_s) {
  const std::string script = fmt::format(
      R"(
while read -r word from to calls <&3; do
  case $word in
    who) printf 'side 0 0 a\nside 1 0 b\n' >&3 ;;
    pilot)
      for i in 0 1 2 3; do
        set_up=0.001
        [ $i != 2 ] || set_up={}
        printf "pilot $i 1 0.001 0.001 $set_up 1.001 0.999 1\n" >&3
      done ;;
    measure)
      i=0
      for n in $calls; do
        b=$from
        while [ $n -gt 0 ] && [ $b -lt $to ]; do
          printf "block $i $b 1.00$((b % 3)) 1.00$((b % 2)) 0.001 0.001 1 1\n" >&3
          b=$((b + 1))
        done
        i=$((i + 1))
      done ;;
  esac
  printf 'done \n' >&3
done)",
      set_up_s);
  BenchPlan plan;
  plan.argv = {"/bin/sh", "-c", script};
  plan.processes = 3;
  return plan;
}

TEST(BenchRun, TimesAllDefaultCasesWhereThereIsTime) {
  const BenchOutcome outcome = run_bench(plan_of("0.001"));
  EXPECT_EQ(outcome.comparison.cases.size(), 4U);
  EXPECT_TRUE(outcome.left_out.empty());
}

TEST(BenchRun, LeavesOutTheDefaultCaseThatThereIsNoTimeFor) {
  const BenchOutcome outcome = run_bench(plan_of("1000"));
  ASSERT_EQ(outcome.comparison.cases.size(), 3U);
  ASSERT_EQ(outcome.left_out.size(), 1U);
  EXPECT_EQ(outcome.left_out[0].line, to_line(default_speed_cases(false)[2]));
  EXPECT_NE(outcome.left_out[0].reason.find("would take 3000 s, which --seconds 120"),
            std::string::npos)
      << outcome.left_out[0].reason;
}

TEST(BenchRun, MeasuresOneDefaultCaseInAnyCase) {
  BenchPlan plan = plan_of("0.001");
  plan.seconds = 0.0;
  const BenchOutcome outcome = run_bench(plan);
  ASSERT_EQ(outcome.comparison.cases.size(), 1U);
  EXPECT_EQ(outcome.left_out.size(), 3U);
  EXPECT_EQ(outcome.comparison.cases[0].ratios.size(), 9U);  // three of each process
}

TEST(BenchRun, NeverLeavesOutWhatWasAskedFor) {
  BenchPlan plan = plan_of("1000");
  plan.cases = default_speed_cases(false);
  const BenchOutcome outcome = run_bench(plan);
  EXPECT_EQ(outcome.comparison.cases.size(), 4U);
  EXPECT_TRUE(outcome.left_out.empty());
}

}  // namespace
}  // namespace lvsa::analysis
