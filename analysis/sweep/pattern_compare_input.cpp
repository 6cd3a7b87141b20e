// What a comparison is asked for, from words.

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "analysis/sweep/pattern_compare.hpp"
#include "core/config/python_number.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

std::vector<std::string> parts(const std::string& text, const std::string& separators) {
  std::vector<std::string> found;
  std::string part;
  for (const char c : text + separators[0]) {
    if (separators.find(c) == std::string::npos) {
      part += c;
      continue;
    }
    const auto first = part.find_first_not_of(" \t\r");
    if (first != std::string::npos) {
      found.push_back(part.substr(first, part.find_last_not_of(" \t\r") + 1 - first));
    }
    part.clear();
  }
  return found;
}

std::string without_comments(const std::string& text) {
  std::istringstream in(text);
  std::string kept;
  for (std::string line; std::getline(in, line);) kept += line.substr(0, line.find('#')) + "\n";
  return kept;
}

}  // namespace

std::vector<CompareRule> parse_compare_rules(
    const std::string& text,
    const std::function<std::unique_ptr<PatternRule>(const std::string&)>& make) {
  std::vector<CompareRule> rules;
  for (const std::string& words : parts(without_comments(text), ";\n")) {
    CompareRule rule;
    if (words.substr(0, words.find(' ')).find(',') != std::string::npos) {
      throw Error(
          ErrorKind::kValue,
          fmt::format("pattern '{}': patterns are separated by ';', as 'lvsa; dense'", words));
    }
    rule.words = canonical_rule_words(words);
    make(words);  // values out of range show before anything is computed
    rule.name = rule.words.substr(0, rule.words.find(' '));
    rule.knob = rule_info(rule.name).knob;
    rule.make = make;
    const bool twice = std::any_of(rules.begin(), rules.end(),
                                   [&](const CompareRule& r) { return r.words == rule.words; });
    if (twice) {
      throw Error(ErrorKind::kValue, fmt::format("pattern '{}' comes twice", rule.words));
    }
    rules.push_back(std::move(rule));
  }
  if (rules.empty()) {
    throw Error(ErrorKind::kValue,
                "no pattern to compare: names with parameters are due, as 'lvsa; dense'");
  }
  return rules;
}

std::vector<double> parse_densities(const std::string& text) {
  std::vector<double> densities;
  for (const std::string& part : parts(text, ",")) {
    const auto value = parse_python_float(part);
    if (!value || !(*value > 0.0 && *value <= 1.0)) {
      throw Error(ErrorKind::kValue,
                  fmt::format("--density: '{}': a token density in (0, 1] is due", part));
    }
    if (std::find(densities.begin(), densities.end(), *value) != densities.end()) {
      throw Error(ErrorKind::kValue, fmt::format("--density: {} comes twice", part));
    }
    densities.push_back(*value);
  }
  if (densities.empty()) {
    throw Error(ErrorKind::kValue, "--density: numbers in (0, 1] are due, as 0.5,0.3");
  }
  return densities;
}

}  // namespace lvsa::analysis
