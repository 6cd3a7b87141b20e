#include "analysis/diagnose/log_line.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace lvsa::analysis {
namespace {

constexpr std::string_view kSeqLenTag = "[seq_len]";

struct Pattern {
  std::string_view text;
  LogKind kind;
};

// Of lines whose tag is [LVSA] or [LVSA-hook]: the first text that the line holds decides.
constexpr Pattern kPatterns[] = {
    {"Geometry detected", LogKind::kGeometry},
    {"engaged (", LogKind::kEngaged},
    {"ambiguous geometry", LogKind::kAmbiguous},
    {"geometry mismatch", LogKind::kMismatch},
    {"attended_per_frame=", LogKind::kPattern},
    {"reference_latent_frames=", LogKind::kReference},
    {"computed key_frame_interval=", LogKind::kInterval},
    {"installation failed", LogKind::kWarning},
    {"Installed LVSA hook", LogKind::kInstalled},
    {"installed on ", LogKind::kInstalled},
    {"Step counter", LogKind::kCalibrated},
    {"flashinfer is not", LogKind::kWarning},
    {"Warning", LogKind::kWarning},
    {"WARNING", LogKind::kWarning},
    {"NOTE", LogKind::kNote},
    {"auto-scaled", LogKind::kNote},
    {"windowed attention", LogKind::kNote},
    {"backend = ", LogKind::kNote},
    {"LVSA_REPEAT_KV", LogKind::kNote},
};

LogKind kind_of(std::string_view tag, std::string_view text) {
  if (tag == "[LVSA-FALLBACK]") return LogKind::kFallback;
  if (tag == "[LVSA-MASK]") return LogKind::kMask;
  if (tag == "[LVSA-MEM]") return LogKind::kMemory;
  if (tag == "[LVSA-TIME]") return LogKind::kTime;
  if (tag == kSeqLenTag) return LogKind::kSeqLen;
  if (tag == "[LVSA-WINDOW]") return LogKind::kNote;
  if (tag != "[LVSA]" && tag != "[LVSA-hook]") return LogKind::kUnknown;
  for (const Pattern& pattern : kPatterns) {
    if (text.find(pattern.text) != std::string_view::npos) return pattern.kind;
  }
  return LogKind::kUnknown;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool is_key(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '|' || c == '*' || c == '.';
}

// End of the value that begins at `at`: a bracketed list as a whole, else up to a separator.
std::size_t value_end(std::string_view text, std::size_t at) {
  if (at < text.size() && text[at] == '[') {
    const std::size_t close = text.find(']', at);
    return close == std::string_view::npos ? text.size() : close + 1;
  }
  return std::min(text.find_first_of(" \t,();[\"'\\", at), text.size());
}

void read_fields(LogLine& line, bool complete) {
  const std::string_view text = line.text;
  for (std::size_t at = text.find('='); at != std::string_view::npos;) {
    std::size_t first = at;
    while (first > 0 && is_key(text[first - 1])) --first;
    const std::size_t end = value_end(text, at + 1);
    const bool cut = !complete && end == text.size();
    if (first < at && end > at + 1 && !cut && line.field_count < LogLine::kMostFields) {
      line.fields[line.field_count++] = {text.substr(first, at - first),
                                         text.substr(at + 1, end - at - 1)};
    }
    at = text.find('=', std::max(end, at + 1));
  }
}

// A real number at the front of `text`, and what stands behind it.
std::optional<double> leading_number(std::string_view text, std::string_view& rest) {
  double value = 0.0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value)) return std::nullopt;
  rest = text.substr(static_cast<std::size_t>(stop - text.data()));
  return value;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "rank 3" for a number behind `word`, with one of the usual signs between.
std::string numbered(std::string_view prefix, std::string_view word, bool bracketed) {
  for (std::size_t at = prefix.rfind(word); at != std::string_view::npos;
       at = at == 0 ? std::string_view::npos : prefix.rfind(word, at - 1)) {
    if (bracketed && (at == 0 || prefix[at - 1] != '[')) continue;
    std::size_t first = at + word.size();
    if (first < prefix.size() && (prefix[first] == '=' || prefix[first] == ':')) ++first;
    if (first < prefix.size() && prefix[first] == ' ') ++first;
    std::size_t end = first;
    while (end < prefix.size() && is_digit(prefix[end])) ++end;
    if (end > first && end - first <= 9) {
      return "rank " + std::string(prefix.substr(first, end - first));
    }
  }
  return "";
}

}  // namespace

