// A comparison that is interrupted, resumed, split: what is kept, what is refused, and that files
// are the same bytes as those of one that ran at once.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "analysis/sweep/pattern_compare_files.hpp"
#include "analysis/sweep/pattern_compare_folder.hpp"
#include "core/error.hpp"
#include "tests/compare/compare_support.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {
namespace {

using test_support::has;
using test_support::refusal_of;

using testing::NoiseSource;

constexpr FrameGrid kGrid{3, 16, 0};
constexpr std::int64_t kHeads = 4;

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

std::string scratch_folder() {
  const std::string folder = ::testing::TempDir() + "/lvsa_" +
                             ::testing::UnitTest::GetInstance()->current_test_info()->name();
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

/// Times nothing: the words' length is the time, and one pattern is never timed.
class FakeTimer : public TimesPatterns {
 public:
  void take(const PatternInput& input) override { head_ = input.head; }
  TimedPattern measure(const HeadPattern&, const std::string& words) override {
    TimedPattern timed;
    if (words.rfind("radial", 0) == 0) {
      timed.untimed = "kernel fake: \"crashed\"";
      timed.lost = head_ == 1;
    } else {
      timed.time.total_ms = static_cast<double>(words.size());
    }
    return timed;
  }
  std::string source() const override { return "fake"; }

 private:
  std::int64_t head_ = 0;
};

/// Patterns of noise: one without a knob, two with, one that cannot be made at this head size.
struct Noise {
  NoiseSource source{kGrid, 16, kHeads};
  FakeTimer timer;
  CompareOptions options;
  ComparePlan plan;

  explicit Noise(const std::function<void(CompareOptions&)>& change = {}) {
    options.rules = parse_compare_rules("dense; radial; sparge; random density=0.5 block_q=8");
    options.densities = {0.6, 0.3};
    options.rows = {2, 1};
    options.exclude = true;
    options.timer = &timer;
    options.threads = 1;
    options.deciding = {{"--time-blocks", "5"}};
    if (change) change(options);
    plan = plan_of_comparison(source, options);
    plan.base.tool = "1";
  }
  CompareUnit compute(std::int64_t unit) const {
    return CompareWorker(source, plan, options).compute(unit);
  }
  CompareResults results() const {
    return finish_comparison(plan, [&](std::int64_t unit) { return compute(unit); });
  }
};

void write_all(const CompareResults& results, const ComparePlan& plan, const std::string& folder) {
  std::filesystem::create_directories(folder);
  write_compare_files(results, plan, folder);
}

void expect_same_files(const std::string& a, const std::string& b) {
  for (const char* name : {"/compare.h5", "/compare.csv", "/summary.csv"}) {
    EXPECT_FALSE(bytes_of(a + name).empty()) << name;
    EXPECT_TRUE(bytes_of(a + name) == bytes_of(b + name)) << name;
  }
}

TEST(ComparePlan, IsReadBackFromItsJson) {
  ComparePlan plan = Noise().plan;
  plan.base.shard = {2, 3};
  const ComparePlan read = parse_compare_plan(compare_plan_json(plan));
  EXPECT_EQ(difference(plan, read, false), "");
  EXPECT_EQ(compare_plan_json(read), compare_plan_json(plan));
  EXPECT_TRUE(has(refusal_of([] { parse_compare_plan("{}"); }), "plan of the comparison"));
  EXPECT_TRUE(has(refusal_of([] { parse_compare_plan("nothing"); }), "plan of the comparison"));
}

TEST(ComparePlan, SaysWhatDiffers) {
  const ComparePlan plan = Noise().plan;
  const auto differs = [&](const std::function<void(ComparePlan&)>& change) {
    ComparePlan other = plan;
    change(other);
    return difference(plan, other, false);
  };
  EXPECT_EQ(differs([](ComparePlan&) {}), "");
  EXPECT_EQ(differs([](ComparePlan& p) { p.base.tool = "2"; }), "lvsa-verify: 1 then, 2 now");
  EXPECT_EQ(differs([](ComparePlan& p) { p.base.row_seed = 9; }), "--row-seed: 1 then, 9 now");
  EXPECT_EQ(differs([](ComparePlan& p) { p.base.shard = {1, 2}; }), "shard: 1/1 then, 1/2 now");
  EXPECT_EQ(differs([](ComparePlan& p) { p.width = p.height = 4; }),
            "rows and columns of a frame: not known then, 4x4 now");
  EXPECT_EQ(differs([](ComparePlan& p) { p.rules[1].words = "radial decay=2"; }),
            "pattern 2: 'radial' then, 'radial decay=2' now");
  EXPECT_EQ(differs([](ComparePlan& p) { p.rules.pop_back(); }), "patterns: 4 then, 3 now");
  EXPECT_TRUE(has(differs([](ComparePlan& p) { p.entries[1].target = 0.7; }), "--density: "));
  EXPECT_TRUE(has(differs([](ComparePlan& p) { p.rates_source = "fast"; }), "fast now"));
  EXPECT_EQ(differs([](ComparePlan& p) { p.time_source = "x"; }), "measured: fake then, x now");
  EXPECT_EQ(differs([](ComparePlan& p) { p.options[0].value = "6"; }),
            "--time-blocks: 5 then, 6 now");
  EXPECT_EQ(differs([](ComparePlan& p) { p.options.clear(); }), "--time-blocks: 5 then, none now");
  EXPECT_EQ(differs([](ComparePlan& p) {
              p.options.push_back({"csr file a", "hash 1"});
            }),
            "csr file a: none then, hash 1 now");
}

TEST(CompareUnit, IsReadBackFromItsBytesAndNoOthersAre) {
  const Noise noise;
  const std::string bytes = unit_bytes(noise.compute(2));
  const std::size_t entries = noise.plan.entries.size();
  const CompareUnit read = parse_unit(bytes, entries);
  EXPECT_EQ(unit_bytes(read), bytes);
  EXPECT_GT(std::count_if(read.failures.begin(), read.failures.end(),
                          [](const std::string& reason) { return has(reason, "sparge"); }),
            0);
  EXPECT_TRUE(has(refusal_of([&] { parse_unit(bytes, entries + 1); }), "another number"));
  EXPECT_TRUE(has(refusal_of([&] { parse_unit(bytes, entries - 1); }), "another number"));
  for (std::size_t size = 0; size < bytes.size(); size += 37) {
    EXPECT_NE(refusal_of([&] { parse_unit(bytes.substr(0, size), entries); }), "accepted") << size;
  }
}

TEST(CompareFiles, AreReadBackAsTheyWere) {
  const Noise noise;
  const std::string folder = scratch_folder();
  const CompareResults results = noise.results();
  ASSERT_FALSE(results.failures.empty());
  ASSERT_FALSE(results.untimed.empty());
  write_all(results, noise.plan, folder + "/a");
  const ReadComparison read = read_compare_hdf5(folder + "/a/compare.h5");
  EXPECT_EQ(difference(noise.plan, read.plan, false), "");
  // What is read writes the same bytes: nothing of it was lost.
  write_all(read.results, read.plan, folder + "/b");
  expect_same_files(folder + "/a", folder + "/b");
  ASSERT_EQ(read.results.untimed.size(), results.untimed.size());
  for (std::size_t i = 0; i < results.untimed.size(); ++i) {
    EXPECT_EQ(read.results.untimed[i].lost, results.samples[results.untimed[i].sample].head == 1);
    EXPECT_EQ(read.results.untimed[i].reason, "kernel fake: \"crashed\"");
  }
  EXPECT_TRUE(has(bytes_of(folder + "/a/compare.csv"), "\"kernel fake: \"\"crashed\"\"\""));
}

TEST(CompareFolder, ResumedAfterAnyUnitGivesTheBytesOfOneThatRanAtOnce) {
  const Noise noise;
  const std::string folder = scratch_folder();
  write_all(noise.results(), noise.plan, folder + "/whole");
  for (std::int64_t before = 0; before <= kHeads; ++before) {
    const std::string part = folder + "/part" + std::to_string(before);
    {
      CompareFolder first(part, noise.plan, {});
      for (std::int64_t unit = 1; unit <= before; ++unit) {
        first.journal().add(unit, noise.compute(unit));
      }
    }
    // A write that was cut off costs its own unit.
    std::ofstream(part + "/compare.journal", std::ios::app | std::ios::binary) << "LVSAUNIT half";
    CompareFolder again(part, noise.plan, {true, false});
    EXPECT_EQ(again.units_before(), before);
    for (std::int64_t unit = 1; unit <= kHeads; ++unit) {
      EXPECT_EQ(again.journal().has(unit), unit <= before);
      if (!again.journal().has(unit)) again.journal().add(unit, noise.compute(unit));
    }
    write_all(finish_comparison(noise.plan,
                                [&](std::int64_t unit) { return again.journal().read(unit); }),
              noise.plan, part);
    again.close_journal();
    expect_same_files(folder + "/whole", part);
    EXPECT_FALSE(std::filesystem::exists(part + "/compare.journal"));
  }
}

TEST(CompareFolder, GoesOnWithTheSameComparisonAloneAndOnlyWhenAsked) {
  const Noise noise;
  const Noise other([](CompareOptions& o) { o.densities = {0.5}; });
  const std::string folder = scratch_folder();
  const auto opens = [&](const ComparePlan& plan, const FolderMode& mode) {
    return refusal_of([&] { CompareFolder(folder, plan, mode); });
  };
  CompareFolder(folder, other.plan, {});
  EXPECT_EQ(opens(noise.plan, {}), "accepted") << "a journal without units keeps nobody out";
  CompareFolder(folder, noise.plan, {}).journal().add(1, noise.compute(1));
  EXPECT_TRUE(has(opens(noise.plan, {}), "holds 1 units of this comparison already; --resume"));
  EXPECT_TRUE(has(opens(other.plan, {true, false}), "holds another comparison: --density"));
  {
    CompareFolder again(folder, noise.plan, {true, false});
    EXPECT_TRUE(has(opens(noise.plan, {true, false}), "another run"));
  }
  write_all(noise.results(), noise.plan, folder);
  std::filesystem::remove(folder + "/compare.journal");
  EXPECT_TRUE(CompareFolder(folder, noise.plan, {true, false}).finished());
  EXPECT_TRUE(has(opens(other.plan, {true, false}), "another comparison"));
  EXPECT_EQ(opens(other.plan, {false, true}), "accepted");  // --overwrite
  EXPECT_FALSE(std::filesystem::exists(folder + "/compare.h5"));
  std::ofstream(folder + "/sweep.h5") << "x";
  EXPECT_TRUE(has(opens(noise.plan, {false, true}), "holds a sweep"));
}

TEST(CompareFolder, ADamagedOrForeignJournalIsRefusedWithThePlace) {
  const Noise noise;
  const std::string folder = scratch_folder();
  const std::string path = folder + "/compare.journal";
  std::size_t first = 0;
  {
    CompareFolder made(folder, noise.plan, {});
    first = std::filesystem::file_size(path);
    for (std::int64_t unit = 1; unit <= 3; ++unit) made.journal().add(unit, noise.compute(unit));
  }
  std::string bytes = bytes_of(path);
  bytes[first + 60] ^= 1;
  std::ofstream(path, std::ios::binary) << bytes;
  EXPECT_TRUE(has(refusal_of([&] { CompareJournal::open(path, true); }),
                  "damaged at byte " + std::to_string(first)));
  std::ofstream(path, std::ios::binary) << "lvsa-sweep-journal 1 2 0000 {}\n";
  EXPECT_TRUE(has(refusal_of([&] { CompareJournal::open(path, true); }),
                  "is no journal of a comparison of patterns"));
}

void run_shard(Noise& noise, const std::string& folder, const Shard& shard, std::int64_t last) {
  noise.plan.base.shard = shard;
  CompareFolder part(folder, noise.plan, {false, true});
  for (std::int64_t unit = 1; unit <= last; ++unit) {
    if (shard.holds(unit)) part.journal().add(unit, noise.compute(unit));
  }
}

TEST(CompareShards, MakeTheSameFilesAsOneComparison) {
  const std::string folder = scratch_folder();
  Noise noise;
  write_all(noise.results(), noise.plan, folder + "/whole");
  std::vector<std::string> parts;
  for (const std::int64_t i : {3, 1, 2}) {
    parts.push_back(folder + "/part" + std::to_string(i));
    run_shard(noise, parts.back(), {i, 3}, kHeads);
  }
  ComparePlan plan;
  const CompareResults merged = merge_comparisons(parts, &plan);
  write_all(merged, plan, folder + "/merged");
  expect_same_files(folder + "/whole", folder + "/merged");
}

TEST(CompareShards, ThatDoNotMakeAWholeAreRefusedByName) {
  const std::string folder = scratch_folder();
  Noise noise;
  const std::string one = folder + "/one";
  const std::string two = folder + "/two";
  run_shard(noise, one, {1, 2}, kHeads);
  run_shard(noise, two, {2, 2}, kHeads - 1);
  const auto merge = [](const std::vector<std::string>& folders) {
    return refusal_of([&] { merge_comparisons(folders, nullptr); });
  };
  EXPECT_TRUE(has(merge({one, two}), "shard 2/2 in " + two + " is unfinished"));
  EXPECT_TRUE(has(merge({one}), "shard 2/2 is not among those given"));
  EXPECT_TRUE(has(merge({one, one}), "are both shard 1/2"));
  EXPECT_TRUE(has(merge({one, folder}), folder + ": holds no comparison"));
  noise.plan.base.row_seed = 7;
  run_shard(noise, two, {2, 2}, kHeads);
  EXPECT_TRUE(has(merge({one, two}), "are of two comparisons: --row-seed: 1 then, 7 now"));
}

}  // namespace
}  // namespace lvsa::analysis
