#include "core/config/python_number.hpp"

#include <fmt/format.h>
#include <locale.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/error.hpp"

namespace lvsa {
namespace {

// Code points of the digit zero of every decimal script (Unicode 14, category Nd); the other nine
// digits follow each of them.
constexpr std::array<char32_t, 66> kZeros = {
    0x30,    0x660,   0x6f0,   0x7c0,   0x966,   0x9e6,   0xa66,   0xae6,   0xb66,   0xbe6,
    0xc66,   0xce6,   0xd66,   0xde6,   0xe50,   0xed0,   0xf20,   0x1040,  0x1090,  0x17e0,
    0x1810,  0x1946,  0x19d0,  0x1a80,  0x1a90,  0x1b50,  0x1bb0,  0x1c40,  0x1c50,  0xa620,
    0xa8d0,  0xa900,  0xa9d0,  0xa9f0,  0xaa50,  0xabf0,  0xff10,  0x104a0, 0x10d30, 0x11066,
    0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0,
    0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2,
    0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0};

constexpr std::array<char32_t, 19> kWideBlanks = {
    0x85,   0xa0,   0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006,
    0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000};

constexpr char32_t kInvalid = 0xffffffff;

// Reads one UTF-8 code point at `at` and moves on; kInvalid for a malformed sequence.
char32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : -1;
  if (more < 0) return kInvalid;
  char32_t code = lead & (0x3fU >> more);
  for (int i = 0; i < more; ++i) {
    if (at >= text.size()) return kInvalid;
    const auto next = static_cast<unsigned char>(text[at++]);
    if ((next & 0xc0) != 0x80) return kInvalid;
    code = (code << 6) | (next & 0x3fU);
  }
  return code;
}

bool is_wide_blank(char32_t code) {
  return std::find(kWideBlanks.begin(), kWideBlanks.end(), code) != kWideBlanks.end();
}

bool is_ascii_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// CPython's first step for both conversions: digits and blanks outside ASCII become ASCII ones;
// anything else outside ASCII ends up as a character that no number has.
std::string to_ascii(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t code = next_code_point(text, at);
    if (code < 127) {
      out += static_cast<char>(code);
    } else if (code != kInvalid && is_wide_blank(code)) {
      out += ' ';
    } else {
      const auto zero = std::upper_bound(kZeros.begin(), kZeros.end(), code);
      const bool digit = code != kInvalid && zero != kZeros.begin() && code - *(zero - 1) < 10;
      out += digit ? static_cast<char>('0' + (code - *(zero - 1))) : '?';
    }
  }
  while (!out.empty() && is_ascii_blank(out.back())) out.pop_back();
  out.erase(0, static_cast<std::size_t>(std::find_if_not(out.begin(), out.end(), is_ascii_blank) -
                                        out.begin()));
  return out;
}

// Takes out underscores; false when one does not stand between two digits.
bool drop_underscores(std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') continue;
    if (i == 0 || i + 1 == text.size() || !is_digit(text[i - 1]) || !is_digit(text[i + 1])) {
      return false;
    }
  }
  std::erase(text, '_');
  return true;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? static_cast<char>(x + 32) : x) == y;
         });
}

// digits [. digits] [e [sign] digits], at least one digit before the exponent.
bool is_decimal_real(std::string_view text) {
  std::size_t i = 0;
  const auto skip_digits = [&] {
    const std::size_t first = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - first;
  };
  std::size_t digits = skip_digits();
  if (i < text.size() && text[i] == '.') {
    ++i;
    digits += skip_digits();
  }
  if (digits == 0) return false;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (skip_digits() == 0) return false;
  }
  return i == text.size();
}

// strtod whatever the process's locale says the decimal point is.
double to_double(const std::string& text) {
  static const locale_t classic = newlocale(LC_ALL_MASK, "C", nullptr);
  return strtod_l(text.c_str(), nullptr, classic);
}

// "-12" of what int() takes, without plus sign, blanks and underscores; nothing else.
std::optional<std::string> signed_digits(std::string_view text) {
  std::string ascii = to_ascii(text);
  if (!drop_underscores(ascii)) return std::nullopt;
  const bool negative = !ascii.empty() && ascii[0] == '-';
  if (!ascii.empty() && (ascii[0] == '-' || ascii[0] == '+')) ascii.erase(0, 1);
  if (ascii.empty() || !std::all_of(ascii.begin(), ascii.end(), is_digit)) return std::nullopt;
  return negative ? "-" + ascii : ascii;
}

// The value, or nothing when 64 bits cannot hold it.
std::optional<std::int64_t> to_int64(const std::string& digits) {
  std::int64_t value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return result.ec == std::errc() ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<std::int64_t> parse_python_int(std::string_view text) {
  const auto digits = signed_digits(text);
  if (!digits) return std::nullopt;
  if (const auto value = to_int64(*digits)) return value;
  throw Error(ErrorKind::kOverflow, fmt::format("integer '{}' does not fit in 64 bits", *digits));
}

std::optional<std::int64_t> parse_python_int_saturated(std::string_view text) {
  const auto digits = signed_digits(text);
  if (!digits) return std::nullopt;
  return to_int64(*digits).value_or(digits->front() == '-' ? INT64_MIN : INT64_MAX);
}

std::optional<double> parse_python_float(std::string_view text) {
  std::string ascii = to_ascii(text);
  if (!drop_underscores(ascii)) return std::nullopt;
  std::string_view body = ascii;
  if (!body.empty() && (body[0] == '-' || body[0] == '+')) body.remove_prefix(1);
  const bool named = equals_ignoring_case(body, "inf") || equals_ignoring_case(body, "infinity") ||
                     equals_ignoring_case(body, "nan");
  if (!named && !is_decimal_real(body)) return std::nullopt;
  return to_double(ascii);
}

std::string python_strip(std::string_view text) {
  const auto blank = [](char32_t code) {
    return code == ' ' || (code >= 0x9 && code <= 0xd) || (code >= 0x1c && code <= 0x1f) ||
           is_wide_blank(code);
  };
  std::size_t first = text.size();
  std::size_t last = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    if (blank(next_code_point(text, at))) continue;
    first = std::min(first, start);
    last = at;
  }
  return first < last ? std::string(text.substr(first, last - first)) : std::string();
}

}  // namespace lvsa
