#include "analysis/sweep/sweep_journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <sstream>
#include <system_error>
#include <utility>

#include "analysis/verify/byte_hash.hpp"
#include "core/error.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/write_signals.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::string_view kMagic = "lvsa-sweep-journal 1 ";
constexpr std::uint64_t kRecordMagic = 0x54494e55'4153564cU;  // "LVSAUNIT"
constexpr std::int64_t kMostUnits = 20'000'000;  // one for each value that a sweep may have
constexpr std::size_t kValueBytes = sizeof(MetricValues);
static_assert(kValueBytes == kMetricCount * sizeof(double));

/// What stands before the values of a record; behind them stands a hash over both.
struct RecordHead {
  std::uint64_t magic = kRecordMagic;
  std::int64_t unit = 0;
  std::int64_t count = 0;
};
static_assert(sizeof(RecordHead) == 24);

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ErrorKind::kIo, fmt::format("{}: {}", path, what));
}

std::string errno_text() { return std::generic_category().message(errno); }

std::string header_of(const SweepPlan& plan) {
  const std::string json = sweep_plan_json(plan);
  return fmt::format("{}{} {} {}\n", kMagic, json.size(), hash_text(byte_hash(json)), json);
}

void sync(int descriptor, const std::string& path) {
  if (::fdatasync(descriptor) != 0 && errno != EINVAL) fail(path, errno_text());
}

}  // namespace

SweepJournal::SweepJournal(std::string path) : path_(std::move(path)) {}

SweepJournal::~SweepJournal() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::unique_ptr<SweepJournal> SweepJournal::create(const std::string& path, const SweepPlan& plan) {
  std::unique_ptr<SweepJournal> journal(new SweepJournal(path));
  const std::string header = header_of(plan);
  write_file_atomically(path, header);
  journal->plan_ = plan;
  journal->descriptor_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (journal->descriptor_ < 0) fail(path, fmt::format("cannot be opened: {}", errno_text()));
  journal->end_ = static_cast<std::int64_t>(header.size());
  return journal;
}

std::unique_ptr<SweepJournal> SweepJournal::open(const std::string& path, bool writable) {
  std::unique_ptr<SweepJournal> journal(new SweepJournal(path));
  journal->descriptor_ = ::open(path.c_str(), (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
  if (journal->descriptor_ < 0) fail(path, fmt::format("cannot be opened: {}", errno_text()));
  journal->read_header();
  journal->read_records();
  // What was cut off would stand in front of the next record.
  if (writable && ::ftruncate(journal->descriptor_, journal->end_) != 0) fail(path, errno_text());
  return journal;
}

bool SweepJournal::read_bytes(std::int64_t offset, void* bytes, std::size_t size) const {
  auto* to = static_cast<char*>(bytes);
  std::size_t got = 0;
  while (got < size) {
    const ssize_t more =
        ::pread(descriptor_, to + got, size - got, offset + static_cast<off_t>(got));
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) fail(path_, fmt::format("cannot be read: {}", errno_text()));
    if (more == 0) return false;
    got += static_cast<std::size_t>(more);
  }
  return true;
}

std::int64_t SweepJournal::file_size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) fail(path_, errno_text());
  return status.st_size;
}

void SweepJournal::read_header() {
  constexpr std::size_t kNumbers = 40;  // the length, the hash and two blanks fit
  std::string start(kMagic.size() + kNumbers, '\0');
  std::size_t got = 0;
  while (got < start.size() && read_bytes(static_cast<std::int64_t>(got), &start[got], 1)) ++got;
  std::istringstream words(start.substr(std::min(kMagic.size(), start.size())));
  std::int64_t length = -1;
  std::string hash;
  words >> length >> hash;
  if (start.compare(0, kMagic.size(), kMagic) != 0 || !words || length < 0) {
    fail(path_, "is no journal of a sweep, or one of another version of lvsa-verify");
  }
  const auto at = static_cast<std::int64_t>(kMagic.size()) + std::int64_t{words.tellg()} + 1;
  if (length >= file_size() - at) fail(path_, "is cut off in its first line");
  std::string json(static_cast<std::size_t>(length) + 1, '\0');
  if (!read_bytes(at, json.data(), json.size()) || json.back() != '\n') {
    fail(path_, "is cut off in its first line");
  }
  json.pop_back();
  if (hash_text(byte_hash(json)) != hash) fail(path_, "its first line is damaged");
  try {
    plan_ = parse_sweep_plan(json);
  } catch (const Error& error) {
    fail(path_, error.what());
  }
  end_ = at + length + 1;
}

