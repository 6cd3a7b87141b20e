#pragma once
// The values of a sweep on their way: each unit stands in a file, on the disk, as soon as it is
// done.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "analysis/sweep/sweep_plan.hpp"
#include "analysis/sweep/sweep_units.hpp"
#include "analysis/sweep/unit_journal.hpp"

namespace lvsa::analysis {

/// A UnitJournal with the plan of a sweep, its items the metrics of a pattern. docs/sweep.md has
/// the bytes.
class SweepJournal {
 public:
  /// A new file under `path`, in the place of one that is there. Throws Error(kIo).
  static std::unique_ptr<SweepJournal> create(const std::string& path, const SweepPlan& plan);
  /// A file that is there, to be added to only when `writable`. Throws Error(kIo) that names path
  /// and byte: damaged in the middle, no journal, of another version.
  static std::unique_ptr<SweepJournal> open(const std::string& path, bool writable);

  const std::string& path() const { return units_->path(); }
  const SweepPlan& plan() const { return plan_; }
  bool has(std::int64_t unit) const { return units_->has(unit); }
  std::int64_t done() const { return units_->done(); }
  /// Adds a unit that is not there yet, and waits for the disk. Throws Error(kIo), for example on a
  /// full disk; the file then holds what it held before.
  void add(const UnitResult& result);
  /// The values of a unit, which must be there. Throws Error(kIo) when the file changed meanwhile.
  std::vector<MetricValues> read(std::int64_t unit) const;

 private:
  SweepJournal(std::unique_ptr<UnitJournal> units, SweepPlan plan);

  std::unique_ptr<UnitJournal> units_;
  SweepPlan plan_;
};

}  // namespace lvsa::analysis
