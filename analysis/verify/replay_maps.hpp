#pragma once
// The maps of a replay file.

#include <nlohmann/json_fwd.hpp>

#include "analysis/verify/replay_case.hpp"

namespace lvsa::analysis {

/// Nominal blocks, each different pattern once, and which one each head has.
nlohmann::ordered_json maps_to_json(const ReplayCase& replay);
/// Fills in the maps of a replay whose sizes are there. Throws Error(kIo) in one line that says
/// what is wrong, the row and column of a map named.
void maps_from_json(const nlohmann::ordered_json& json, ReplayCase& replay);

}  // namespace lvsa::analysis
