#pragma once
// The values of a sweep on their way: each unit stands in a file, on the disk, as soon as it is
// done.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/sweep/sweep_plan.hpp"
#include "analysis/sweep/sweep_units.hpp"

namespace lvsa::analysis {

/// A line of JSON with the plan, then records, each with a hash over its bytes; numbers are little
/// endian. What ends the process or the machine costs the unit in hand and nothing else: a record
/// that is cut off at the end is dropped by the next reader. docs/sweep.md has the bytes.
class SweepJournal {
 public:
  /// A new file under `path`, in the place of one that is there. Throws Error(kIo).
  static std::unique_ptr<SweepJournal> create(const std::string& path, const SweepPlan& plan);
  /// A file that is there, to be added to only when `writable`. Throws Error(kIo) that names path
  /// and byte: damaged in the middle, no journal, of another version.
  static std::unique_ptr<SweepJournal> open(const std::string& path, bool writable);
  ~SweepJournal();
  SweepJournal(const SweepJournal&) = delete;
  SweepJournal& operator=(const SweepJournal&) = delete;

  const std::string& path() const { return path_; }
  const SweepPlan& plan() const { return plan_; }
  bool has(std::int64_t unit) const;
  std::int64_t done() const { return done_; }
  /// Adds a unit that is not there yet, and waits for the disk. Throws Error(kIo), for example on a
  /// full disk; the file then holds what it held before.
  void add(const UnitResult& result);
  /// The values of a unit, which must be there. Throws Error(kIo) when the file changed meanwhile.
  std::vector<MetricValues> read(std::int64_t unit) const;

 private:
  struct Entry {
    std::int64_t offset = -1;  // of its values
    std::int64_t count = 0;
  };

  explicit SweepJournal(std::string path);
  std::int64_t file_size() const;
  void read_header();
  void read_records();
  /// The record at `offset`; false when it is cut off or damaged.
  bool read_record(std::int64_t offset, std::int64_t size, std::int64_t& next);
  void enter(std::int64_t unit, std::int64_t offset, std::int64_t count);
  bool read_bytes(std::int64_t offset, void* bytes, std::size_t size) const;
  void append(std::string_view bytes);

  std::string path_;
  int descriptor_ = -1;
  SweepPlan plan_;
  std::int64_t end_ = 0;  // of the last whole record
  std::int64_t done_ = 0;
  std::vector<Entry> entries_;  // by the number of the unit, less one
};

}  // namespace lvsa::analysis
