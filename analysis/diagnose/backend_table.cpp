#include "analysis/diagnose/backend_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using reference::OutcomeKind;
using reference::PluginPolicy;

constexpr std::int64_t kMostOutcomes = 1000000;

bool is_fallback(OutcomeKind kind, const std::string& reason) {
  if (kind == OutcomeKind::kError) return true;
  if (kind == OutcomeKind::kPlugin) return reason != "resolved";  // an input is lost
  return reason == "unresolved" || reason == "mask" || reason == "spans";
}

BackendEntry make_entry(const BackendRequest& request, const reference::AttentionCall& call,
                        PluginPolicy policy, const reference::DispatchQuirks& quirks) {
  BackendEntry entry;
  entry.request = request.name;
  entry.policy = policy;
  entry.call = call.name;
  entry.construction = reference::construct_attention(request.config, request.installed,
                                                      call.is_self_attention, policy, quirks);
  for (const reference::StepRange& range : request.config.step_ranges) {
    if (range.end > request.steps) ++entry.beyond;
  }
  if (entry.construction.kind == OutcomeKind::kError) return entry;
  if (entry.construction.kind == OutcomeKind::kPlugin) {
    const reference::InstalledPlugin& plugin = request.installed[entry.construction.plugin];
    entry.plugin = plugin.name.empty() ? plugin.path : plugin.name;
  }
  for (std::int64_t step = 0; step < request.steps; ++step) {
    entry.steps.push_back(reference::call_attention(entry.construction, request.config,
                                                    request.installed, call, step, request.steps,
                                                    policy, quirks));
  }
  return entry;
}

}  // namespace

bool BackendEntry::as_asked() const {
  if (is_fallback(construction.kind, construction.reason)) return false;
  return std::none_of(steps.begin(), steps.end(), [](const reference::StepOutcome& outcome) {
    return is_fallback(outcome.kind, outcome.reason);
  });
}

std::string_view policy_name(PluginPolicy policy) {
  return policy == PluginPolicy::kFirst ? "first" : "second";
}

std::vector<BackendEntry> make_backend_table(std::span<const BackendRequest> requests,
                                             std::span<const PluginPolicy> policies,
                                             const reference::DispatchQuirks& quirks) {
  std::int64_t outcomes = 0;
  for (const BackendRequest& request : requests) {
    outcomes += request.steps * static_cast<std::int64_t>(request.calls.size() * policies.size());
  }
  if (outcomes > kMostOutcomes) {
    throw Error(ErrorKind::kValue, fmt::format("{} outcomes of requests, calls, steps and "
                                               "policies: at most {} are due",
                                               outcomes, kMostOutcomes));
  }
  std::vector<BackendEntry> entries;
  for (const BackendRequest& request : requests) {
    for (const reference::AttentionCall& call : request.calls) {
      for (const PluginPolicy policy : policies) {
        entries.push_back(make_entry(request, call, policy, quirks));
      }
    }
  }
  return entries;
}

}  // namespace lvsa::analysis
