#pragma once
// Requests and their outcomes under the policies of the plugin RFC: made, printed, and held against
// a recorded table.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/diagnose/backend_requests.hpp"
#include "reference/plugin/plugin_dispatch.hpp"

namespace lvsa::analysis {

/// What becomes of one kind of call of a request under one policy.
struct BackendEntry {
  std::string request;
  reference::PluginPolicy policy = reference::PluginPolicy::kFirst;
  std::string call;
  reference::Construction construction;
  std::string plugin;                         ///< its name or path, where there is one
  std::vector<reference::StepOutcome> steps;  ///< none where the construction is an error
  std::int64_t beyond = 0;  ///< ranges of steps that reach past the run's, kept as they are

  /// False where a call is an error, falls back to dense, or loses an input, though the
  /// configuration asks for a plugin.
  bool as_asked() const;
};

/// Request by request, call by call, policy by policy. Throws Error(kValue) for more than a million
/// outcomes.
std::vector<BackendEntry> make_backend_table(std::span<const BackendRequest> requests,
                                             std::span<const reference::PluginPolicy> policies,
                                             const reference::DispatchQuirks& quirks);

/// The share that a call hands over, wherever it stands; empty where it hands over none.
std::string topk_text(const reference::PluginCall& call);

std::string_view policy_name(reference::PluginPolicy policy);  ///< "first", "second"

std::string backend_table_as_text(std::span<const BackendEntry> entries);
/// A line a call, the policies side by side.
std::string backend_table_in_brief(std::span<const BackendEntry> entries);
/// {"schema": "lvsa-backend-outcomes/1", "outcomes": [...]}, an entry a line.
std::string backend_table_as_json(std::span<const BackendEntry> entries);

/// Holds a recorded table, in the form of backend_table_as_json(), against `entries`: one line a
/// difference. Compared is what the recorded table says; texts of warnings and errors are not, and
/// numbers within 1e-9. Outcomes of policies that `entries` lacks are left out. Throws Error(kJson)
/// for what is no table.
std::vector<std::string> backend_differences(std::span<const BackendEntry> entries,
                                             std::string_view recorded, const std::string& file);

}  // namespace lvsa::analysis