std::string_view name(LogKind kind) {
  static constexpr std::array<std::string_view, kLogKinds> kNames = {
      "fallback", "geometry", "engaged",   "ambiguous",  "mismatch", "reference",
      "pattern",  "interval", "installed", "calibrated", "mask",     "memory",
      "time",     "seq_len",  "warning",   "note",       "unknown"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::optional<std::string_view> LogLine::field(std::string_view key) const {
  for (std::size_t i = 0; i < field_count; ++i) {
    if (fields[i].key == key) return fields[i].value;
  }
  return std::nullopt;
}

std::optional<std::int64_t> LogLine::integer(std::string_view key) const {
  const auto found = field(key);
  if (!found) return std::nullopt;
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(found->data(), found->data() + found->size(), value);
  std::string_view rest(stop, static_cast<std::size_t>(found->data() + found->size() - stop));
  while (!rest.empty() && (rest.front() == '.' || rest.front() == ':')) rest.remove_prefix(1);
  if (error != std::errc() || !rest.empty()) return std::nullopt;  // a full stop may follow
  return value;
}

std::optional<double> LogLine::number(std::string_view key) const {
  struct Unit {
    std::string_view name;
    double factor;
  };
  static constexpr Unit kUnits[] = {{"", 1.0},
                                    {"s", 1.0},
                                    {"ms", 1e-3},
                                    {"x", 1.0},
                                    {"B", 1e-9},
                                    {"KB", 1e-6},
                                    {"MB", 1e-3},
                                    {"GB", 1.0},
                                    {"TB", 1e3},
                                    {"KiB", 1024e-9},
                                    {"MiB", 1048576e-9},
                                    {"GiB", 1.073741824},
                                    {"TiB", 1099.511627776}};
  const auto found = field(key);
  if (!found) return std::nullopt;
  std::string_view rest;
  const auto value = leading_number(*found, rest);
  if (!value) return std::nullopt;
  while (!rest.empty() && rest.back() == '.') rest.remove_suffix(1);
  for (const Unit& unit : kUnits) {
    if (rest == unit.name) return *value * unit.factor;
  }
  return std::nullopt;
}

std::size_t find_log_tag(std::string_view line, std::size_t from) {
  for (std::size_t at = line.find('[', from); at != std::string_view::npos;
       at = line.find('[', at + 1)) {
    const std::string_view rest = line.substr(at);
    if (rest.starts_with("[LVSA]") || rest.starts_with(kSeqLenTag)) return at;
    if (!rest.starts_with("[LVSA-")) continue;
    const std::size_t close = rest.substr(0, 24).find(']');
    if (close != std::string_view::npos) return at;
  }
  return std::string_view::npos;
}

LogLine parse_log_line(std::string_view line, std::size_t at, bool complete) {
  const std::size_t next = find_log_tag(line, at + 1);
  LogLine parsed;
  parsed.prefix = line.substr(0, at);
  parsed.text = line.substr(at, next == std::string_view::npos ? next : next - at);
  while (!parsed.text.empty() && is_blank(parsed.text.back())) parsed.text.remove_suffix(1);
  const std::string_view tag = parsed.text.substr(0, parsed.text.find(']') + 1);
  parsed.kind = kind_of(tag, parsed.text.substr(tag.size()));
  read_fields(parsed, complete || next != std::string_view::npos);
  return parsed;
}

void strip_escapes(std::string& line) {
  std::size_t to = 0;
  for (std::size_t from = 0; from < line.size();) {
    const char c = line[from];
    if (c == '\x1b') {
      ++from;
      if (from < line.size() && line[from] == '[') {  // up to the letter that ends the sequence
        ++from;
        while (from < line.size() && !(line[from] >= '@' && line[from] <= '~')) ++from;
      }
      ++from;
      continue;
    }
    ++from;
    if (c == '\0' || c == '\a' || c == '\b') continue;
    line[to++] = c;
  }
  line.resize(to);
}

std::string log_source(std::string_view prefix) {
  constexpr std::size_t kLongest = 256;
  if (prefix.size() > kLongest) prefix.remove_prefix(prefix.size() - kLongest);
  for (const auto& [word, bracketed] : {std::pair{"rank", false}, std::pair{"RANK", false},
                                        std::pair{"Rank", false}, std::pair{"default", true}}) {
    if (const std::string source = numbered(prefix, word, bracketed); !source.empty()) {
      return source;
    }
  }
  const std::size_t pid = prefix.rfind("pid=");
  if (pid == std::string_view::npos) return "";
  const std::size_t open = prefix.rfind('(', pid);
  const std::size_t close = prefix.find(')', pid);
  if (open == std::string_view::npos || close == std::string_view::npos) return "";
  return std::string(prefix.substr(open + 1, std::min<std::size_t>(close - open - 1, 64)));
}

MaskLine parse_mask_line(std::string_view line, std::int64_t& frame, std::string_view& cells) {
  constexpr std::string_view kSummaryStart = "G=global W=window";
  if (line.find(kSummaryStart) != std::string_view::npos) return MaskLine::kSummary;
  const std::size_t open = line.find('|');
  if (open == std::string_view::npos) {
    const bool marks = !line.empty() && line.find_first_not_of(" 05") == std::string_view::npos &&
                       line.find('0') != std::string_view::npos;
    return marks ? MaskLine::kMarks : MaskLine::kNone;
  }
  const std::size_t close = line.find('|', open + 1);
  if (close == std::string_view::npos) return MaskLine::kNone;
  cells = line.substr(open + 1, close - open - 1);
  if (cells.empty() || cells.find_first_not_of("GWX.") != std::string_view::npos) {
    return MaskLine::kNone;
  }
  std::size_t end = open;
  while (end > 0 && is_blank(line[end - 1])) --end;
  std::size_t first = end;
  while (first > 0 && is_digit(line[first - 1])) --first;
  const auto [stop, error] = std::from_chars(line.data() + first, line.data() + end, frame);
  if (first == end || error != std::errc() || stop != line.data() + end) return MaskLine::kNone;
  return MaskLine::kRow;
}

}  // namespace lvsa::analysis
