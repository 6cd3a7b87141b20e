#pragma once
// Results on their way: each unit of work stands in a file, on the disk, as soon as it is done.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/run/plan.hpp"

namespace lvsa::analysis {

/// What tells journals of different commands apart.
struct JournalKind {
  std::string_view magic;  ///< how the file begins: name, version of the form, a blank
  std::string_view what;   ///< "sweep", for messages
  std::size_t item_bytes;  ///< the values of a unit are so many of these
};

/// A line `magic LENGTH HASH PLAN`, then records: LVSAUNIT, the unit, the number of items (64-bit
/// integers), the items, a 64-bit hash over all that; little endian. What ends the process or the
/// machine costs the unit in hand and nothing else: a record that is cut off at the end is dropped
/// by the next reader.
class UnitJournal {
 public:
  /// A new file under `path`, in the place of one that is there. Throws Error(kIo).
  static std::unique_ptr<UnitJournal> create(const std::string& path, const JournalKind& kind,
                                             const std::string& plan);
  /// A file that is there, to be added to only when `writable`; read_records() is due next. Throws
  /// Error(kIo) that names the path: no such journal, of another version, damaged.
  static std::unique_ptr<UnitJournal> open(const std::string& path, const JournalKind& kind,
                                           bool writable);
  ~UnitJournal();
  UnitJournal(const UnitJournal&) = delete;
  UnitJournal& operator=(const UnitJournal&) = delete;

  const std::string& path() const { return path_; }
  const std::string& plan() const { return plan_; }
  /// Finds the units, which must be those of the shard. Throws Error(kIo) that names path and byte
  /// where a whole record stands behind a damaged one.
  void read_records(const Shard& shard);

  bool has(std::int64_t unit) const;
  std::int64_t done() const { return done_; }
  /// Adds a unit that is not there yet, and waits for the disk. Throws Error(kIo), for example on a
  /// full disk; the file then holds what it held before.
  void add(std::int64_t unit, std::string_view items);
  /// The items of a unit, which must be there. Throws Error(kIo) when the file changed meanwhile.
  std::string read(std::int64_t unit) const;

 private:
  struct Entry {
    std::int64_t offset = -1;  // of its items
    std::int64_t bytes = 0;
  };
  struct Record {
    std::int64_t unit = 0;
    Entry items;
    std::int64_t end = 0;
  };

  UnitJournal(std::string path, const JournalKind& kind);
  std::int64_t file_size() const;
  void read_plan();
  // The record at `offset`; false when it is cut off or damaged.
  bool read_record(std::int64_t offset, std::int64_t size, Record& record) const;
  // Whether a whole record begins behind `offset`.
  bool goes_on_behind(std::int64_t offset, std::int64_t size) const;
  void enter(const Record& record);
  bool read_bytes(std::int64_t offset, void* bytes, std::size_t size) const;
  void append(std::string_view bytes);

  std::string path_;
  JournalKind kind_;
  bool writable_ = true;
  int descriptor_ = -1;
  std::string plan_;
  std::int64_t end_ = 0;  // of the last whole record
  std::int64_t done_ = 0;
  std::vector<Entry> entries_;  // by the number of the unit, less one
};

}  // namespace lvsa::analysis
