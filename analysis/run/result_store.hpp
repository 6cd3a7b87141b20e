#pragma once
// The results of a run on their way into report.jsonl: each stands in the file as soon as it is
// there, and none has to stay in memory.

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "analysis/report/provenance.hpp"
#include "analysis/report/run_totals.hpp"
#include "analysis/run/plan.hpp"

namespace lvsa::analysis {

/// A file of JSON lines: the run, then the cases in the order in which they were finished. finish()
/// brings them into the order of the suite and adds the summary, which is how a reader sees that
/// the run is complete. A process that is killed loses what it has in hand and nothing else; what a
/// failing machine loses are the results of its last half second.
class ResultStore : public ResultSource {
 public:
  /// A new file under `path`, in the place of one that is there; an empty path makes a file without
  /// a name that goes away with this. Throws Error(kIo).
  static std::unique_ptr<ResultStore> create(const std::string& path, const RunPlan& plan,
                                             const Provenance& provenance);
  /// A file that is there, complete or not; to be added to only when `writable`. A last line that
  /// was cut off is dropped. Throws Error(kIo) with path and line: damaged, of another kind.
  static std::unique_ptr<ResultStore> open(const std::string& path, bool writable);
  ~ResultStore() override;

  const RunPlan& plan() const { return plan_; }
  const Provenance& provenance() const { return provenance_; }
  void set_provenance(const Provenance& provenance) { provenance_ = provenance; }
  /// Whether it had a summary when it was opened.
  bool was_complete() const { return was_complete_; }

  bool has(std::int64_t number) const;
  /// The result of that case, which must be there.
  CaseResult at(std::int64_t number) const;
  /// Adds a result with a number that is not there yet. Throws Error(kIo), for example on a full
  /// disk; the file then holds what it held before.
  void add(const CaseResult& result);

  const RunTotals& totals() const override { return totals_; }
  void for_each(const std::function<bool(Status)>& wanted,
                const std::function<void(const CaseResult&)>& visit) const override;
  /// The same as text, without the line breaks.
  void for_each_line(const std::function<void(std::string_view)>& visit) const;

  /// Puts the whole report in the place of the file, in the order of the suite. Throws Error(kIo);
  /// the file then stays as it was.
  void finish();

 private:
  struct Entry {
    std::int64_t offset = -1;
    std::int32_t length = 0;
    Status status = Status::kPass;
  };

  explicit ResultStore(std::string path) : path_(std::move(path)) {}
  void read_existing();
  void read_line(const std::string& line, std::int64_t offset, std::int64_t line_number);
  void enter(const CaseResult& result, std::int64_t offset, std::size_t length);
  void append(std::string_view bytes);
  void sync_now_and_then();
  std::size_t place(std::int64_t number) const;
  std::string line_at(const Entry& entry) const;

  std::string path_;  // empty: no name
  int descriptor_ = -1;
  RunPlan plan_;
  Provenance provenance_;
  bool was_complete_ = false;
  bool tail_is_clean_ = true;  // nothing behind the last whole case
  std::int64_t end_ = 0;       // bytes of whole lines
  std::deque<Entry> entries_;  // by place(); no copy of all when it grows
  RunTotals totals_;
  std::chrono::steady_clock::time_point synced_{};
};

}  // namespace lvsa::analysis
