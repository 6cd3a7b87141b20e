#pragma once
// The folder of a comparison: compare.journal while it goes on, compare.h5, compare.csv and
// summary.csv when it is done, and provenance.json.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/run/folder_lock.hpp"
#include "analysis/sweep/pattern_compare_units.hpp"
#include "analysis/sweep/sweep_folder.hpp"
#include "analysis/sweep/unit_journal.hpp"

namespace lvsa::analysis {

/// Whether a folder is one that a comparison wrote, finished or not.
bool holds_comparison(const std::string& folder);

/// The units of a comparison that is under way.
class CompareJournal {
 public:
  /// As those of SweepJournal.
  static std::unique_ptr<CompareJournal> create(const std::string& path, const ComparePlan& plan);
  static std::unique_ptr<CompareJournal> open(const std::string& path, bool writable);

  const ComparePlan& plan() const { return plan_; }
  bool has(std::int64_t unit) const { return units_->has(unit); }
  std::int64_t done() const { return units_->done(); }
  void add(std::int64_t unit, const CompareUnit& made) { units_->add(unit, unit_bytes(made)); }
  CompareUnit read(std::int64_t unit) const;

 private:
  CompareJournal(std::unique_ptr<UnitJournal> units, ComparePlan plan);

  std::unique_ptr<UnitJournal> units_;
  ComparePlan plan_;
};

/// Makes and locks a folder for the results of a merge. Throws Error(kValue) when it holds a sweep,
/// another comparison or an unfinished one.
std::unique_ptr<FolderLock> lock_for_comparison(const std::string& folder, const ComparePlan& plan);

/// Holds the folder for this process.
class CompareFolder {
 public:
  /// Makes the folder where there is none. Throws Error(kValue) that says what differs when it
  /// holds another comparison, for an unfinished one that nobody asked to go on with, and for a
  /// sweep whatever the mode.
  CompareFolder(const std::string& folder, const ComparePlan& plan, const FolderMode& mode);

  /// All is done already: the results are there, and there is no journal.
  bool finished() const { return finished_.has_value(); }
  const CompareResults& results() const { return *finished_; }
  CompareJournal& journal() { return *journal_; }
  /// Units that were there from before.
  std::int64_t units_before() const { return units_before_; }
  /// The journal goes away: the results stand in their files.
  void close_journal();

 private:
  void check_journal(const ComparePlan& plan, const FolderMode& mode);
  void check_results(const ComparePlan& plan, const FolderMode& mode);
  void begin(const ComparePlan& plan, bool same);

  std::string folder_;
  std::unique_ptr<FolderLock> lock_;
  std::unique_ptr<CompareJournal> journal_;
  std::optional<CompareResults> finished_;
  std::int64_t units_before_ = 0;
};

/// The results of the shards in these folders, with the provenance of all joined; `plan`, if given,
/// gets the plan of the whole. Throws Error(kIo, kValue) that names the folders, as SweepShards
/// does.
CompareResults merge_comparisons(const std::vector<std::string>& folders, ComparePlan* plan);

}  // namespace lvsa::analysis
