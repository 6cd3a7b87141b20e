// The score of the judge: every defect of the corpus is found, no healthy kernel is accused.
#include "analysis/verify/selftest.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>

#include "analysis/verify/inputs.hpp"
#include "analysis/verify/run_case.hpp"
#include "core/error.hpp"
#include "reference/attention/mutants/mutant_kernel.hpp"
#include "reference/attention/tiled/cpu_kernel.hpp"

namespace lvsa::analysis {
namespace {

TEST(Selftest, FindsEveryDefectAndAccusesNoHealthyKernel) {
  const SelftestReport report = run_selftest(1024, SelftestDepth::kFirstKill);
  EXPECT_TRUE(report.healthy.by.empty()) << report.healthy.by.front();
  EXPECT_GE(report.defects.size(), 40U);
  for (const SelftestLine& line : report.defects) {
    EXPECT_TRUE(line.killed_small()) << line.name << " survives: " << line.description;
    EXPECT_TRUE(line.killed_long()) << line.name << " survives long cases: " << line.description;
  }
  EXPECT_TRUE(report.good());
}

TEST(Selftest, AccusesNotTheTiledKernel) {
  const lvsa_kernel& cpu = reference::cpu_kernel();
  const auto failed = SelftestCases(cpu, 1024).failed_checks(cpu);
  EXPECT_TRUE(failed.empty()) << failed.front();
}

TEST(Selftest, CountsASurvivorAsNoKill) {
  SelftestReport report;
  report.defects = {{"found", "mask", "", {"gauss", "long-lse"}}, {"not found", "mask", "", {}}};
  EXPECT_EQ(report.killed(), 1);
  EXPECT_FALSE(report.good());
  report.defects.pop_back();
  report.defects.push_back({"found in small cases only", "mask", "", {"gauss"}});
  EXPECT_EQ(report.killed(), 2);
  EXPECT_EQ(report.killed_small(), 2);
  EXPECT_EQ(report.killed_long(), 1);
  EXPECT_FALSE(report.good());
  report.defects.pop_back();
  EXPECT_TRUE(report.good());
  report.healthy.by = {"lse"};
  EXPECT_FALSE(report.good());
}

TEST(Selftest, RefusesSizesWithoutSense) {
  EXPECT_THROW(SelftestCases(reference::cpu_kernel(), 100), Error);
}

// Case number `index` of a fixed random sequence.
std::string random_line(std::uint64_t index) {
  std::uint64_t drawn = 0;
  const auto draw = [&](std::uint64_t lowest, std::uint64_t highest) {
    return lowest + random_bits(20260701, index, drawn++) % (highest - lowest + 1);
  };
  constexpr std::array kTypes = {"bf16", "f32", "f16"};
  const std::uint64_t kv_heads = draw(1, 2);
  return fmt::format(
      "T={} P={} text={} B={} H={} Hkv={} D={} dtype={} layout={} W={} n_first={} ref={} step={} "
      "input={} seed={} rows=0",
      draw(1, 14), draw(1, 70), draw(0, 1) * draw(0, 40), draw(1, 2), kv_heads * draw(1, 2),
      kv_heads, 8 * draw(1, 8), kTypes.at(draw(0, 2)), draw(0, 1) == 0 ? "bshd" : "bhsd",
      draw(0, 3), draw(0, 2), draw(2, 9), draw(0, 12),
      input_name(all_inputs()[draw(0, all_inputs().size() - 1)]), draw(1, 1000000));
}

class Healthy : public testing::TestWithParam<const lvsa_kernel*> {};

TEST_P(Healthy, KernelIsNeverAccusedInRandomCases) {
  for (std::uint64_t i = 0; i < 100; ++i) {
    // The relations call a kernel some forty times; one case of twenty has them.
    RunOptions options;
    options.relations = i % 20 == 0 ? RelationChoice::kAll : RelationChoice::kNone;
    const CaseResult result = run_case(parse_case(random_line(i)), *GetParam(), options);
    ASSERT_FALSE(is_failure(result.status)) << result.line << ": " << result.message;
    ASSERT_NE(result.status, Status::kUnsupported) << result.line;
  }
}

INSTANTIATE_TEST_SUITE_P(Selftest, Healthy,
                         testing::Values(&reference::mutant_kernel(reference::Defect::kNone),
                                         &reference::cpu_kernel()),
                         [](const auto& tested) { return std::string(tested.param->name); });

}  // namespace
}  // namespace lvsa::analysis
