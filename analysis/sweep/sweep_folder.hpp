#pragma once
// The folder of a sweep: sweep.journal while it goes on, sweep.h5, sweep.csv and summary.csv when
// it is done, and provenance.json.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/run/folder_lock.hpp"
#include "analysis/sweep/front.hpp"
#include "analysis/sweep/sweep_journal.hpp"
#include "analysis/sweep/sweep_results.hpp"

namespace lvsa::analysis {

/// Whether a folder (or file) is one that a sweep wrote, finished or not.
bool holds_sweep(const std::string& path);

/// Writes everything of a finished sweep, sweep.h5 last. What fails leaves whole files: the ones of
/// before or the new ones.
void write_sweep_files(const SweepResults& results, const Front& front, const std::string& folder);
void write_provenance(const Provenance& provenance, const std::string& folder);
/// Empty when there is none.
Provenance read_provenance(const std::string& folder);

/// Makes and locks the folder for results that are written there at once. Throws Error(kValue) when
/// it holds another sweep or an unfinished one.
std::unique_ptr<FolderLock> lock_for_results(const std::string& folder,
                                             const SweepResults& results);

/// How a sweep meets what is in its folder.
struct FolderMode {
  bool resume = false;     ///< go on with what is there
  bool overwrite = false;  ///< begin anew whatever is there
};

/// Holds the folder for this process.
class SweepFolder {
 public:
  /// Makes the folder where there is none. Throws Error(kValue) that says what differs when it
  /// holds another sweep, or an unfinished one that nobody asked to go on with.
  SweepFolder(const std::string& folder, const SweepPlan& plan, const FolderMode& mode);

  /// All is done already: the results are there, and there is no journal.
  bool finished() const { return finished_.has_value(); }
  const SweepResults& results() const { return *finished_; }
  SweepJournal& journal() { return *journal_; }
  /// Units that were there from before.
  std::int64_t units_before() const { return units_before_; }
  /// The journal goes away: the results stand in their files.
  void close_journal();

 private:
  void check_journal(const SweepPlan& plan, const FolderMode& mode);
  void check_results(const SweepPlan& plan, const FolderMode& mode);
  void begin(const SweepPlan& plan, bool same);

  std::string folder_;
  std::string journal_path_;
  std::string results_path_;
  std::unique_ptr<FolderLock> lock_;
  std::unique_ptr<SweepJournal> journal_;
  std::optional<SweepResults> finished_;
  std::int64_t units_before_ = 0;
};

/// The shards of a sweep, opened for reading.
class SweepShards {
 public:
  /// Throws Error(kIo, kValue) that names the folders: no journal in one, of two sweeps, a unit in
  /// two of them, units missing (and whose they are).
  explicit SweepShards(const std::vector<std::string>& folders);

  /// With the provenance of all joined.
  SweepResults results() const;

 private:
  void require_same_sweep() const;
  void assign_units(std::int64_t count);

  struct Part {
    std::string folder;
    std::unique_ptr<SweepJournal> journal;
  };
  std::vector<Part> parts_;
  std::vector<const SweepJournal*> owner_;  // of each unit, by its number less one
  std::unique_ptr<SweepPatterns> patterns_;
  std::unique_ptr<SweepUnits> units_;
};

}  // namespace lvsa::analysis
