#include "analysis/gate/json_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;

// Levenshtein's distance.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row[b.size()];
}

// A value as it stands, cut where it is long.
std::string shown(const Json& value) {
  constexpr std::size_t kMost = 60;
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > kMost) text = text.substr(0, kMost) + "...";
  return text;
}

// A key as it may stand in a message of one line.
std::string quoted_key(std::string_view key) { return shown(Json(std::string(key))); }

bool is_plain(std::string_view key) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !key.empty() && std::all_of(key.begin(), key.end(), plain);
}

std::string step_to(std::string_view key) {
  return is_plain(key) ? fmt::format(".{}", key) : fmt::format("[{}]", quoted_key(key));
}

std::string listed(std::span<const std::string_view> words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace

std::string_view nearest(std::string_view text, std::span<const std::string_view> known) {
  constexpr std::size_t kLongest = 64;  // what is longer is no typing error
  if (text.size() > kLongest) return "";
  std::string_view best;
  std::size_t fewest = std::numeric_limits<std::size_t>::max();
  for (const std::string_view word : known) {
    const std::size_t count = edits(text, word);
    if (count < fewest) {
      fewest = count;
      best = word;
    }
  }
  return fewest * 2 <= std::max(best.size(), text.size()) ? best : "";
}

void JsonReader::fail(const std::string& what) const {
  throw Error(ErrorKind::kJson,
              fmt::format("{}{}{}: {}", file_, file_.empty() ? "" : ": ", path_, what));
}

void JsonReader::wrong(const std::string& due) const {
  fail(fmt::format("{}: {} is due", shown(value_), due));
}

void JsonReader::require_object(std::initializer_list<std::string_view> keys) const {
  const std::span<const std::string_view> known(keys.begin(), keys.size());
  if (!value_.is_object()) wrong(fmt::format("an object with {}", listed(known)));
  for (const auto& [key, value] : value_.items()) {
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    const std::string_view near = nearest(key, known);
    const std::string hint = near.empty() ? fmt::format("known are {}", listed(known))
                                          : fmt::format("the nearest known one is '{}'", near);
    at(value, step_to(key)).fail(fmt::format("unknown key {}; {}", quoted_key(key), hint));
  }
}

std::optional<JsonReader> JsonReader::member(std::string_view key) const {
  const auto found = value_.find(key);
  if (found == value_.end()) return std::nullopt;
  return at(*found, step_to(key));
}

JsonReader JsonReader::required(std::string_view key) const {
  const auto found = member(key);
  if (!found) fail(fmt::format("'{}' is missing", key));
  return *found;
}

std::vector<JsonReader> JsonReader::elements() const {
  if (!value_.is_array()) wrong("an array");
  std::vector<JsonReader> list;
  for (std::size_t i = 0; i < value_.size(); ++i) {
    list.push_back(at(value_[i], fmt::format("[{}]", i)));
  }
  return list;
}

std::vector<std::pair<std::string, JsonReader>> JsonReader::members() const {
  if (!value_.is_object()) wrong("an object");
  std::vector<std::pair<std::string, JsonReader>> list;
  for (const auto& [key, value] : value_.items()) list.emplace_back(key, at(value, step_to(key)));
  return list;
}

std::string JsonReader::text() const {
  if (!value_.is_string()) wrong("a string");
  return value_.get<std::string>();
}

std::string JsonReader::nonempty_text() const {
  const std::string made = text();
  const auto control = [](char c) { return static_cast<unsigned char>(c) < ' '; };
  const bool blank = made.find_first_not_of(' ') == std::string::npos;
  if (blank || std::any_of(made.begin(), made.end(), control)) wrong("a text of one line");
  return made;
}

bool JsonReader::boolean() const {
  if (!value_.is_boolean()) wrong("true or false");
  return value_.get<bool>();
}

double JsonReader::number(double least, double most) const {
  const double made = value_.is_number() ? value_.get<double>() : std::nan("");
  if (std::isfinite(made) && made >= least && made <= most) return made;
  if (std::isinf(least) && std::isinf(most)) wrong("a number");
  if (std::isinf(most)) wrong(fmt::format("a number from {}", least));
  wrong(fmt::format("a number from {} to {}", least, most));
}

double JsonReader::any_number() const {
  if (value_.is_number()) return value_.get<double>();
  if (value_ == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (value_ == "Infinity") return std::numeric_limits<double>::infinity();
  if (value_ == "-Infinity") return -std::numeric_limits<double>::infinity();
  wrong("a number, \"NaN\", \"Infinity\" or \"-Infinity\"");
}

std::string JsonReader::dumped() const {
  return value_.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::int64_t JsonReader::integer(std::int64_t least) const {
  const bool fits = value_.is_number_unsigned()
                        ? value_.get<std::uint64_t>() <=
                              static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
                        : value_.is_number_integer();
  if (!fits || value_.get<std::int64_t>() < least) wrong(fmt::format("an integer from {}", least));
  return value_.get<std::int64_t>();
}

std::string JsonReader::word(std::initializer_list<std::string_view> words) const {
  const std::span<const std::string_view> known(words.begin(), words.size());
  const std::string made = value_.is_string() ? value_.get<std::string>() : "";
  if (value_.is_string() && std::find(words.begin(), words.end(), made) != words.end()) return made;
  wrong(fmt::format("one of {}", listed(known)));
}

}  // namespace lvsa::analysis
