// report.jsonl while a run goes on: what is in the file, what comes back, what is refused.

#include "analysis/run/result_store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "analysis/report/jsonl_report.hpp"
#include "analysis/run/folder_lock.hpp"
#include "analysis/run/merge.hpp"
#include "core/error.hpp"
#include "report_sample.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {
namespace {

using test_support::refusal_of;

class ResultStoreTest : public testing::Test {
 protected:
  ResultStoreTest() {
    std::string name = (std::filesystem::temp_directory_path() / "lvsa-store-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    plan_.tool = "test";
    plan_.kernel = "cpu";
    plan_.suite = "a suite";
    plan_.cases = 5;
    plan_.suite_hash = 17;
    plan_.options = {{"relations", "auto"}};
  }
  ~ResultStoreTest() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& sub = "") const {
    const auto in = std::filesystem::path(folder_) / sub;
    std::filesystem::create_directories(in);
    return (in / "report.jsonl").string();
  }
  static CaseResult result(std::int64_t number) {
    CaseResult made = sample_result(number + 3);
    made.number = number;
    return made;
  }
  static std::string read(const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string summary() const {
    RunTotals totals;
    for (std::int64_t i = 1; i <= plan_.cases; ++i) totals.add(result(i));
    return summary_json_line(totals.summary, totals.timings) + '\n';
  }

  std::string folder_;
  RunPlan plan_;
};

TEST_F(ResultStoreTest, HoldsEachResultAsSoonAsItIsAdded) {
  const auto store = ResultStore::create(path(), plan_, sample_provenance());
  std::string due = run_json_line(sample_provenance(), plan_json(plan_)) + '\n';
  EXPECT_EQ(read(path()), due);
  for (const std::int64_t number : {3, 1}) {
    store->add(result(number));
    due += to_json_line(result(number)) + '\n';
    EXPECT_EQ(read(path()), due);
  }
}

TEST_F(ResultStoreTest, FinishesInTheOrderOfTheSuite) {
  const auto store = ResultStore::create(path(), plan_, sample_provenance());
  for (const std::int64_t number : {4, 2, 5, 1, 3}) store->add(result(number));
  store->finish();
  std::string due = run_json_line(sample_provenance(), plan_json(plan_)) + '\n';
  for (const std::int64_t number : {1, 2, 3, 4, 5}) due += to_json_line(result(number)) + '\n';
  const std::string got = read(path());
  EXPECT_EQ(got.substr(0, due.size()), due);
  EXPECT_NE(got.find("\"passed\":5", due.size()), std::string::npos);
}

// Cut at every byte: what stands in whole lines comes back, and the run can go on from there.
TEST_F(ResultStoreTest, GoesOnFromAnyPrefix) {
  {
    const auto store = ResultStore::create(path(), plan_, sample_provenance());
    for (const std::int64_t number : {2, 1, 3}) store->add(result(number));
  }
  const std::string whole = read(path());
  const std::size_t header = whole.find('\n') + 1;
  for (std::size_t cut = header; cut <= whole.size(); cut += 37) {
    const std::string prefix = whole.substr(0, cut);
    std::ofstream(path("cut"), std::ios::binary) << prefix;
    const auto store = ResultStore::open(path("cut"), true);
    const auto lines = std::count(prefix.begin(), prefix.end(), '\n') - 1;
    ASSERT_EQ(store->totals().cases(), lines) << cut;
    store->add(result(5));
    const std::string kept = prefix.substr(0, prefix.rfind('\n') + 1);
    ASSERT_EQ(read(path("cut")), kept + to_json_line(result(5)) + '\n') << cut;
  }
}

TEST_F(ResultStoreTest, RefusesWhatWasDamagedBeforeItsEnd) {
  const std::string header = run_json_line(sample_provenance(), plan_json(plan_)) + '\n';
  const std::string one = to_json_line(result(1)) + '\n';
  const auto refused = [&](const std::string& bytes) {
    std::ofstream(path("bad"), std::ios::binary) << bytes;
    return refusal_of([&] { ResultStore::open(path("bad"), true); });
  };
  EXPECT_EQ(refused(header + one), "accepted");
  EXPECT_NE(refused(header + "{\"type\":\n" + one).find("report.jsonl:2:"), std::string::npos);
  EXPECT_NE(refused(header + one + one).find("report.jsonl:3: case number 1"), std::string::npos);
  EXPECT_NE(refused(header + to_json_line(result(6)) + '\n'), "accepted");
  EXPECT_NE(refused(header + summary() + one).find(":3: a line behind the summary"),
            std::string::npos);
  EXPECT_NE(refused(one), "accepted");
  EXPECT_NE(refused(""), "accepted");
  EXPECT_NE(refused("garbage"), "accepted");
  EXPECT_NE(refused(run_json_line(sample_provenance()) + '\n').find("older"), std::string::npos);
}

TEST_F(ResultStoreTest, WorksWithoutAName) {
  const auto store = ResultStore::create("", plan_, sample_provenance());
  for (const std::int64_t number : {2, 1}) store->add(result(number));
  std::vector<std::int64_t> seen;
  store->for_each({}, [&](const CaseResult& r) { seen.push_back(r.number); });
  EXPECT_EQ(seen, (std::vector<std::int64_t>{1, 2}));
  store->finish();
}

TEST_F(ResultStoreTest, NamesTheDifferenceOfTwoPlans) {
  EXPECT_EQ(difference(plan_, parse_plan_json(plan_json(plan_)), false), "");
  RunPlan other = plan_;
  other.shard = {2, 3};
  EXPECT_EQ(difference(plan_, other, true), "");
  EXPECT_EQ(difference(plan_, other, false), "shard: 1/1 then, 2/3 now");
  other = plan_;
  other.options = {{"relations", "all"}};
  EXPECT_EQ(difference(plan_, other, true), "relations: auto then, all now");
  other.options.clear();
  EXPECT_EQ(difference(plan_, other, true), "relations: auto then, not there now");
  other = plan_;
  other.kernel = "mine";
  EXPECT_EQ(difference(plan_, other, true), "kernel: cpu then, mine now");
}

TEST_F(ResultStoreTest, SplitsASuiteWithoutLossOrOverlap) {
  for (const std::int64_t of : {1, 2, 3, 7}) {
    for (std::int64_t cases = 0; cases < 20; ++cases) {
      std::int64_t all = 0;
      for (std::int64_t i = 1; i <= of; ++i) {
        std::int64_t held = 0;
        for (std::int64_t number = 1; number <= cases; ++number) {
          held += Shard{i, of}.holds(number) ? 1 : 0;
        }
        EXPECT_EQ(held, shard_size({i, of}, cases)) << i << "/" << of << " of " << cases;
        all += held;
      }
      EXPECT_EQ(all, cases);
    }
  }
  for (const char* wrong : {"", "1", "0/2", "3/2", "1/0", "1/2x", "-1/2", "a/b", "1/", "/2"}) {
    EXPECT_NE(refusal_of([&] { parse_shard(wrong); }), "accepted") << wrong;
  }
}

TEST_F(ResultStoreTest, MergesShardsAndNamesWhatIsMissing) {
  for (std::int64_t i = 1; i <= 2; ++i) {
    RunPlan part = plan_;
    part.shard = {i, 2};
    const auto store =
        ResultStore::create(path("part" + std::to_string(i)), part, sample_provenance());
    for (std::int64_t number = i; number <= 5; number += 2) {
      if (number != 4) store->add(result(number));
    }
  }
  const std::vector<std::string> folders = {folder_ + "/part1", folder_ + "/part2"};
  const std::string unfinished = refusal_of([&] { Shards shards(folders); });
  EXPECT_NE(unfinished.find("the first is number 4: shard 2/2"), std::string::npos) << unfinished;
  ResultStore::open(path("part2"), true)->add(result(4));
  std::string order;
  Shards(folders).for_each([&](const CaseResult& r) { order += std::to_string(r.number); });
  EXPECT_EQ(order, "12345");
}

TEST_F(ResultStoreTest, GivesAFolderToOneRunAtATime) {
  {
    const FolderLock first(folder_);
    EXPECT_NE(refusal_of([&] { FolderLock second(folder_); }).find("another run"),
              std::string::npos);
  }
  EXPECT_EQ(refusal_of([&] { FolderLock third(folder_); }), "accepted");
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

}  // namespace
}  // namespace lvsa::analysis
