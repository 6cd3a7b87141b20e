#include "analysis/sweep/unit_journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <system_error>
#include <utility>

#include "analysis/verify/byte_hash.hpp"
#include "core/error.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/write_signals.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::uint64_t kRecordMagic = 0x54494e55'4153564cU;  // "LVSAUNIT"
constexpr std::int64_t kMostUnits = 20'000'000;  // one for each value that a sweep may have

/// What stands before the items of a record; behind them stands a hash over both.
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

void sync(int descriptor, const std::string& path) {
  if (::fdatasync(descriptor) != 0 && errno != EINVAL) fail(path, errno_text());
}

}  // namespace

UnitJournal::UnitJournal(std::string path, const JournalKind& kind)
    : path_(std::move(path)), kind_(kind) {}

UnitJournal::~UnitJournal() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::unique_ptr<UnitJournal> UnitJournal::create(const std::string& path, const JournalKind& kind,
                                                 const std::string& plan) {
  std::unique_ptr<UnitJournal> journal(new UnitJournal(path, kind));
  const std::string header =
      fmt::format("{}{} {} {}\n", kind.magic, plan.size(), hash_text(byte_hash(plan)), plan);
  write_file_atomically(path, header);
  journal->descriptor_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (journal->descriptor_ < 0) fail(path, fmt::format("cannot be opened: {}", errno_text()));
  journal->plan_ = plan;
  journal->end_ = static_cast<std::int64_t>(header.size());
  return journal;
}

