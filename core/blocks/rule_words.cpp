#include "core/blocks/rule_words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "core/config/python_number.hpp"
#include "core/error.hpp"

namespace lvsa {
namespace {

std::vector<std::string> parts_of(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  if (!text.empty() && text.back() == separator) parts.emplace_back();
  return parts;
}

std::vector<std::string_view> names_of(const RuleInfo& rule) {
  std::vector<std::string_view> names;
  for (const RuleParameter& p : rule.parameters) names.push_back(p.name);
  return names;
}

}  // namespace

RuleWords::RuleWords(const RuleInfo& rule, const std::vector<std::string>& words) : rule_(&rule) {
  for (const RuleParameter& p : rule.parameters) values_.emplace(p.name, p.value);
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw Error(ErrorKind::kValue, fmt::format("{}: '{}' is no key=value", rule.name, word));
    }
    const std::string key = word.substr(0, equals);
    if (!values_.contains(key)) {
      throw Error(ErrorKind::kValue,
                  fmt::format("{}: no parameter '{}'; there are: {}", rule.name, key,
                              rule.parameters.empty()
                                  ? "none"
                                  : fmt::format("{}", fmt::join(names_of(rule), ", "))));
    }
    const std::string value = word.substr(equals + 1);
    if (!given_.emplace(key, value).second) {
      throw Error(ErrorKind::kValue, fmt::format("{}: '{}' comes twice", rule.name, key));
    }
    values_[key] = value;
  }
}

bool RuleWords::given(std::string_view name) const { return given_.find(name) != given_.end(); }

const std::string& RuleWords::text(std::string_view name) const {
  return values_.find(name)->second;
}

void RuleWords::refuse(std::string_view name, const std::string& due) const {
  throw Error(ErrorKind::kValue, fmt::format("{}: {}={}: {}", rule_->name, name, text(name), due));
}

double RuleWords::number(std::string_view name, double low, double high) const {
  const std::vector<double> all = numbers(name, low, high);
  if (all.size() != 1) refuse(name, "one number is due");
  return all.front();
}

std::int64_t RuleWords::integer(std::string_view name, std::int64_t low, std::int64_t high) const {
  const auto value = parse_python_int_saturated(text(name));
  if (!value || *value < low || *value > high) {
    refuse(name, fmt::format("an integer of {} .. {} is due", low, high));
  }
  return *value;
}

bool RuleWords::flag(std::string_view name) const { return integer(name, 0, 1) == 1; }

std::string RuleWords::choice(std::string_view name,
                              std::initializer_list<std::string_view> choices) const {
  if (std::find(choices.begin(), choices.end(), text(name)) == choices.end()) {
    refuse(name, fmt::format("one of {} is due", fmt::join(choices, ", ")));
  }
  return text(name);
}

std::vector<double> RuleWords::numbers(std::string_view name, double low, double high) const {
  std::vector<double> values;
  for (const std::string& part : parts_of(text(name), ',')) {
    const auto value = parse_python_float(part);
    if (!value || !(*value >= low && *value <= high)) {
      refuse(name, fmt::format("'{}' is no number of {} .. {}", part, low, high));
    }
    values.push_back(*value);
  }
  if (values.empty()) refuse(name, fmt::format("a number of {} .. {} is due", low, high));
  return values;
}

std::string RuleWords::canonical() const {
  std::string line(rule_->name);
  for (const RuleParameter& p : rule_->parameters) {
    const std::string& value = text(p.name);
    if (value != p.value) line += fmt::format(" {}={}", p.name, value);
  }
  return line;
}

double value_of_head(const std::vector<double>& values, std::int64_t head, std::string_view what) {
  if (values.size() == 1) return values.front();
  if (head < 0 || head >= static_cast<std::int64_t>(values.size())) {
    throw Error(ErrorKind::kValue,
                fmt::format("{}: {} values, none for head {}", what, values.size(), head));
  }
  return values[static_cast<std::size_t>(head)];
}

}  // namespace lvsa
