#include "analysis/sweep/sweep_folder.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <functional>
#include <set>

#include "analysis/sweep/sweep_hdf5.hpp"
#include "core/error.hpp"
#include "tests/support/refusal.hpp"
#include "tests/sweep/sweep_support.hpp"

namespace lvsa::analysis {
namespace {

using test_support::has;
using test_support::refusal_of;

void write_all_of(const SweepResults& results, const std::string& folder) {
  write_sweep_files(results, find_front(results, {}), folder);
}

SweepResults from_journal(const PlainSweep& sweep, const SweepJournal& journal) {
  return finish_sweep(sweep.plan, sweep.patterns, sweep.units,
                      [&](std::int64_t unit) { return journal.read(unit); });
}

bool same_files(const std::string& a, const std::string& b) {
  for (const char* name : {"/sweep.h5", "/sweep.csv", "/summary.csv"}) {
    if (bytes_of(a + name).empty() || bytes_of(a + name) != bytes_of(b + name)) return false;
  }
  return true;
}

TEST(SweepPatterns, AreEvaluatedOnceEach) {
  const PlainSweep sweep;
  // At interval 3 and T = 7 the offsets have the keyframes 0 3 6, 0 1 4 and 0 1 2 5. W = 0: three
  // patterns; W = 1 takes 3 others, which at the last offset are all: two more and the dense one;
  // W = 2 and 3 take up to 4 others, always all.
  EXPECT_EQ(sweep.plan.settings.size(), 8u);
  EXPECT_EQ(sweep.patterns.size(), 6);
  EXPECT_EQ(sweep.units.count(), 6 * 3);
}

TEST(SweepPatterns, CombineARotationByTheMeanOrTheExtreme) {
  const PlainSweep sweep;
  std::vector<MetricValues> values(static_cast<std::size_t>(sweep.patterns.size()));
  const auto of = sweep.patterns.of(1);  // W = 0, rotating
  ASSERT_EQ(of.size(), 3u);
  const double each[] = {3.0, 1.0, 5.0};
  for (std::size_t i = 0; i < 3; ++i) values[static_cast<std::size_t>(of[i])].fill(each[i]);
  const MetricValues combined = sweep.patterns.combined(1, values);
  EXPECT_EQ(combined[static_cast<std::size_t>(Metric::kRelativeL2)], 3.0);
  EXPECT_EQ(combined[static_cast<std::size_t>(Metric::kRecallP01)], 3.0);
  EXPECT_EQ(combined[static_cast<std::size_t>(Metric::kCosineMin)], 1.0);
  EXPECT_EQ(combined[static_cast<std::size_t>(Metric::kRecallMin)], 1.0);
  EXPECT_EQ(combined[static_cast<std::size_t>(Metric::kLseShiftMax)], 5.0);
}

TEST(SweepPlan, IsReadBackFromItsJson) {
  SweepPlan plan = PlainSweep().plan;
  plan.shard = {2, 3};
  plan.classes.assign(plan.samples.size(), "spatial");
  const SweepPlan read = parse_sweep_plan(sweep_plan_json(plan));
  EXPECT_EQ(difference(plan, read, false), "");
  EXPECT_EQ(sweep_plan_json(read), sweep_plan_json(plan));
}

TEST(SweepPlan, SaysWhatDiffers) {
  const SweepPlan plan = PlainSweep().plan;
  const auto differs = [&](const std::function<void(SweepPlan&)>& change) {
    SweepPlan other = plan;
    change(other);
    return difference(plan, other, false);
  };
  EXPECT_EQ(differs([](SweepPlan&) {}), "");
  EXPECT_TRUE(has(differs([](SweepPlan& p) { p.rows_per_frame = 9; }), "--rows-per-frame: 4"));
  EXPECT_TRUE(has(differs([](SweepPlan& p) { p.identity = "x"; }), "source: plain"));
  EXPECT_TRUE(has(differs([](SweepPlan& p) { p.settings[2].window = 9; }), "setting 3: 'W=1"));
  EXPECT_TRUE(has(differs([](SweepPlan& p) { p.samples[1].layer = 9; }), "layer 9"));
  EXPECT_TRUE(has(differs([](SweepPlan& p) { p.shard = {1, 2}; }), "shard: 1/1 then, 1/2 now"));
  SweepPlan elsewhere = plan;
  for (SampleId& id : elsewhere.samples) id.source = "/other/place";
  EXPECT_EQ(difference(plan, elsewhere, false), "");
}

TEST(SweepJournal, LosesTheUnitInHandAloneWhereverItIsCutOff) {
  const PlainSweep sweep;
  const std::string path = scratch_folder() + "/sweep.journal";
  std::vector<std::int64_t> ends;
  {
    const auto journal = SweepJournal::create(path, sweep.plan);
    ends.push_back(static_cast<std::int64_t>(std::filesystem::file_size(path)));
    for (const std::int64_t unit : {5, 1, 2}) {
      journal->add(sweep.compute(unit));
      ends.push_back(static_cast<std::int64_t>(std::filesystem::file_size(path)));
    }
  }
  const std::string whole = bytes_of(path);
  std::set<std::int64_t> sizes;
  for (std::int64_t size = ends[0]; size < ends[3]; size += 61) sizes.insert(size);
  for (const std::int64_t end : ends) {
    for (std::int64_t size = end - 1; size <= end + 1; ++size) {
      if (size >= ends[0] && size <= ends[3]) sizes.insert(size);
    }
  }
  for (const std::int64_t size : sizes) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, static_cast<std::size_t>(size));
    const auto journal = SweepJournal::open(path, true);
    const std::int64_t left = size >= ends[3] ? 3 : size >= ends[2] ? 2 : size >= ends[1] ? 1 : 0;
    ASSERT_EQ(journal->done(), left) << size;
    ASSERT_EQ(journal->has(5), left >= 1);
    ASSERT_FALSE(journal->has(3));
    journal->add(sweep.compute(3));
    ASSERT_EQ(SweepJournal::open(path, false)->done(), left + 1);
    ASSERT_EQ(SweepJournal::open(path, false)->read(3), sweep.compute(3).values);
  }
}

