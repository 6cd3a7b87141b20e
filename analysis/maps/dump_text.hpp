#pragma once
// A dump in a few lines for people, and as JSON for programs.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "analysis/maps/dump.hpp"

namespace lvsa::analysis {

/// What was mapped, the classes with their heads, the heads that lose the most, and what was left
/// out or differs.
std::string dump_as_text(const Dump& dump);

nlohmann::ordered_json dump_as_json(const Dump& dump);

}  // namespace lvsa::analysis
