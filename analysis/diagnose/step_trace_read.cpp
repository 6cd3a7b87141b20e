// Recorded traces.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "analysis/diagnose/step_trace.hpp"
#include "core/error.hpp"
#include "core/io/line_reader.hpp"
#include "core/io/printable.hpp"
#include "core/io/strict_json.hpp"

namespace lvsa::analysis {
namespace {

enum Column : std::size_t { kLayer, kSeqLen, kPublished, kStep, kRequest, kColumns };
constexpr std::array<std::string_view, kColumns> kNames = {"layer", "seq_len", "published_step",
                                                           "step", "request"};
constexpr std::size_t kLongestLine = 1 << 20;
constexpr std::int64_t kMostNumber = 1'000'000'000;  // of steps and requests
constexpr const char* kForms =
    "a CSV header with layer and seq_len, or JSON lines of {\"layer\": 0, \"seq_len\": 32760} or "
    "[0, 32760], are due";

using Fields = std::array<std::optional<std::int64_t>, kColumns>;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

class TraceReader {
 public:
  explicit TraceReader(const std::string& path) : path_(path), lines_(path) {}

  TraceFacts read(const CallSink& sink) {
    std::string line;
    while (lines_.next(line)) {
      if (line.size() > kLongestLine) fail("longer than a mebibyte; one call a line is due");
      if (lines_.line_number() == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
      const std::string_view text = trimmed(line);
      if (text.empty() || text.front() == '#') continue;
      if (text.front() == '{' || text.front() == '[') {
        give(from_json(text), sink);
      } else if (columns_.empty()) {
        read_header(text);
      } else {
        give(from_csv(text), sink);
      }
    }
    if (facts_.calls == 0) {
      throw Error(ErrorKind::kValue, fmt::format("{}: no call in it; {}", path_, kForms));
    }
    facts_.has_true_steps = with_step_ == facts_.calls;
    facts_.has_requests = with_request_ == facts_.calls;
    return facts_;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::kValue, fmt::format("{}:{}: {}", path_, lines_.line_number(), what));
  }

  void read_header(std::string_view text) {
    for (std::size_t start = 0; start <= text.size();) {
      const std::size_t comma = std::min(text.find(',', start), text.size());
      const std::string_view name = trimmed(text.substr(start, comma - start));
      const auto found = std::find(kNames.begin(), kNames.end(), name);
      columns_.push_back(static_cast<std::size_t>(found - kNames.begin()));
      start = comma + 1;
    }
    for (const std::size_t due : {kLayer, kSeqLen}) {
      const auto count = std::count(columns_.begin(), columns_.end(), due);
      if (count != 1) fail(fmt::format("'{}' is no header; {}", printable(text, 60), kForms));
    }
  }

  std::int64_t number(std::string_view text, std::size_t column) const {
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || stop != text.data() + text.size()) {
      fail(fmt::format("{} is '{}'; an integer is due", kNames[column], printable(text, 40)));
    }
    return value;
  }

  Fields from_csv(std::string_view text) const {
    Fields fields;
    std::size_t at = 0;
    std::size_t start = 0;
    for (; start <= text.size() && at < columns_.size(); ++at) {
      const std::size_t comma = std::min(text.find(',', start), text.size());
      const std::string_view cell = trimmed(text.substr(start, comma - start));
      start = comma + 1;
      if (columns_[at] == kColumns || cell.empty()) continue;
      fields[columns_[at]] = number(cell, columns_[at]);
    }
    if (at != columns_.size() || start <= text.size()) {
      fail(fmt::format("not as many cells as the header has columns ({})", columns_.size()));
    }
    return fields;
  }

  std::int64_t integer(const nlohmann::json& value, std::size_t column) const {
    if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) {
      fail(fmt::format("{} does not fit in 64 bits", kNames[column]));
    }
    if (!value.is_number_integer()) {
      fail(fmt::format("{} is {}; an integer is due", kNames[column],
                       printable(value.dump(-1, ' ', true), 40)));
    }
    return value.get<std::int64_t>();
  }

  Fields from_json(std::string_view text) const {
    const nlohmann::json json =
        parse_strict_json(text, fmt::format("{}:{}", path_, lines_.line_number()), {8, 1000});
    Fields fields;
    if (json.is_array()) {
      if (json.size() < 2 || json.size() > 3) {
        fail("an array of layer, seq_len and perhaps the published step is due");
      }
      for (std::size_t i = 0; i < json.size(); ++i) {
        if (!json[i].is_null()) fields[i] = integer(json[i], i);
      }
      return fields;
    }
    for (std::size_t i = 0; i < kColumns; ++i) {
      const auto found = json.find(kNames[i]);
      if (found != json.end() && !found->is_null()) fields[i] = integer(*found, i);
    }
    return fields;
  }

  void give(const Fields& fields, const CallSink& sink) {
    for (const std::size_t due : {kLayer, kSeqLen}) {
      if (!fields[due]) fail(fmt::format("no {}; {}", kNames[due], kForms));
    }
    if (*fields[kSeqLen] < 1) {
      fail(fmt::format("seq_len is {}; at least 1 is due", *fields[kSeqLen]));
    }
    for (const std::size_t column : {kPublished, kStep, kRequest}) {
      const std::int64_t least = column == kRequest ? -1 : 0;
      if (fields[column] && (*fields[column] < least || *fields[column] > kMostNumber)) {
        fail(fmt::format("{} is {}; {} to {} is due", kNames[column], *fields[column], least,
                         kMostNumber));
      }
    }
    ++facts_.calls;
    with_step_ += fields[kStep] ? 1 : 0;
    with_request_ += fields[kRequest] ? 1 : 0;
    facts_.has_published_steps = facts_.has_published_steps || fields[kPublished].has_value();
    sink({*fields[kLayer], *fields[kSeqLen], fields[kPublished], fields[kStep],
          fields[kRequest].value_or(0)});
  }

  std::string path_;
  LineReader lines_;
  std::vector<std::size_t> columns_;
  TraceFacts facts_;
  std::int64_t with_step_ = 0;
  std::int64_t with_request_ = 0;
};

}  // namespace

TraceFacts read_trace(const std::string& path, const CallSink& sink) {
  return TraceReader(path).read(sink);
}

}  // namespace lvsa::analysis