TEST(SweepJournal, DamagedInTheMiddleIsRefusedWithThePlace) {
  const PlainSweep sweep;
  const std::string path = scratch_folder() + "/sweep.journal";
  std::size_t first = 0;
  {
    const auto journal = SweepJournal::create(path, sweep.plan);
    first = std::filesystem::file_size(path);
    for (std::int64_t unit = 1; unit <= 6; ++unit) journal->add(sweep.compute(unit));
  }
  std::string bytes = bytes_of(path);
  bytes[first + 40] ^= 1;
  std::ofstream(path, std::ios::binary) << bytes;
  const std::string text = refusal_of([&] { SweepJournal::open(path, true); });
  EXPECT_TRUE(has(text, "damaged at byte " + std::to_string(first))) << text;
  bytes[30] ^= 1;
  std::ofstream(path, std::ios::binary) << bytes;
  EXPECT_TRUE(has(refusal_of([&] { SweepJournal::open(path, false); }), "first line"));
  std::ofstream(path, std::ios::binary) << "something else";
  EXPECT_TRUE(has(refusal_of([&] { SweepJournal::open(path, false); }), "no journal"));
  std::ofstream(path, std::ios::binary) << "";
  EXPECT_TRUE(has(refusal_of([&] { SweepJournal::open(path, false); }), "no journal"));
}

TEST(SweepJournal, OnAFullDiskHoldsWhatItHeldBefore) {
  const PlainSweep sweep;
  const std::string path = scratch_folder() + "/sweep.journal";
  const auto journal = SweepJournal::create(path, sweep.plan);
  journal->add(sweep.compute(1));
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = std::filesystem::file_size(path) + 10;
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string text = refusal_of([&] { journal->add(sweep.compute(2)); });
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_TRUE(has(text, path)) << text;
  EXPECT_EQ(SweepJournal::open(path, false)->done(), 1);
  journal->add(sweep.compute(2));
  EXPECT_EQ(SweepJournal::open(path, false)->done(), 2);
}

