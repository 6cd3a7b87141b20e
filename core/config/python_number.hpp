#pragma once
// Text to numbers by the rules of Python's int() and float(), which is what the published
// configuration code applies to environment variables.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lvsa {

/// Python's int(text) in base 10: blanks around, one sign, decimal digits of any script (UTF-8)
/// with single underscores between them. Returns nothing where Python raises ValueError. Throws
/// Error(kOverflow) for a number that Python takes but 64 bits cannot hold.
std::optional<std::int64_t> parse_python_int(std::string_view text);

/// The same, with INT64_MIN or INT64_MAX for a number that 64 bits cannot hold: for values that are
/// only compared, which Python does with integers of any size.
std::optional<std::int64_t> parse_python_int_saturated(std::string_view text);

/// Python's float(text): as above plus fraction, exponent, inf, infinity and nan in any case; too
/// large is infinity and too small is 0. Returns nothing where Python raises ValueError.
std::optional<double> parse_python_float(std::string_view text);

/// Python's str.strip(): without the Unicode blanks at both ends.
std::string python_strip(std::string_view text);

}  // namespace lvsa
