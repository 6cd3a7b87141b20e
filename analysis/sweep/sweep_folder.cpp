#include "analysis/sweep/sweep_folder.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "analysis/report/text_format.hpp"
#include "analysis/report/write_reports.hpp"
#include "analysis/sweep/pattern_compare_folder.hpp"
#include "analysis/sweep/sweep_csv.hpp"
#include "analysis/sweep/sweep_finish.hpp"
#include "analysis/sweep/sweep_hdf5.hpp"
#include "core/error.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/byte_file.hpp"

namespace lvsa::analysis {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kJournal = "sweep.journal";
constexpr const char* kResults = "sweep.h5";
constexpr const char* kTable = "sweep.csv";
constexpr const char* kSummary = "summary.csv";
constexpr const char* kProvenance = "provenance.json";

std::string in(const std::string& folder, const char* name) {
  return (fs::path(folder) / name).string();
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

[[noreturn]] void refuse_other(const std::string& folder, const std::string& other) {
  throw Error(
      ErrorKind::kValue,
      fmt::format("--out {}: holds another sweep: {}; another folder is due, or --overwrite "
                  "to begin anew there",
                  folder, other));
}

void make_folder(const std::string& folder) {
  try {
    make_report_folder(folder);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("--out {}", error.what()));
  }
}

std::string shard_text(const Shard& shard) { return fmt::format("{}/{}", shard.number, shard.of); }

}  // namespace

bool holds_sweep(const std::string& path) {
  return exists(in(path, kJournal)) || exists(in(path, kResults));
}

void write_provenance(const Provenance& provenance, const std::string& folder) {
  Json json = Json::object();
  for (const auto& [name, value] : provenance) json[name] = valid_utf8(value);
  write_file_atomically(in(folder, kProvenance), json.dump(1) + "\n");
}

Provenance read_provenance(const std::string& folder) {
  const std::string path = in(folder, kProvenance);
  Provenance provenance;
  if (!exists(path)) return provenance;
  try {
    constexpr std::int64_t kMostBytes = 1 << 24;
    const Json json = Json::parse(read_small_file(path, kMostBytes));
    for (const auto& [name, value] : json.items()) {
      provenance.emplace_back(name, value.get<std::string>());
    }
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::kJson, fmt::format("{}: {}", path, error.what()));
  }
  return provenance;
}

void write_sweep_files(const SweepResults& results, const Front& front, const std::string& folder) {
  write_sweep_csv(results, in(folder, kTable));
  write_summary_csv(results, front, in(folder, kSummary));
  write_provenance(results.provenance, folder);
  write_sweep_hdf5(results, in(folder, kResults));
}

SweepResults read_sweep(const std::string& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    SweepResults results = read_sweep_hdf5(path);
    results.provenance = read_provenance(fs::path(path).parent_path().string());
    return results;
  }
  const std::string file = in(path, kResults);
  if (exists(file)) return read_sweep(file);
  const std::string unfinished = in(path, kJournal);
  if (!exists(unfinished)) {
    throw Error(ErrorKind::kIo,
                fmt::format("{}: holds no sweep; a folder with {} is due", path, kResults));
  }
  const auto journal = SweepJournal::open(unfinished, false);
  const Shard shard = journal->plan().shard;
  if (shard.of > 1) {
    throw Error(ErrorKind::kValue,
                fmt::format("{}: is shard {} of a sweep; lvsa-verify merge makes "
                            "one of all",
                            path, shard_text(shard)));
  }
  throw Error(ErrorKind::kValue,
              fmt::format("{}: the sweep is unfinished ({} units are done); lvsa-verify sweep "
                          "--resume goes on with it",
                          path, journal->done()));
}

std::unique_ptr<FolderLock> lock_for_results(const std::string& folder,
                                             const SweepResults& results) {
  make_folder(folder);
  auto lock = std::make_unique<FolderLock>(folder.empty() ? "." : folder);
  if (exists(in(folder, kJournal))) {
    throw Error(ErrorKind::kValue,
                fmt::format("--out {}: holds an unfinished sweep; another folder is due", folder));
  }
  const std::string there = in(folder, kResults);
  if (!exists(there)) return lock;
  const std::string other =
      difference(plan_of_results(read_sweep(there)), plan_of_results(results), false);
  if (other.empty()) return lock;
  throw Error(
      ErrorKind::kValue,
      fmt::format("--out {}: holds another sweep: {}; another folder is due", folder, other));
}

SweepFolder::SweepFolder(const std::string& folder, const SweepPlan& plan, const FolderMode& mode)
    : folder_(folder), journal_path_(in(folder, kJournal)), results_path_(in(folder, kResults)) {
  if (holds_comparison(folder)) {
    throw Error(
        ErrorKind::kValue,
        fmt::format("--out {}: holds a comparison of patterns; another folder is due", folder));
  }
  make_folder(folder);
  lock_ = std::make_unique<FolderLock>(folder.empty() ? "." : folder);
  if (!mode.overwrite && exists(journal_path_)) {
    check_journal(plan, mode);
  } else if (!mode.overwrite && exists(results_path_)) {
    check_results(plan, mode);
  } else {
    begin(plan, false);
  }
}