TEST(SweepFiles, AreReadBackAsTheyWere) {
  const std::string folder = scratch_folder();
  SweepResults results = PlainSweep().results();
  results.sample_classes.assign(results.samples.size(), "spatial");
  results.provenance = {{"version", "1"}, {"time", "now"}};
  write_all_of(results, folder);
  for (const std::string& path : {folder, folder + "/sweep.h5"}) {
    const SweepResults read = read_sweep(path);
    EXPECT_EQ(read.values, results.values);
    EXPECT_EQ(read.settings, results.settings);
    EXPECT_EQ(read.samples, results.samples);
    EXPECT_EQ(read.sample_classes, results.sample_classes);
    EXPECT_EQ(read.provenance, results.provenance);
    EXPECT_EQ(read.identity, results.identity);
    EXPECT_EQ(read.speedup_source, results.speedup_source);
    EXPECT_EQ(read.grid.text_tokens, 2);
    EXPECT_EQ(read.head_dim, 16);
    ASSERT_EQ(read.excluded.size(), 1u);
    EXPECT_EQ(read.excluded[0].reason, results.excluded[0].reason);
    EXPECT_EQ(read.excluded[0].id, results.excluded[0].id);
    for (std::size_t s = 0; s < read.figures.size(); ++s) {
      EXPECT_EQ(read.figures[s].token_density, results.figures[s].token_density);
      EXPECT_EQ(read.figures[s].oldest_unseen, results.figures[s].oldest_unseen);
      EXPECT_EQ(read.figures[s].steps_to_cover, results.figures[s].steps_to_cover);
    }
  }
}

TEST(SweepFiles, OfTheSameResultsHaveTheSameBytesWhateverTheProvenance) {
  const std::string folder = scratch_folder();
  SweepResults results = PlainSweep().results();
  for (const char* name : {"/a", "/b"}) {
    std::filesystem::create_directories(folder + name);
    results.provenance = {{"time", name}};
    write_all_of(results, folder + name);
  }
  EXPECT_TRUE(same_files(folder + "/a", folder + "/b"));
}

TEST(SweepFiles, CutOffOrOfAnotherKindAreRefused) {
  const std::string folder = scratch_folder();
  const std::string path = folder + "/sweep.h5";
  write_all_of(PlainSweep().results(), folder);
  const std::string whole = bytes_of(path);
  for (const std::size_t size : {whole.size() / 4, whole.size() / 2, whole.size() - 1}) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, size);
    EXPECT_TRUE(has(refusal_of([&] { read_sweep(folder); }), path)) << size;
  }
  EXPECT_TRUE(has(refusal_of([&] { read_sweep(folder + "/none"); }), "no such file"));
  std::filesystem::remove(path);
  EXPECT_TRUE(has(refusal_of([&] { read_sweep(folder); }), "holds no sweep"));
}

TEST(SweepCsv, HasARowForEachSettingAndSample) {
  const std::string folder = scratch_folder();
  const SweepResults results = PlainSweep().results();
  write_all_of(results, folder);
  std::ifstream table(folder + "/sweep.csv");
  std::string header;
  std::getline(table, header);
  std::string line;
  std::size_t lines = 0;
  while (std::getline(table, line)) {
    ++lines;
    EXPECT_EQ(std::count(line.begin(), line.end(), ','),
              std::count(header.begin(), header.end(), ','));
  }
  EXPECT_EQ(lines, results.settings.size() * results.samples.size());
}

