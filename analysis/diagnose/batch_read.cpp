#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "analysis/diagnose/batch.hpp"
#include "core/error.hpp"
#include "core/io/byte_file.hpp"
#include "core/io/hdf5.hpp"
#include "core/io/printable.hpp"
#include "core/io/strict_json.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{1} << 32;

[[noreturn]] void fail(const std::string& where, std::int64_t line, const std::string& what) {
  throw Error(ErrorKind::kValue, fmt::format("{}:{}: {}", where, line, what));
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\"";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::optional<std::int64_t> integer(std::string_view text) {
  text = trimmed(text);
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string shown(std::string_view text) { return printable(text, 60); }

// Column numbers; -1: there is none.
struct Columns {
  int seq_len = -1;
  int latent = -1;
  int video = -1;
};

bool name_column(std::string_view name, int index, Columns& columns) {
  name = trimmed(name);
  int* target = name == "seq_len"                                           ? &columns.seq_len
                : name == "T" || name == "latent_frames" || name == "T_lat" ? &columns.latent
                : name == "frames"                                          ? &columns.video
                                                                            : nullptr;
  if (target && *target < 0) *target = index;
  return target != nullptr;
}

class TextReader {
 public:
  TextReader(const std::string& where, const Question& question, Batch& batch)
      : where_(where), batch_(batch) {
    if (question.model) rule_ = question.model->rule;
  }

  void read(std::string_view text) {
    for (std::size_t start = 0; start < text.size();) {
      const std::size_t end = std::min(text.find('\n', start), text.size());
      std::string_view line = text.substr(start, end - start);
      start = end + 1;
      ++line_;
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
      if (!begun_ && line.front() == '{') json_ = true;
      if (json_) {
        read_json(line);
      } else if (!begun_) {
        read_header(line);
      } else {
        read_row(line);
      }
      begun_ = true;
    }
    if (!begun_) fail(where_, 1, "nothing in it; rows of seq_len and T are due");
  }

 private:
  void add(std::int64_t seq_len, std::optional<std::int64_t> latent,
           std::optional<std::int64_t> video) {
    if (!latent && video) {
      if (*video < 1) fail(where_, line_, fmt::format("frames is {}; 1 or more is due", *video));
      latent = latent_frames(*video, rule_);
    }
    try {
      batch_.add(seq_len, latent, "");
    } catch (const Error& error) {
      const std::string_view what = error.what();
      fail(where_, line_, std::string(what.substr(what.starts_with(": ") ? 2 : 0)));
    }
  }

  void read_header(std::string_view line) {
    int index = 0;
    for (std::size_t start = 0; start <= line.size(); ++index) {
      const std::size_t comma = std::min(line.find(',', start), line.size());
      name_column(line.substr(start, comma - start), index, columns_);
      start = comma + 1;
    }
    if (columns_.seq_len >= 0) return;
    // Two bare numbers a row are seq_len and T.
    columns_ = {0, index > 1 ? 1 : -1, -1};
    if (!integer(line.substr(0, line.find(',')))) {
      fail(where_, line_,
           fmt::format("'{}' names no column seq_len; a header such as seq_len,T is due",
                       shown(line)));
    }
    read_row(line);
  }

  void read_row(std::string_view line) {
    std::optional<std::int64_t> values[3];
    int index = 0;
    for (std::size_t start = 0; start <= line.size(); ++index) {
      const std::size_t comma = std::min(line.find(',', start), line.size());
      const std::string_view cell = line.substr(start, comma - start);
      start = comma + 1;
      const int which = index == columns_.seq_len  ? 0
                        : index == columns_.latent ? 1
                        : index == columns_.video  ? 2
                                                   : -1;
      if (which < 0 || (which > 0 && trimmed(cell).empty())) continue;
      values[which] = integer(cell);
      if (!values[which]) fail(where_, line_, fmt::format("'{}' is no whole number", shown(cell)));
    }
    if (!values[0]) fail(where_, line_, "no seq_len in this row");
    add(*values[0], values[1], values[2]);
  }

  void read_json(std::string_view line) {
    const nlohmann::json row = parse_strict_json(line, fmt::format("{}:{}", where_, line_));
    if (!row.is_object()) fail(where_, line_, "an object with seq_len and T is due");
    std::optional<std::int64_t> values[3];
    for (const auto& [key, value] : row.items()) {
      Columns column;
      if (!name_column(key, 0, column) || value.is_null()) continue;
      const bool whole = value.is_number_integer() &&
                         (!value.is_number_unsigned() || value.get<std::uint64_t>() <= INT64_MAX);
      if (!whole)
        fail(where_, line_,
             fmt::format("\"{}\" is {}; a whole number is due", shown(key), shown(value.dump())));
      values[column.seq_len == 0 ? 0 : column.latent == 0 ? 1 : 2] = value.get<std::int64_t>();
    }
    if (!values[0]) fail(where_, line_, "no key seq_len in this row");
    add(*values[0], values[1], values[2]);
  }

  std::string where_;
  Batch& batch_;
  PatchRule rule_;
  Columns columns_;
  std::int64_t line_ = 0;
  bool begun_ = false;
  bool json_ = false;
};

void read_hdf5(const std::string& path, const Question& question, Batch& batch) {
  const Hdf5File file(path);
  if (!file.has("seq_len")) {
    throw Error(ErrorKind::kValue, fmt::format("{}: holds no dataset seq_len", path));
  }
  const RealDataset lengths = file.read_reals("seq_len");
  const bool latent = file.has("T");
  RealDataset frames;
  if (latent || file.has("frames")) frames = file.read_reals(latent ? "T" : "frames");
  if (!frames.values.empty() && frames.values.size() != lengths.values.size()) {
    throw Error(ErrorKind::kValue, fmt::format("{}: {} lengths and {} values of T; as many are due",
                                               path, lengths.values.size(), frames.values.size()));
  }
  const PatchRule rule = question.model ? question.model->rule : PatchRule{};
  const auto whole = [&](double value, const char* what, std::size_t i) {
    if (value >= 1.0 && value <= 0x1p40 && value == std::floor(value))
      return static_cast<std::int64_t>(value);
    throw Error(ErrorKind::kValue, fmt::format("{}: {}[{}] is {}; a whole number from 1 is due",
                                               path, what, i, value));
  };
  for (std::size_t i = 0; i < lengths.values.size(); ++i) {
    std::optional<std::int64_t> count;
    if (!frames.values.empty()) {
      count = whole(frames.values[i], latent ? "T" : "frames", i);
      if (!latent) count = latent_frames(*count, rule);
    }
    batch.add(whole(lengths.values[i], "seq_len", i), count, path);
  }
}

}  // namespace

void read_batch_text(std::string_view text, const std::string& where, const Question& question,
                     Batch& batch) {
  TextReader(where, question, batch).read(text);
}

void read_batch_file(const std::string& path, const Question& question, Batch& batch) {
  const std::string text = read_small_file(path, kMostBytes);
  if (text.starts_with("\x89HDF\r\n")) {
    read_hdf5(path, question, batch);
  } else {
    read_batch_text(text, path, question, batch);
  }
}

}  // namespace lvsa::analysis