std::unique_ptr<UnitJournal> UnitJournal::open(const std::string& path, const JournalKind& kind,
                                               bool writable) {
  std::unique_ptr<UnitJournal> journal(new UnitJournal(path, kind));
  journal->writable_ = writable;
  journal->descriptor_ = ::open(path.c_str(), (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
  if (journal->descriptor_ < 0) fail(path, fmt::format("cannot be opened: {}", errno_text()));
  journal->read_plan();
  return journal;
}

bool UnitJournal::read_bytes(std::int64_t offset, void* bytes, std::size_t size) const {
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

std::int64_t UnitJournal::file_size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) fail(path_, errno_text());
  return status.st_size;
}

void UnitJournal::read_plan() {
  constexpr std::size_t kNumbers = 40;  // the length, the hash and two blanks fit
  const std::size_t words_at = kind_.magic.size();
  std::string start(words_at + kNumbers, '\0');
  std::size_t got = 0;
  while (got < start.size() && read_bytes(static_cast<std::int64_t>(got), &start[got], 1)) ++got;
  std::istringstream words(start.substr(words_at));
  std::int64_t length = -1;
  std::string hash;
  words >> length >> hash;
  if (start.compare(0, words_at, kind_.magic) != 0 || !words || length < 0) {
    fail(path_, fmt::format("is no journal of a {}, or one of another version of lvsa-verify",
                            kind_.what));
  }
  const auto at = static_cast<std::int64_t>(words_at) + std::int64_t{words.tellg()} + 1;
  if (length >= file_size() - at) fail(path_, "is cut off in its first line");
  plan_.assign(static_cast<std::size_t>(length) + 1, '\0');
  if (!read_bytes(at, plan_.data(), plan_.size()) || plan_.back() != '\n') {
    fail(path_, "is cut off in its first line");
  }
  plan_.pop_back();
  if (hash_text(byte_hash(plan_)) != hash) fail(path_, "its first line is damaged");
  end_ = at + length + 1;
}

bool UnitJournal::read_record(std::int64_t offset, std::int64_t size, Record& record) const {
  RecordHead head;
  if (!read_bytes(offset, &head, sizeof head) || head.magic != kRecordMagic) return false;
  const auto item = static_cast<std::int64_t>(kind_.item_bytes);
  const std::int64_t room = (size - offset - static_cast<std::int64_t>(sizeof head)) / item;
  if (head.count < 0 || head.count > room || head.unit < 1 || head.unit > kMostUnits) return false;
  std::string bytes(sizeof head + static_cast<std::size_t>(head.count * item), '\0');
  const auto at_hash = offset + static_cast<std::int64_t>(bytes.size());
  std::uint64_t hash = 0;
  const bool whole =
      read_bytes(offset, bytes.data(), bytes.size()) && read_bytes(at_hash, &hash, sizeof hash);
  if (!whole || byte_hash(bytes) != hash) return false;
  record.unit = head.unit;
  record.items = {offset + static_cast<std::int64_t>(sizeof head), head.count * item};
  record.end = at_hash + static_cast<std::int64_t>(sizeof hash);
  return true;
}

bool UnitJournal::goes_on_behind(std::int64_t offset, std::int64_t size) const {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  char magic[sizeof kRecordMagic];
  std::memcpy(magic, &kRecordMagic, sizeof magic);
  const std::string_view sought(magic, sizeof magic);
  Record ignored;
  for (std::int64_t from = offset + 1; from < size; from += kPiece) {
    // A little of the next piece, where the magic may go on.
    std::string bytes(static_cast<std::size_t>(std::min<std::int64_t>(
                          size - from, static_cast<std::int64_t>(kPiece + sizeof magic - 1))),
                      '\0');
    if (!read_bytes(from, bytes.data(), bytes.size())) return false;
    for (std::size_t at = bytes.find(sought); at != std::string::npos;
         at = bytes.find(sought, at + 1)) {
      if (read_record(from + static_cast<std::int64_t>(at), size, ignored)) return true;
    }
  }
  return false;
}

void UnitJournal::read_records(const Shard& shard) {
  const std::int64_t size = file_size();
  Record record;
  while (end_ < size && read_record(end_, size, record)) {
    if (!shard.holds(record.unit) || has(record.unit)) {
      fail(path_, fmt::format("unit {} at byte {} is none of this shard, or stands there twice",
                              record.unit, end_));
    }
    enter(record);
    end_ = record.end;
  }
  // Each record is on the disk before the next is begun, so only the last can be cut off.
  if (end_ < size && goes_on_behind(end_, size)) {
    fail(path_, fmt::format("is damaged at byte {}: remove the file, or cut it off there", end_));
  }
  // What was cut off would stand in front of the next record.
  if (writable_ && ::ftruncate(descriptor_, end_) != 0) fail(path_, errno_text());
}

void UnitJournal::enter(const Record& record) {
  const auto at = static_cast<std::size_t>(record.unit) - 1;
  if (at >= entries_.size()) entries_.resize(at + 1);
  entries_[at] = record.items;
  ++done_;
}

bool UnitJournal::has(std::int64_t unit) const {
  const auto at = static_cast<std::size_t>(unit) - 1;
  return unit >= 1 && at < entries_.size() && entries_[at].offset >= 0;
}

void UnitJournal::append(std::string_view bytes) {
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

void UnitJournal::add(std::int64_t unit, std::string_view items) {
  const RecordHead head{kRecordMagic, unit,
                        static_cast<std::int64_t>(items.size() / kind_.item_bytes)};
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
  bytes += items;
  const std::uint64_t hash = byte_hash(bytes);
  bytes.append(reinterpret_cast<const char*>(&hash), sizeof hash);
  const std::int64_t offset = end_ + static_cast<std::int64_t>(sizeof head);
  append(bytes);
  enter({unit, {offset, static_cast<std::int64_t>(items.size())}, end_});
}

std::string UnitJournal::read(std::int64_t unit) const {
  const Entry& entry = entries_.at(static_cast<std::size_t>(unit) - 1);
  std::string items(static_cast<std::size_t>(entry.bytes), '\0');
  if (!read_bytes(entry.offset, items.data(), items.size())) {
    fail(path_, fmt::format("has become shorter while the {} was going on", kind_.what));
  }
  return items;
}

}  // namespace lvsa::analysis