TEST(SweepFolder, GoesOnWithTheSameSweepAloneAndOnlyWhenAsked) {
  const PlainSweep sweep;
  const std::string folder = scratch_folder();
  SweepFolder(folder, sweep.plan, {}).journal().add(sweep.compute(1));
  SweepPlan other = sweep.plan;
  other.rows_per_frame = 99;
  const auto opens = [&](const SweepPlan& plan, const FolderMode& mode) {
    return refusal_of([&] { SweepFolder(folder, plan, mode); });
  };
  EXPECT_TRUE(has(opens(sweep.plan, {}), "holds 1 units of this sweep"));
  EXPECT_TRUE(has(opens(other, {true, false}), "--rows-per-frame: 4 then, 99 now"));
  EXPECT_TRUE(has(refusal_of([&] { read_sweep(folder); }), "unfinished (1 units"));
  {
    SweepFolder again(folder, sweep.plan, {true, false});
    EXPECT_EQ(again.units_before(), 1);
    EXPECT_TRUE(has(opens(sweep.plan, {true, false}), "another run"));
    for (std::int64_t unit = 2; unit <= sweep.units.count(); ++unit) {
      again.journal().add(sweep.compute(unit));
    }
    write_all_of(from_journal(sweep, again.journal()), folder);
    again.close_journal();
  }
  EXPECT_TRUE(SweepFolder(folder, sweep.plan, {true, false}).finished());
  EXPECT_TRUE(has(opens(other, {}), "another sweep"));
  EXPECT_EQ(opens(other, {false, true}), "accepted");  // --overwrite
  EXPECT_FALSE(std::filesystem::exists(folder + "/sweep.h5"));
}

/// A shard's folder with all its units, the last `missing` of them left out.
void run_shard(PlainSweep& sweep, const std::string& folder, const Shard& shard,
               std::int64_t missing = 0) {
  sweep.plan.shard = shard;
  SweepFolder part(folder, sweep.plan, {false, true});
  for (std::int64_t unit = 1; unit <= sweep.units.count() - missing * shard.of; ++unit) {
    if (shard.holds(unit)) part.journal().add(sweep.compute(unit));
  }
}

TEST(SweepShards, MakeTheSameFilesAsOneSweep) {
  const std::string folder = scratch_folder();
  PlainSweep sweep;
  std::vector<std::string> parts;
  for (const std::int64_t i : {3, 1, 4, 2}) {
    parts.push_back(folder + "/part" + std::to_string(i));
    run_shard(sweep, parts.back(), {i, 4});
  }
  std::filesystem::create_directories(folder + "/merged");
  std::filesystem::create_directories(folder + "/whole");
  write_all_of(SweepShards(parts).results(), folder + "/merged");
  write_all_of(PlainSweep().results(), folder + "/whole");
  EXPECT_TRUE(same_files(folder + "/merged", folder + "/whole"));
  EXPECT_TRUE(has(refusal_of([&] { read_sweep(parts[0]); }), "shard 3/4"));
}

TEST(SweepShards, ThatDoNotMakeAWholeAreRefusedByName) {
  const std::string folder = scratch_folder();
  PlainSweep sweep;
  const std::string one = folder + "/one";
  const std::string two = folder + "/two";
  run_shard(sweep, one, {1, 2});
  run_shard(sweep, two, {2, 2}, 1);
  const auto merge = [](const std::vector<std::string>& folders) {
    return refusal_of([&] { SweepShards shards(folders); });
  };
  EXPECT_TRUE(has(merge({one, two}), "shard 2/2 in " + two + " is unfinished"));
  EXPECT_TRUE(has(merge({one}), "shard 2/2 is not among those given"));
  EXPECT_TRUE(has(merge({one, one}), "are both shard 1/2"));
  EXPECT_TRUE(has(merge({one, folder}), folder + ": holds no sweep"));
  run_shard(sweep, two, {2, 3});
  EXPECT_TRUE(has(merge({one, two}), "one is in 2 shards, the other in 3"));
  sweep.plan.row_seed = 7;
  run_shard(sweep, two, {2, 2});
  EXPECT_TRUE(has(merge({one, two}), "--row-seed: 1 then, 7 now"));
}

}  // namespace
}  // namespace lvsa::analysis
