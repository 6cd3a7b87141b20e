#include "analysis/run/result_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include "analysis/report/jsonl_reader.hpp"
#include "analysis/report/jsonl_report.hpp"
#include "analysis/report/line_hash.hpp"
#include "analysis/run/line_spool.hpp"
#include "core/error.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/write_signals.hpp"

namespace lvsa::analysis {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ErrorKind::kIo, fmt::format("{}: {}", path, what));
}

std::string errno_text() { return std::generic_category().message(errno); }

bool is_line_of(const std::string& line, std::string_view type) {
  return line.rfind(fmt::format("{{\"type\":\"{}\"", type), 0) == 0;
}

}  // namespace

std::unique_ptr<ResultStore> ResultStore::create(const std::string& path, const RunPlan& plan,
                                                 const Provenance& provenance) {
  std::unique_ptr<ResultStore> store(new ResultStore(path));
  store->plan_ = plan;
  store->provenance_ = provenance;
  const std::string header = run_json_line(provenance, plan_json(plan)) + '\n';
  if (path.empty()) {
    store->descriptor_ = open_nameless_file();
    store->append(header);
    return store;
  }
  write_file_atomically(path, header);
  store->descriptor_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (store->descriptor_ < 0) fail(path, fmt::format("cannot be opened: {}", errno_text()));
  store->end_ = static_cast<std::int64_t>(header.size());
  return store;
}

std::unique_ptr<ResultStore> ResultStore::open(const std::string& path, bool writable) {
  std::unique_ptr<ResultStore> store(new ResultStore(path));
  store->descriptor_ = ::open(path.c_str(), (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
  if (store->descriptor_ < 0) fail(path, fmt::format("cannot be opened: {}", errno_text()));
  store->tail_is_clean_ = false;
  store->read_existing();
  return store;
}

ResultStore::~ResultStore() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void ResultStore::read_existing() {
  std::ifstream file(path_, std::ios::binary);
  std::string line;
  std::int64_t offset = 0;
  std::int64_t line_number = 0;
  std::string complaint;  // of the line before
  // A line that the end of the file cuts short has no line break: getline sees the end.
  while (std::getline(file, line) && !file.eof()) {
    if (!complaint.empty()) throw Error(ErrorKind::kIo, complaint);
    try {
      read_line(line, offset, ++line_number);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kJson) throw;
      // Only the last line may be damaged, by what stopped the machine.
      complaint = fmt::format("{}:{}: {}", path_, line_number, error.what());
      continue;
    }
    offset += static_cast<std::int64_t>(line.size()) + 1;
    if (!was_complete_) end_ = offset;
  }
  if (file.bad()) fail(path_, "cannot be read");
  if (line_number <= 1 && !complaint.empty()) throw Error(ErrorKind::kIo, complaint);
  if (line_number == 0) fail(path_, "holds no run; a report.jsonl of lvsa-verify is due");
}

void ResultStore::read_line(const std::string& line, std::int64_t offset,
                            std::int64_t line_number) {
  if (line_number == 1) {
    const RunLine run = parse_run_line(line);
    if (run.plan.empty()) {
      fail(path_, "says nothing of what was to be run: written by an older lvsa-verify");
    }
    plan_ = parse_plan_json(run.plan);
    provenance_ = run.provenance;
    return;
  }
  if (was_complete_)
    throw Error(ErrorKind::kIo,
                fmt::format("{}:{}: a line behind the summary", path_, line_number));
  if (is_line_of(line, "summary")) {
    was_complete_ = true;
    return;
  }
  const CaseResult result = parse_json_line(line);
  const std::int64_t number = result.number;
  if (number < 1 || number > plan_.cases || !plan_.shard.holds(number) || has(number)) {
    throw Error(ErrorKind::kIo,
                fmt::format("{}:{}: case number {} is none of this run, or stands there twice",
                            path_, line_number, number));
  }
  enter(result, offset, line.size());
}

void ResultStore::enter(const CaseResult& result, std::int64_t offset, std::size_t length) {
  const std::size_t at = place(result.number);
  if (at >= entries_.size()) entries_.resize(at + 1);
  entries_[at] = {offset, static_cast<std::int32_t>(length), result.status};
  totals_.add(result);
}

// A shard has room for its own cases only.
std::size_t ResultStore::place(std::int64_t number) const {
  return static_cast<std::size_t>((number - plan_.shard.number) / plan_.shard.of);
}

bool ResultStore::has(std::int64_t number) const {
  if (number < 1 || !plan_.shard.holds(number)) return false;
  const std::size_t at = place(number);
  return at < entries_.size() && entries_[at].offset >= 0;
}

CaseResult ResultStore::at(std::int64_t number) const {
  return parse_json_line(line_at(entries_.at(place(number))));
}

std::string ResultStore::line_at(const Entry& entry) const {
  std::string line(static_cast<std::size_t>(entry.length), '\0');
  std::size_t got = 0;
  while (got < line.size()) {
    const ssize_t more = ::pread(descriptor_, line.data() + got, line.size() - got,
                                 entry.offset + static_cast<off_t>(got));
    if (more < 0 && errno == EINTR) continue;
    if (more <= 0) fail(path_, "has become shorter while the run was going on");
    got += static_cast<std::size_t>(more);
  }
  return line;
}

void ResultStore::append(std::string_view bytes) {
  if (::lseek(descriptor_, end_, SEEK_SET) < 0) fail(path_, errno_text());
  try {
    write_all(descriptor_, bytes, path_.empty() ? "temporary file" : path_);
  } catch (const Error&) {
    // Half a line would be dropped by the next reader; better that it is not there at all.
    [[maybe_unused]] const int ignored = ::ftruncate(descriptor_, end_);
    throw;
  }
  end_ += static_cast<std::int64_t>(bytes.size());
}

void ResultStore::sync_now_and_then() {
  constexpr std::chrono::milliseconds kPause{500};
  const auto now = std::chrono::steady_clock::now();
  if (path_.empty() || now - synced_ < kPause) return;
  ::fdatasync(descriptor_);
  synced_ = std::chrono::steady_clock::now();
}

void ResultStore::add(const CaseResult& result) {
  // A torn line, or the summary of a run that goes on.
  if (!tail_is_clean_ && ::ftruncate(descriptor_, end_) != 0) fail(path_, errno_text());
  tail_is_clean_ = true;
  was_complete_ = false;
  const std::string line = to_json_line(result);
  const std::int64_t offset = end_;
  append(line + '\n');
  enter(result, offset, line.size());
  sync_now_and_then();
}

void ResultStore::for_each(const std::function<bool(Status)>& wanted,
                           const std::function<void(const CaseResult&)>& visit) const {
  for (const Entry& entry : entries_) {
    if (entry.offset < 0 || (wanted && !wanted(entry.status))) continue;
    visit(parse_json_line(line_at(entry)));
  }
}

void ResultStore::for_each_line(const std::function<void(std::string_view)>& visit) const {
  for (const Entry& entry : entries_) {
    if (entry.offset >= 0) visit(line_at(entry));
  }
}

void ResultStore::finish() {
  if (path_.empty()) return;
  AtomicFile file(path_);
  LineHash hash;
  const auto add = [&](std::string_view line) {
    hash.add(line);
    file.write(line);
    file.write("\n");
  };
  add(run_json_line(provenance_, plan_json(plan_)));
  for_each_line(add);
  file.write(summary_json_line(totals_.summary, totals_.timings, hash.value()) + '\n');
  file.commit();
}

}  // namespace lvsa::analysis
