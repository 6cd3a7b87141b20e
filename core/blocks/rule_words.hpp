#pragma once
// Parameters of a rule as words: "NAME key=value key=value". Values have no blanks.

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/blocks/pattern_rule.hpp"

namespace lvsa {

/// What a rule is made from: the given values, and the defaults of the list. Every throw is
/// Error(kValue) with one line that names rule, parameter, value and what would be right.
class RuleWords {
 public:
  /// Throws for a parameter that the rule does not have (the nearest known one is named), that
  /// comes twice, or that is no key=value.
  RuleWords(const RuleInfo& rule, const std::vector<std::string>& words);

  /// Whether the words name the parameter.
  bool given(std::string_view name) const;
  /// As it was typed, or the default.
  const std::string& text(std::string_view name) const;
  /// low <= value <= high.
  double number(std::string_view name, double low, double high) const;
  std::int64_t integer(std::string_view name, std::int64_t low, std::int64_t high) const;
  /// 0 or 1.
  bool flag(std::string_view name) const;
  /// One of the choices.
  std::string choice(std::string_view name, std::initializer_list<std::string_view> choices) const;
  /// One number for all heads, or one for each: "0.5,0.4,0.6".
  std::vector<double> numbers(std::string_view name, double low, double high) const;
  /// Throws for a value that is wrong for another reason: "RULE: NAME=VALUE: `due`".
  [[noreturn]] void refuse(std::string_view name, const std::string& due) const;

  /// Those given that are not the default, in the order of the rule's list.
  std::string canonical() const;

 private:
  const RuleInfo* rule_;
  std::map<std::string, std::string, std::less<>> given_;
  std::map<std::string, std::string, std::less<>> values_;
};

/// The value of a head: the only one, or that of the head. Throws Error(kValue) naming `what` when
/// there are several and none for this head.
double value_of_head(const std::vector<double>& values, std::int64_t head, std::string_view what);

}  // namespace lvsa
