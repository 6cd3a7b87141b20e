#include "analysis/sweep/pattern_compare_folder.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "analysis/report/write_reports.hpp"
#include "analysis/sweep/pattern_compare_files.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

namespace fs = std::filesystem;

constexpr JournalKind kKind{"lvsa-compare-journal 1 ", "comparison of patterns", 1};
constexpr const char* kJournal = "compare.journal";
constexpr const char* kResults = "compare.h5";

std::string in(const std::string& folder, const char* name) {
  return (fs::path(folder) / name).string();
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// As a journal and compare.h5 have it.
ComparePlan as_stored(const ComparePlan& plan) {
  return parse_compare_plan(compare_plan_json(plan));
}

[[noreturn]] void refuse_other(const std::string& folder, const std::string& other) {
  throw Error(ErrorKind::kValue,
              fmt::format("--out {}: holds another comparison: {}; another folder is due, or "
                          "--overwrite to begin anew there",
                          folder, other));
}

void refuse_sweep(const std::string& folder) {
  if (!holds_sweep(folder)) return;
  throw Error(ErrorKind::kValue,
              fmt::format("--out {}: holds a sweep; another folder is due", folder));
}

std::unique_ptr<FolderLock> lock_folder(const std::string& folder) {
  refuse_sweep(folder);
  try {
    make_report_folder(folder);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("--out {}", error.what()));
  }
  return std::make_unique<FolderLock>(folder.empty() ? "." : folder);
}

std::string shard_text(const Shard& shard) { return fmt::format("{}/{}", shard.number, shard.of); }

struct Part {
  std::string folder;
  std::unique_ptr<CompareJournal> journal;
};

std::vector<Part> open_parts(const std::vector<std::string>& folders) {
  std::vector<Part> parts;
  for (const std::string& folder : folders) {
    const std::string path = in(folder, kJournal);
    if (!exists(path)) {
      const bool whole = exists(in(folder, kResults));
      throw Error(
          whole ? ErrorKind::kValue : ErrorKind::kIo,
          fmt::format("{}: {}; the folders of sweep --shard i/n are due", folder,
                      whole ? "holds a whole comparison, no shard" : "holds no comparison"));
    }
    parts.push_back({folder, CompareJournal::open(path, false)});
  }
  const ComparePlan& first = parts.front().journal->plan();
  for (const Part& part : parts) {
    const ComparePlan& plan = part.journal->plan();
    std::string other = difference(first, plan, true);
    if (other.empty() && plan.base.shard.of != first.base.shard.of) {
      other = fmt::format("one is in {} shards, the other in {}", first.base.shard.of,
                          plan.base.shard.of);
    }
    if (other.empty()) continue;
    throw Error(ErrorKind::kValue, fmt::format("{} and {} are of two comparisons: {}",
                                               parts.front().folder, part.folder, other));
  }
  return parts;
}

// Who has the unit; throws when nobody has, or two have.
const CompareJournal& owner_of(const std::vector<Part>& parts, std::int64_t unit,
                               std::int64_t count) {
  const Part* here = nullptr;
  const Part* due = nullptr;
  for (const Part& part : parts) {
    const Shard& shard = part.journal->plan().base.shard;
    if (shard.holds(unit)) due = &part;
    if (!part.journal->has(unit)) continue;
    if (here != nullptr) {
      throw Error(ErrorKind::kValue, fmt::format("{} and {} are both shard {}: each is due once",
                                                 here->folder, part.folder, shard_text(shard)));
    }
    here = &part;
  }
  if (here != nullptr) return *here->journal;
  const std::int64_t of = parts.front().journal->plan().base.shard.of;
  const std::string whose =
      due == nullptr
          ? fmt::format("the folder of shard {}/{} is not among those given", (unit - 1) % of + 1,
                        of)
          : fmt::format("shard {} in {} is unfinished; lvsa-verify sweep --resume goes on with it",
                        shard_text(due->journal->plan().base.shard), due->folder);
  throw Error(ErrorKind::kValue, fmt::format("unit {} of {} is missing: {}", unit, count, whose));
}

}  // namespace

bool holds_comparison(const std::string& folder) {
  return exists(in(folder, kJournal)) || exists(in(folder, kResults));
}

CompareJournal::CompareJournal(std::unique_ptr<UnitJournal> units, ComparePlan plan)
    : units_(std::move(units)), plan_(std::move(plan)) {}

