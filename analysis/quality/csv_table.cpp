#include "analysis/quality/csv_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/io/printable.hpp"

namespace lvsa::analysis {
namespace {

class Reader {
 public:
  Reader(std::string_view text, const std::string& where) : text_(text), where_(where) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (text_.substr(0, kByteOrderMark.size()) == kByteOrderMark) at_ = kByteOrderMark.size();
  }

  // False at the end of the text; `line` is where the row begins.
  bool next(std::vector<std::string>& fields, std::int64_t& line) {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) step();
    if (at_ >= text_.size()) return false;
    fields.clear();
    line = line_;
    do {
      fields.push_back(field());
    } while (take(','));
    return true;
  }

  [[noreturn]] void fail(std::int64_t line, const std::string& what) const {
    throw Error(ErrorKind::kValue, fmt::format("{}: line {}: {}", where_, line, what));
  }

 private:
  void step() {
    if (text_[at_] == '\n') ++line_;
    ++at_;
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool at_end_of_row() const {
    return at_ >= text_.size() || text_[at_] == '\n' ||
           (text_[at_] == '\r' && (at_ + 1 == text_.size() || text_[at_ + 1] == '\n'));
  }

  std::string field() {
    if (take('"')) return quoted();
    std::string value;
    while (!at_end_of_row() && text_[at_] != ',') {
      if (text_[at_] == '"') fail(line_, "a quote within a field that does not begin with one");
      if (text_[at_] == '\0') fail(line_, "a NUL byte; text is due");
      value += text_[at_];
      step();
    }
    return value;
  }

  std::string quoted() {
    const std::int64_t opened = line_;
    std::string value;
    while (at_ < text_.size()) {
      if (take('"')) {
        if (!take('"')) {
          if (!at_end_of_row() && text_[at_] != ',') fail(line_, "text behind a closing quote");
          return value;
        }
        value += '"';
        continue;
      }
      if (text_[at_] == '\0') fail(line_, "a NUL byte; text is due");
      value += text_[at_];
      step();
    }
    fail(opened, "a quote is opened and never closed");
  }

  std::string_view text_;
  const std::string& where_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
};

void check_header(const std::vector<std::string>& columns, const Reader& reader,
                  std::int64_t line) {
  std::vector<std::string> sorted = columns;
  std::sort(sorted.begin(), sorted.end());
  if (sorted.front().empty()) reader.fail(line, "a column without a name");
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) {
    reader.fail(line, fmt::format("column '{}' stands twice", printable(*twice)));
  }
}

}  // namespace

std::optional<std::size_t> CsvTable::column(std::string_view name) const {
  const auto at = std::find(columns.begin(), columns.end(), name);
  if (at == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(at - columns.begin());
}

CsvTable parse_csv(std::string_view text, const std::string& where) {
  Reader reader(text, where);
  CsvTable table;
  std::int64_t line = 1;
  if (!reader.next(table.columns, line)) {
    throw Error(ErrorKind::kValue, where + ": empty; a line with the names of the columns is due");
  }
  check_header(table.columns, reader, line);
  for (std::vector<std::string> fields; reader.next(fields, line);) {
    if (fields.size() != table.columns.size()) {
      reader.fail(line,
                  fmt::format("{} fields; the header has {}", fields.size(), table.columns.size()));
    }
    table.rows.push_back(fields);
    table.lines.push_back(line);
  }
  return table;
}

std::string csv_field(std::string_view text) {
  if (!text.empty() && text.find_first_of("\",\n\r") == std::string_view::npos) {
    return std::string(text);
  }
  std::string field = "\"";
  for (const char c : text) {
    if (c == '"') field += '"';
    field += c;
  }
  return field + '"';
}

}  // namespace lvsa::analysis
