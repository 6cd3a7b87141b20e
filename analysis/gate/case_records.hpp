#pragma once
// The verdicts of a run's cases, however many.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/run/line_spool.hpp"
#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// One of the bounds of a case: output, log-sum-exp, declared schedule.
struct BoundFigure {
  std::int64_t checked = 0;  ///< elements; 0: the case has no such check
  std::int64_t failed = 0;
  std::int64_t unwritten = 0;
  double worst_ratio = 0.0;  ///< error over bound
  std::string place;         ///< of that element, for people
  bool operator==(const BoundFigure&) const = default;
};

/// The verdict of one case. `line` is its key.
struct CaseRecord {
  std::string line;
  Status status = Status::kPass;
  std::string message;
  std::string where;    ///< what failing elements have in common
  std::string suspect;  ///< within bounds, but unlikely of a right kernel
  std::string command;  ///< repeats the case; empty where it passed
  std::string replay;
  InputHashes inputs;
  std::int64_t rows_checked = 0;
  BoundFigure output;
  BoundFigure lse;
  BoundFigure schedule;
  std::vector<NamedCheck> checks;
};

/// As bytes for this process, and back: every field as it was.
std::string packed(const CaseRecord& record);
CaseRecord unpacked(std::string_view bytes);

/// A list of records. The first kMostHeld are in memory, of each further one 8 bytes are: it stands
/// in a file without a name. Copies share that file, so only one of them may be added to.
class CaseRecords {
 public:
  static constexpr std::size_t kMostHeld = 1000;

  /// Throws Error(kIo), for example on a full disk.
  void push_back(CaseRecord record);
  std::size_t size() const;
  bool empty() const { return size() == 0; }
  CaseRecord at(std::size_t index) const;
  /// In their order. Throws Error(kIo).
  void for_each(const std::function<void(const CaseRecord&)>& visit) const;
  /// The records of a list that has no more than kMostHeld, to be changed.
  std::vector<CaseRecord>& few() { return held_; }

 private:
  std::vector<CaseRecord> held_;
  std::shared_ptr<LineSpool> more_;
};

/// Where the records of a line stand, without the lines: some 16 bytes of memory a record. Refers
/// to the records. A line may stand several times; its records are taken in their order.
class RecordsByLine {
 public:
  explicit RecordsByLine(const CaseRecords& records);

  bool holds(std::string_view line) const;
  /// The first record of this line that was not taken yet; none: there is none.
  std::optional<CaseRecord> take(std::string_view line);
  /// Those that were not taken.
  void for_each_left(const std::function<void(const CaseRecord&)>& visit) const;

 private:
  struct Entry {
    std::uint64_t hash;
    std::uint32_t index;
    std::uint32_t taken;  // at the first one of a hash: so many from there on are taken
  };
  std::pair<std::size_t, std::size_t> same_hash(std::string_view line) const;

  const CaseRecords& records_;
  std::vector<Entry> entries_;  // by hash, then by index
  std::vector<bool> taken_;
};

}  // namespace lvsa::analysis