bool SweepJournal::read_record(std::int64_t offset, std::int64_t size, std::int64_t& next) {
  RecordHead head;
  if (!read_bytes(offset, &head, sizeof head) || head.magic != kRecordMagic) return false;
  const auto room = (size - offset - static_cast<std::int64_t>(sizeof head)) /
                    static_cast<std::int64_t>(kValueBytes);
  if (head.count < 0 || head.count > room || head.unit < 1 || head.unit > kMostUnits) return false;
  std::string bytes(sizeof head + static_cast<std::size_t>(head.count) * kValueBytes, '\0');
  std::uint64_t hash = 0;
  const bool whole =
      read_bytes(offset, bytes.data(), bytes.size()) &&
      read_bytes(offset + static_cast<std::int64_t>(bytes.size()), &hash, sizeof hash);
  if (!whole || byte_hash(bytes) != hash) return false;
  if (!plan_.shard.holds(head.unit) || has(head.unit)) {
    fail(path_, fmt::format("unit {} at byte {} is none of this shard, or stands there twice",
                            head.unit, offset));
  }
  enter(head.unit, offset + static_cast<std::int64_t>(sizeof head), head.count);
  next = offset + static_cast<std::int64_t>(bytes.size() + sizeof hash);
  return true;
}

void SweepJournal::read_records() {
  const std::int64_t size = file_size();
  std::int64_t next = 0;
  while (end_ < size && read_record(end_, size, next)) end_ = next;
  // Each record is on the disk before the next is begun, so only one can be cut off.
  const auto longest = static_cast<std::int64_t>(sizeof(RecordHead) + sizeof(std::uint64_t)) +
                       plan_.patterns_per_unit * static_cast<std::int64_t>(kValueBytes);
  if (size - end_ > longest) {
    fail(path_, fmt::format("is damaged at byte {}: remove the file, or cut it off there", end_));
  }
}

void SweepJournal::enter(std::int64_t unit, std::int64_t offset, std::int64_t count) {
  const auto at = static_cast<std::size_t>(unit) - 1;
  if (at >= entries_.size()) entries_.resize(at + 1);
  entries_[at] = {offset, count};
  ++done_;
}

bool SweepJournal::has(std::int64_t unit) const {
  const auto at = static_cast<std::size_t>(unit) - 1;
  return unit >= 1 && at < entries_.size() && entries_[at].offset >= 0;
}

void SweepJournal::append(std::string_view bytes) {
  if (::lseek(descriptor_, end_, SEEK_SET) < 0) fail(path_, errno_text());
  try {
    write_all(descriptor_, bytes, path_);
    sync(descriptor_, path_);
  } catch (const Error&) {
    // Half a record would be dropped by the next reader; better that it is not there at all.
    [[maybe_unused]] const int ignored = ::ftruncate(descriptor_, end_);
    throw;
  }
  end_ += static_cast<std::int64_t>(bytes.size());
}

void SweepJournal::add(const UnitResult& result) {
  const RecordHead head{kRecordMagic, result.unit, static_cast<std::int64_t>(result.values.size())};
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
  bytes.append(reinterpret_cast<const char*>(result.values.data()),
               result.values.size() * kValueBytes);
  const std::uint64_t hash = byte_hash(bytes);
  bytes.append(reinterpret_cast<const char*>(&hash), sizeof hash);
  const std::int64_t offset = end_ + static_cast<std::int64_t>(sizeof head);
  append(bytes);
  enter(result.unit, offset, head.count);
}

std::vector<MetricValues> SweepJournal::read(std::int64_t unit) const {
  const Entry& entry = entries_.at(static_cast<std::size_t>(unit) - 1);
  std::vector<MetricValues> values(static_cast<std::size_t>(entry.count));
  if (!read_bytes(entry.offset, values.data(), values.size() * kValueBytes)) {
    fail(path_, "has become shorter while the sweep was going on");
  }
  return values;
}

}  // namespace lvsa::analysis
