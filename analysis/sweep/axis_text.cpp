// The text of one axis: numbers and ranges.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <string_view>

#include "analysis/sweep/setting_limits.hpp"
#include "analysis/sweep/sweep_axes.hpp"
#include "core/error.hpp"
#include "core/io/printable.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kMostValues = 100'000;

struct Axis {
  const std::string& name;
  const std::string& text;

  [[noreturn]] void refuse(std::string_view item, const std::string& due) const {
    const std::string in = item == text ? "" : fmt::format(" in '{}'", printable(text));
    throw Error(ErrorKind::kValue,
                fmt::format("{} '{}'{}: {}", name, printable(std::string(item)), in, due));
  }
};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t from = 0;;) {
    const std::size_t at = text.find(separator, from);
    parts.push_back(text.substr(from, at - from));
    if (at == std::string_view::npos) return parts;
    from = at + 1;
  }
}

template <typename Number>
Number parse_number(const Axis& axis, std::string_view item, std::string_view part,
                    const char* kind) {
  Number value{};
  const auto read = std::from_chars(part.data(), part.data() + part.size(), value);
  if (part.empty() || read.ec != std::errc() || read.ptr != part.data() + part.size()) {
    axis.refuse(item, fmt::format("{}, or a range FIRST:LAST[:STEP] of them, is due", kind));
  }
  return value;
}

// Digits behind the decimal point; 0 with an exponent, whose numbers are taken as they are.
int decimals(std::string_view part) {
  const std::size_t point = part.find('.');
  if (point == std::string_view::npos || part.find_first_of("eE") != std::string_view::npos)
    return 0;
  return static_cast<int>(part.size() - point - 1);
}

void require_room(const Axis& axis, std::size_t size) {
  if (size > kMostValues)
    axis.refuse(axis.text, fmt::format("at most {} values are due", kMostValues));
}

template <typename Number>
void require_range(const Axis& axis, std::string_view item, Number value, Number least,
                   Number most) {
  if (value >= least && value <= most) return;  // a NaN is in no range
  axis.refuse(item, fmt::format("{} is out of range; {} to {} is due", value, least, most));
}

template <typename Number>
void require_different(const Axis& axis, const std::vector<Number>& values) {
  std::set<Number> seen;
  for (const Number& value : values) {
    if (!seen.insert(value).second) axis.refuse(axis.text, fmt::format("{} stands twice", value));
  }
}

void add_integers(const Axis& axis, std::string_view item, std::int64_t least, std::int64_t most,
                  std::vector<std::int64_t>& values) {
  const auto parts = split(item, ':');
  if (parts.size() > 3) axis.refuse(item, "FIRST:LAST[:STEP] is due");
  const auto first = parse_number<std::int64_t>(axis, item, parts[0], "an integer");
  require_range(axis, item, first, least, most);
  if (parts.size() == 1) return values.push_back(first);
  const auto last = parse_number<std::int64_t>(axis, item, parts[1], "an integer");
  require_range(axis, item, last, least, most);
  const auto step =
      parts.size() == 3 ? parse_number<std::int64_t>(axis, item, parts[2], "an integer") : 1;
  if (last < first || step < 1) axis.refuse(item, "FIRST <= LAST and STEP >= 1 are due");
  for (std::int64_t value = first; value <= last; value += std::min(step, most)) {
    values.push_back(value);
    require_room(axis, values.size());
  }
}

void add_reals(const Axis& axis, std::string_view item, double least, double most,
               std::vector<double>& values) {
  const auto parts = split(item, ':');
  if (parts.size() > 3) axis.refuse(item, "FIRST:LAST[:STEP] is due");
  const auto first = parse_number<double>(axis, item, parts[0], "a number");
  require_range(axis, item, first, least, most);
  if (parts.size() == 1) return values.push_back(first);
  const auto last = parse_number<double>(axis, item, parts[1], "a number");
  require_range(axis, item, last, least, most);
  const auto step =
      parts.size() == 3 ? parse_number<double>(axis, item, parts[2], "a number") : 1.0;
  if (!(last >= first) || !(step > 0.0)) axis.refuse(item, "FIRST <= LAST and STEP > 0 are due");
  // A step of decimals is none of binary fractions: LAST counts as reached within a billionth.
  const double count = std::floor((last - first) / step + 1e-9);
  if (!(count < static_cast<double>(kMostValues))) require_room(axis, kMostValues + 1);
  const int digits = std::max(decimals(parts[0]), parts.size() == 3 ? decimals(parts[2]) : 0);
  const double unit = digits > 0 && digits <= 12 ? std::pow(10.0, digits) : 0.0;
  for (std::int64_t i = 0; i <= static_cast<std::int64_t>(count); ++i) {
    const double value = first + static_cast<double>(i) * step;
    values.push_back(std::min(last, unit > 0.0 ? std::round(value * unit) / unit : value));
    require_room(axis, values.size());
  }
}

}  // namespace

std::vector<std::int64_t> parse_integer_axis(const std::string& name, const std::string& text,
                                             std::int64_t least, std::int64_t most) {
  const Axis axis{name, text};
  std::vector<std::int64_t> values;
  for (const std::string_view item : split(text, ',')) {
    add_integers(axis, item, least, most, values);
  }
  require_different(axis, values);
  return values;
}

std::vector<double> parse_real_axis(const std::string& name, const std::string& text, double least,
                                    double most) {
  const Axis axis{name, text};
  std::vector<double> values;
  for (const std::string_view item : split(text, ',')) add_reals(axis, item, least, most, values);
  require_different(axis, values);
  return values;
}

std::vector<std::optional<std::int64_t>> parse_interval_axis(const std::string& name,
                                                             const std::string& text) {
  const Axis axis{name, text};
  std::vector<std::int64_t> values;
  constexpr std::int64_t kAuto = -1;
  for (const std::string_view item : split(text, ',')) {
    if (item == "auto") {
      values.push_back(kAuto);
    } else {
      add_integers(axis, item, 0, kMostSettingFrames, values);
    }
  }
  require_different(axis, values);
  std::vector<std::optional<std::int64_t>> intervals;
  for (const std::int64_t value : values) {
    intervals.push_back(value == kAuto ? std::nullopt : std::optional(value));
  }
  return intervals;
}

}  // namespace lvsa::analysis