void SweepFolder::check_journal(const SweepPlan& plan, const FolderMode& mode) {
  journal_ = SweepJournal::open(journal_path_, true);
  const std::string other = difference(journal_->plan(), plan, false);
  if (!other.empty()) refuse_other(folder_, other);
  units_before_ = journal_->done();
  if (mode.resume || units_before_ == 0) return;
  throw Error(ErrorKind::kValue,
              fmt::format("--out {}: holds {} units of this sweep already; --resume goes on with "
                          "them, --overwrite begins anew",
                          folder_, units_before_));
}

void SweepFolder::check_results(const SweepPlan& plan, const FolderMode& mode) {
  SweepResults results = read_sweep(results_path_);
  SweepPlan then = plan_of_results(results);
  then.patterns_per_unit = plan.patterns_per_unit;
  const std::string other = difference(then, plan, false);
  if (!other.empty()) refuse_other(folder_, other);
  if (!mode.resume) return begin(plan, true);
  finished_ = std::move(results);
}

// Files of another sweep would be taken for results of this one while it goes on.
void SweepFolder::begin(const SweepPlan& plan, bool same) {
  journal_ = SweepJournal::create(journal_path_, plan);
  if (same) return;
  for (const char* name : {kResults, kTable, kSummary, kProvenance}) {
    ::unlink(in(folder_, name).c_str());
  }
}

void SweepFolder::close_journal() {
  journal_.reset();
  ::unlink(journal_path_.c_str());
}

SweepShards::SweepShards(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    const std::string path = in(folder, kJournal);
    if (!exists(path)) {
      const bool whole = exists(in(folder, kResults));
      throw Error(whole ? ErrorKind::kValue : ErrorKind::kIo,
                  fmt::format("{}: {}; the folders of sweep --shard i/n are due", folder,
                              whole ? "holds a whole sweep, no shard" : "holds no sweep"));
    }
    parts_.push_back({folder, SweepJournal::open(path, false)});
  }
  require_same_sweep();
  const SweepPlan& plan = parts_.front().journal->plan();
  patterns_ = std::make_unique<SweepPatterns>(plan.settings, plan.grid.frames);
  units_ = std::make_unique<SweepUnits>(plan, *patterns_);
  assign_units(units_->count());
}

void SweepShards::require_same_sweep() const {
  const Part& first = parts_.front();
  for (const Part& part : parts_) {
    std::string other = difference(first.journal->plan(), part.journal->plan(), true);
    const std::int64_t of = first.journal->plan().shard.of;
    if (other.empty() && part.journal->plan().shard.of != of) {
      other =
          fmt::format("one is in {} shards, the other in {}", of, part.journal->plan().shard.of);
    }
    if (other.empty()) continue;
    throw Error(ErrorKind::kValue,
                fmt::format("{} and {} are of two sweeps: {}", first.folder, part.folder, other));
  }
}

void SweepShards::assign_units(std::int64_t count) {
  owner_.assign(static_cast<std::size_t>(count), nullptr);
  const std::int64_t of = parts_.front().journal->plan().shard.of;
  for (std::int64_t unit = 1; unit <= count; ++unit) {
    const Part* here = nullptr;
    const Part* due = nullptr;
    for (const Part& part : parts_) {
      if (part.journal->plan().shard.holds(unit)) due = &part;
      if (!part.journal->has(unit)) continue;
      if (here != nullptr) {
        throw Error(ErrorKind::kValue,
                    fmt::format("{} and {} are both shard {}: each is due once", here->folder,
                                part.folder, shard_text(part.journal->plan().shard)));
      }
      here = &part;
    }
    if (here != nullptr) {
      owner_[static_cast<std::size_t>(unit) - 1] = here->journal.get();
      continue;
    }
    const std::string whose =
        due == nullptr ? fmt::format("the folder of shard {}/{} is not among those given",
                                     (unit - 1) % of + 1, of)
                       : fmt::format(
                             "shard {} in {} is unfinished; lvsa-verify sweep --resume goes "
                             "on with it",
                             shard_text(due->journal->plan().shard), due->folder);
    throw Error(ErrorKind::kValue, fmt::format("unit {} of {} is missing: {}", unit, count, whose));
  }
}

SweepResults SweepShards::results() const {
  const auto read = [&](std::int64_t unit) {
    return owner_[static_cast<std::size_t>(unit) - 1]->read(unit);
  };
  SweepResults results = finish_sweep(parts_.front().journal->plan(), *patterns_, *units_, read);
  for (const Part& part : parts_) {
    results.provenance = joined(results.provenance, read_provenance(part.folder));
  }
  return results;
}

}  // namespace lvsa::analysis
