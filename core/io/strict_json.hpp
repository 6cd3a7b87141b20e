#pragma once
// JSON of files that anybody may have written: what a lenient reader lets pass is an error here.

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace lvsa {

/// How much a text may hold.
struct JsonLimits {
  std::size_t depth = 64;           ///< objects and arrays within each other
  std::size_t values = 10'000'000;  ///< all values, containers included
};

/// Parses the whole text as one JSON value. Throws Error(kJson) of one line that begins with
/// `where` for text that is no JSON or no UTF-8, a key that stands twice in an object, and what
/// exceeds the limits.
nlohmann::json parse_strict_json(std::string_view text, const std::string& where,
                                 const JsonLimits& limits = {});

/// The same with the keys of an object in the order of the text. Keys are looked up one by one, so
/// a small limit on the values is due.
nlohmann::ordered_json parse_strict_ordered_json(std::string_view text, const std::string& where,
                                                 const JsonLimits& limits);

}  // namespace lvsa
