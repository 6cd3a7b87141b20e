#include "reference/pattern/python_text.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "core/error.hpp"

namespace lvsa::reference {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

// str.strip() also removes the four ASCII separators; int() and float() do not.
bool is_stripped(char c) { return is_blank(c) || ('\x1c' <= c && c <= '\x1f'); }

template <typename Predicate>
std::string_view trim(std::string_view text, Predicate goes) {
  while (!text.empty() && goes(text.front())) text.remove_prefix(1);
  while (!text.empty() && goes(text.back())) text.remove_suffix(1);
  return text;
}

bool is_digit(char c) { return '0' <= c && c <= '9'; }

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if ('A' <= c && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

[[noreturn]] void refuse(std::string_view text, const char* what) {
  throw Error(ErrorKind::kValue, "'" + std::string(text) + "' is no " + what);
}

// Removes a leading '+' or '-' and says whether it was '-'.
bool take_sign(std::string_view& text) {
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return false;
  const bool negative = text[0] == '-';
  text.remove_prefix(1);
  return negative;
}

// Removes the longest leading run of digits and of underscores that stand between two digits, and
// returns its digits.
std::string take_digits(std::string_view& text) {
  std::string digits;
  while (!text.empty()) {
    const bool between_digits =
        text[0] == '_' && !digits.empty() && text.size() > 1 && is_digit(text[1]);
    if (!is_digit(text[0]) && !between_digits) break;
    if (is_digit(text[0])) digits += text[0];
    text.remove_prefix(1);
  }
  return digits;
}

// The text of a decimal number in the form that strtod reads, or nothing.
std::optional<std::string> plain_decimal(std::string_view text) {
  std::string plain = take_digits(text);
  bool any_digit = !plain.empty();
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    const std::string fraction = take_digits(text);
    any_digit = any_digit || !fraction.empty();
    plain += "." + fraction;
  }
  if (!any_digit) return std::nullopt;
  if (!text.empty() && (text[0] == 'e' || text[0] == 'E')) {
    text.remove_prefix(1);
    plain += take_sign(text) ? "e-" : "e+";
    const std::string exponent = take_digits(text);
    if (exponent.empty()) return std::nullopt;
    plain += exponent;
  }
  if (!text.empty()) return std::nullopt;
  return plain;
}

}  // namespace

std::optional<std::string> get(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  if (found == environment.end()) return std::nullopt;
  return found->second;
}

std::string_view strip(std::string_view text) { return trim(text, is_stripped); }

std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> parts{""};
  for (const char c : text) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::int64_t parse_int(std::string_view text) {
  std::string_view rest = trim(text, is_blank);
  const bool negative = take_sign(rest);
  const std::string digits = take_digits(rest);
  if (digits.empty() || !rest.empty()) refuse(text, "integer");
  // Counted downwards, since the lowest value has no positive counterpart.
  std::int64_t value = 0;
  for (const char c : digits) {
    if (__builtin_mul_overflow(value, std::int64_t{10}, &value) ||
        __builtin_sub_overflow(value, std::int64_t{c - '0'}, &value)) {
      throw Error(ErrorKind::kOverflow, "'" + std::string(text) + "' does not fit in 64 bits");
    }
  }
  if (negative) return value;
  if (value == std::numeric_limits<std::int64_t>::min()) {
    throw Error(ErrorKind::kOverflow, "'" + std::string(text) + "' does not fit in 64 bits");
  }
  return -value;
}

double parse_float(std::string_view text) {
  std::string_view rest = trim(text, is_blank);
  const double sign = take_sign(rest) ? -1.0 : 1.0;
  const std::string name = lower_case(rest);
  if (name == "inf" || name == "infinity") return sign * std::numeric_limits<double>::infinity();
  if (name == "nan") return std::numeric_limits<double>::quiet_NaN();
  const std::optional<std::string> decimal = plain_decimal(rest);
  if (!decimal) refuse(text, "number");
  // Correctly rounded, and infinite or zero beyond the range of a double, as in Python.
  return sign * std::strtod(decimal->c_str(), nullptr);
}

std::optional<std::int64_t> parse_int_or_nothing(std::string_view text) {
  try {
    return parse_int(text);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kValue) throw;
    return std::nullopt;
  }
}

}  // namespace lvsa::reference
