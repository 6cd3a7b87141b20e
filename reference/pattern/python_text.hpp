#pragma once
// Python's int() and float() of a text, and the reading of an environment. Source: LVSA 1.2
// behaviour, configuration; the Python language reference for the two functions.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lvsa::reference {

/// Names and values of the environment variables that are set.
using Environment = std::map<std::string, std::string>;

/// Value of `name`, or nothing when it is not set (set to an empty text is set).
std::optional<std::string> get(const Environment& environment, const std::string& name);

/// str.strip() of an ASCII text.
std::string_view strip(std::string_view text);

/// The parts between commas, one more than there are commas.
std::vector<std::string> split_at_commas(std::string_view text);

/// int(text): blanks at the ends, a sign, decimal digits with single underscores between them.
/// ASCII only, where Python also reads digits of other scripts.
/// @throws lvsa::Error ValueError for any other text, OverflowError outside 64 bits
std::int64_t parse_int(std::string_view text);

/// float(text): blanks at the ends, a sign, then inf, infinity, nan (any case) or decimal digits
/// with a point and an exponent, single underscores between digits. ASCII only.
/// @throws lvsa::Error ValueError for any other text
double parse_float(std::string_view text);

/// int(text), or nothing where Python raises ValueError.
std::optional<std::int64_t> parse_int_or_nothing(std::string_view text);

}  // namespace lvsa::reference
