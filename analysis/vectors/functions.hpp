#pragma once
// The published functions by name: JSON arguments in, JSON result out, with the names of the
// recorded vectors. What `lvsa-verify eval` answers and `lvsa-verify vectors` replays.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/config/behaviour.hpp"

namespace lvsa::analysis {

/// Calls function `name` with the object `args` under a behaviour. Throws the Error whose kind is
/// what the published function raises, and BadCall (arguments.hpp) for an unknown function or an
/// argument that is missing or of the wrong type. NaN and infinities come back as the texts "NaN",
/// "Infinity", "-Infinity".
nlohmann::json call_function(const std::string& name, const nlohmann::json& args, Version version);

/// The names that call_function knows, sorted.
std::vector<std::string> function_names();

}  // namespace lvsa::analysis