std::unique_ptr<CompareJournal> CompareJournal::create(const std::string& path,
                                                       const ComparePlan& plan) {
  return std::unique_ptr<CompareJournal>(
      new CompareJournal(UnitJournal::create(path, kKind, compare_plan_json(plan)), plan));
}

std::unique_ptr<CompareJournal> CompareJournal::open(const std::string& path, bool writable) {
  auto units = UnitJournal::open(path, kKind, writable);
  ComparePlan plan;
  try {
    plan = parse_compare_plan(units->plan());
  } catch (const Error& error) {
    throw Error(ErrorKind::kIo, fmt::format("{}: {}", path, error.what()));
  }
  units->read_records(plan.base.shard);
  return std::unique_ptr<CompareJournal>(new CompareJournal(std::move(units), std::move(plan)));
}

CompareUnit CompareJournal::read(std::int64_t unit) const {
  try {
    return parse_unit(units_->read(unit), plan_.entries.size());
  } catch (const Error& error) {
    throw Error(ErrorKind::kIo, fmt::format("{}: unit {}: {}", units_->path(), unit, error.what()));
  }
}

std::unique_ptr<FolderLock> lock_for_comparison(const std::string& folder,
                                                const ComparePlan& plan) {
  auto lock = lock_folder(folder);
  if (exists(in(folder, kJournal))) {
    throw Error(
        ErrorKind::kValue,
        fmt::format("--out {}: holds an unfinished comparison; another folder is due", folder));
  }
  const std::string there = in(folder, kResults);
  if (!exists(there)) return lock;
  const std::string other = difference(read_compare_hdf5(there).plan, as_stored(plan), false);
  if (other.empty()) return lock;
  throw Error(
      ErrorKind::kValue,
      fmt::format("--out {}: holds another comparison: {}; another folder is due", folder, other));
}

CompareFolder::CompareFolder(const std::string& folder, const ComparePlan& plan,
                             const FolderMode& mode)
    : folder_(folder), lock_(lock_folder(folder)) {
  if (!mode.overwrite && exists(in(folder_, kJournal))) {
    check_journal(plan, mode);
  } else if (!mode.overwrite && exists(in(folder_, kResults))) {
    check_results(plan, mode);
  } else {
    begin(plan, false);
  }
}

void CompareFolder::check_journal(const ComparePlan& plan, const FolderMode& mode) {
  journal_ = CompareJournal::open(in(folder_, kJournal), true);
  // One that failed at its first sample holds nothing that could be lost.
  if (journal_->done() == 0) return begin(plan, false);
  const std::string other = difference(journal_->plan(), as_stored(plan), false);
  if (!other.empty()) refuse_other(folder_, other);
  units_before_ = journal_->done();
  if (mode.resume) return;
  throw Error(ErrorKind::kValue,
              fmt::format("--out {}: holds {} units of this comparison already; --resume goes on "
                          "with them, --overwrite begins anew",
                          folder_, units_before_));
}

void CompareFolder::check_results(const ComparePlan& plan, const FolderMode& mode) {
  ReadComparison there = read_compare_hdf5(in(folder_, kResults));
  const std::string other = difference(there.plan, as_stored(plan), false);
  if (!other.empty()) refuse_other(folder_, other);
  if (!mode.resume) return begin(plan, true);
  finished_ = std::move(there.results);
}

// Files of another comparison would be taken for results of this one while it goes on.
void CompareFolder::begin(const ComparePlan& plan, bool same) {
  journal_ = CompareJournal::create(in(folder_, kJournal), plan);
  if (same) return;
  for (const char* name : {kResults, "compare.csv", "summary.csv", "provenance.json"}) {
    ::unlink(in(folder_, name).c_str());
  }
}

void CompareFolder::close_journal() {
  journal_.reset();
  ::unlink(in(folder_, kJournal).c_str());
}

CompareResults merge_comparisons(const std::vector<std::string>& folders, ComparePlan* plan) {
  const std::vector<Part> parts = open_parts(folders);
  ComparePlan whole = parts.front().journal->plan();
  whole.base.shard = {};
  for (std::int64_t unit = 1; unit <= whole.units(); ++unit) owner_of(parts, unit, whole.units());
  CompareResults results = finish_comparison(
      whole, [&](std::int64_t unit) { return owner_of(parts, unit, whole.units()).read(unit); });
  for (const Part& part : parts) {
    results.provenance = joined(results.provenance, read_provenance(part.folder));
  }
  if (plan != nullptr) *plan = std::move(whole);
  return results;
}

}  // namespace lvsa::analysis
