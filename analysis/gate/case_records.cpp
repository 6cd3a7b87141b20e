#include "analysis/gate/case_records.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "analysis/verify/byte_hash.hpp"

namespace lvsa::analysis {
namespace {

// Fields in their order: numbers as they are in memory, texts behind their length.
class Packer {
 public:
  template <typename Number>
  void number(Number value) {
    char bytes[sizeof(Number)];
    std::memcpy(bytes, &value, sizeof(Number));
    bytes_.append(bytes, sizeof(Number));
  }
  void text(const std::string& value) {
    number(static_cast<std::uint32_t>(value.size()));
    bytes_ += value;
  }
  void figure(const BoundFigure& value) {
    for (const std::int64_t count : {value.checked, value.failed, value.unwritten}) number(count);
    number(value.worst_ratio);
    text(value.place);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : bytes_(bytes) {}

  template <typename Number>
  void number(Number& value) {
    std::memcpy(&value, taken(sizeof(Number)).data(), sizeof(Number));
  }
  void text(std::string& value) {
    std::uint32_t size = 0;
    number(size);
    value = taken(size);
  }
  void figure(BoundFigure& value) {
    number(value.checked);
    number(value.failed);
    number(value.unwritten);
    number(value.worst_ratio);
    text(value.place);
  }

 private:
  std::string_view taken(std::size_t size) {
    const std::string_view part = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return part;
  }

  std::string_view bytes_;
};

}  // namespace

std::string packed(const CaseRecord& record) {
  Packer to;
  to.number(record.status);
  for (const std::string* text : {&record.line, &record.message, &record.where, &record.suspect,
                                  &record.command, &record.replay}) {
    to.text(*text);
  }
  to.number(record.inputs);
  to.number(record.rows_checked);
  for (const BoundFigure* figure : {&record.output, &record.lse, &record.schedule}) {
    to.figure(*figure);
  }
  to.number(static_cast<std::uint32_t>(record.checks.size()));
  for (const NamedCheck& check : record.checks) {
    to.text(check.name);
    to.number(check.state);
    to.text(check.message);
  }
  return to.take();
}

CaseRecord unpacked(std::string_view bytes) {
  CaseRecord record;
  Unpacker from(bytes);
  from.number(record.status);
  for (std::string* text : {&record.line, &record.message, &record.where, &record.suspect,
                            &record.command, &record.replay}) {
    from.text(*text);
  }
  from.number(record.inputs);
  from.number(record.rows_checked);
  for (BoundFigure* figure : {&record.output, &record.lse, &record.schedule}) {
    from.figure(*figure);
  }
  std::uint32_t checks = 0;
  from.number(checks);
  record.checks.resize(checks);
  for (NamedCheck& check : record.checks) {
    from.text(check.name);
    from.number(check.state);
    from.text(check.message);
  }
  return record;
}

void CaseRecords::push_back(CaseRecord record) {
  if (!more_ && held_.size() < kMostHeld) {
    held_.push_back(std::move(record));
    return;
  }
  if (!more_) more_ = std::make_shared<LineSpool>();
  more_->add(packed(record));
}

std::size_t CaseRecords::size() const {
  return held_.size() + (more_ ? static_cast<std::size_t>(more_->size()) : 0);
}

CaseRecord CaseRecords::at(std::size_t index) const {
  if (index < held_.size()) return held_[index];
  return unpacked(more_->at(static_cast<std::int64_t>(index - held_.size())));
}

void CaseRecords::for_each(const std::function<void(const CaseRecord&)>& visit) const {
  for (const CaseRecord& record : held_) visit(record);
  if (!more_) return;
  for (std::int64_t i = 0; i < more_->size(); ++i) visit(unpacked(more_->at(i)));
}

RecordsByLine::RecordsByLine(const CaseRecords& records) : records_(records) {
  entries_.reserve(records.size());
  records.for_each([&](const CaseRecord& record) {
    entries_.push_back({byte_hash(record.line), static_cast<std::uint32_t>(entries_.size()), 0});
  });
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.hash, a.index) < std::pair(b.hash, b.index);
  });
  taken_.resize(entries_.size());
}

// First and end of the entries with the line's hash, nearly always all of that line.
std::pair<std::size_t, std::size_t> RecordsByLine::same_hash(std::string_view line) const {
  struct ByHash {
    bool operator()(const Entry& entry, std::uint64_t hash) const { return entry.hash < hash; }
    bool operator()(std::uint64_t hash, const Entry& entry) const { return hash < entry.hash; }
  };
  const auto [first, end] =
      std::equal_range(entries_.begin(), entries_.end(), byte_hash(line), ByHash());
  return {static_cast<std::size_t>(first - entries_.begin()),
          static_cast<std::size_t>(end - entries_.begin())};
}

bool RecordsByLine::holds(std::string_view line) const {
  const auto [first, end] = same_hash(line);
  for (std::size_t at = first; at < end; ++at) {
    if (records_.at(entries_[at].index).line == line) return true;
  }
  return false;
}

std::optional<CaseRecord> RecordsByLine::take(std::string_view line) {
  const auto [first, end] = same_hash(line);
  if (first == end) return std::nullopt;
  std::uint32_t& leading = entries_[first].taken;
  for (std::size_t at = first + leading; at < end; ++at) {
    if (taken_[at]) continue;
    CaseRecord record = records_.at(entries_[at].index);
    if (record.line != line) continue;
    taken_[at] = true;
    while (first + leading < end && taken_[first + leading]) ++leading;
    return record;
  }
  return std::nullopt;
}

void RecordsByLine::for_each_left(const std::function<void(const CaseRecord&)>& visit) const {
  for (std::size_t at = 0; at < entries_.size(); ++at) {
    if (!taken_[at]) visit(records_.at(entries_[at].index));
  }
}

}  // namespace lvsa::analysis
