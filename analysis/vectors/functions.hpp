#pragma once
// The published functions by name: JSON arguments in, JSON result out, with the names of the
// recorded vectors. What `lvsa-verify eval` answers and `lvsa-verify vectors` replays.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/config/behaviour.hpp"

namespace lvsa::analysis {

/// Calls function `name` with the object `args` under a behaviour. What the published function
/// raises comes back as {"error": "<Python exception>"}. Throws Error(kValue) for an unknown
/// function or an argument that is missing or of the wrong type, naming it.
nlohmann::json call_function(const std::string& name, const nlohmann::json& args, Version version);

/// The names that call_function knows, sorted.
std::vector<std::string> function_names();

}  // namespace lvsa::analysis
