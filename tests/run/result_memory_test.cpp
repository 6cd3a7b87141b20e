// What a run keeps in memory for each result that it has: a place in a file.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "analysis/gate/case_records.hpp"
#include "analysis/report/jsonl_report.hpp"
#include "analysis/run/merge.hpp"
#include "analysis/run/result_store.hpp"
#include "core/error.hpp"
#include "live_bytes.hpp"

namespace lvsa::analysis {
namespace {

CaseResult result_of(std::int64_t number) {
  CaseResult result;
  result.number = number;
  result.c = parse_case("T=5 P=7 H=2 Hkv=1 D=16 dtype=f32 ref=3 input=gauss");
  result.line = to_line(result.c);
  result.kernel = "cpu";
  result.command = "lvsa-verify kernel --case '" + result.line + "'";
  result.status = number % 3 == 0 ? Status::kFail : Status::kPass;
  return result;
}

RunPlan plan_of(std::int64_t cases, const Shard& shard = {}) {
  RunPlan plan;
  plan.tool = "test";
  plan.kernel = "cpu";
  plan.suite = "suite";
  plan.cases = cases;
  plan.shard = shard;
  return plan;
}

constexpr std::int64_t kFixed = 16 << 10;

TEST(ResultStore, KeepsAtMostTwentyBytesOfMemoryAResult) {
  constexpr std::int64_t kCases = 4000;
  const std::int64_t before = live_bytes();
  const auto store = ResultStore::create("", plan_of(kCases), {});
  for (std::int64_t number = kCases; number >= 1; --number) store->add(result_of(number));
  EXPECT_LE(live_bytes() - before, kFixed + 20 * kCases);
  EXPECT_EQ(store->at(3).status, Status::kFail);
}

TEST(ResultStore, OfAShardKeepsMemoryForItsOwnCasesOnly) {
  constexpr std::int64_t kCases = 1'000'000;
  const Shard shard{700, 1000};
  const std::int64_t before = live_bytes();
  const auto store = ResultStore::create("", plan_of(kCases, shard), {});
  for (std::int64_t number = 700; number <= kCases; number += 1000) store->add(result_of(number));
  EXPECT_LE(live_bytes() - before, kFixed + 20 * 1000);
  EXPECT_TRUE(store->has(999'700));
  EXPECT_FALSE(store->has(999'701));
  EXPECT_EQ(store->at(999'700).number, 999'700);
  EXPECT_EQ(store->totals().cases(), 1000);
}

TEST(Shards, KeepAtMostTwentyFourBytesOfMemoryAResult) {
  std::string name = (std::filesystem::temp_directory_path() / "lvsa-shards-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(name.data());
  constexpr std::int64_t kCases = 3000;
  constexpr std::int64_t kShards = 6;
  std::vector<std::string> parts;
  for (std::int64_t i = 1; i <= kShards; ++i) {
    parts.push_back((folder / std::to_string(i)).string());
    std::filesystem::create_directory(parts.back());
    const auto store =
        ResultStore::create(parts.back() + "/report.jsonl", plan_of(kCases, {i, kShards}), {});
    for (std::int64_t n = i; n <= kCases; n += kShards) store->add(result_of(n));
    store->finish();
  }
  const std::int64_t before = live_bytes();
  const Shards shards(parts);
  EXPECT_LE(live_bytes() - before, kShards * kFixed + 24 * kCases);
  std::int64_t due = 0;
  shards.for_each([&](const CaseResult& result) { EXPECT_EQ(result.number, ++due); });
  EXPECT_EQ(due, kCases);
  std::filesystem::remove_all(folder);
}

// What a gate, a baseline and `judge` hold of a run.
TEST(CaseRecords, KeepAtMostTwelveBytesOfMemoryARecordBesideAFixedPart) {
  const std::int64_t before = live_bytes();
  CaseRecords records;
  constexpr std::int64_t kCases = 60'000;
  CaseRecord record;
  record.line = to_line(result_of(1).c);
  for (int i = 0; i < 40; ++i) {
    record.checks.push_back({"a relation that holds " + std::to_string(i), CheckState::kHolds, ""});
  }
  for (std::int64_t i = 0; i < kCases; ++i) {
    if (i == static_cast<std::int64_t>(CaseRecords::kMostHeld)) record.checks.resize(2);
    records.push_back(record);
  }
  constexpr std::int64_t kHeld = 8 << 20;  // a thousand records of 6 kB
  EXPECT_LE(live_bytes() - before, kHeld + 12 * kCases);
  EXPECT_EQ(records.at(0).checks.size(), 40U);
  EXPECT_EQ(records.at(kCases - 1).checks.size(), 2U);
}

}  // namespace
}  // namespace lvsa::analysis
