#pragma once
// JSON as Python's json module writes it: with NaN, Infinity and -Infinity as bare words.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace lvsa::analysis {

/// Parses one line; the bare words become texts of the same spelling. Throws Error(kJson) with the
/// position for anything else that is no JSON.
nlohmann::json parse_python_json(std::string_view text);

}  // namespace lvsa::analysis
