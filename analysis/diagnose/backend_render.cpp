// The two forms of a table of outcomes, as declared in backend_table.hpp.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "analysis/diagnose/backend_table.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;
using reference::OutcomeKind;
using reference::PluginCall;
using reference::StepOutcome;

void add_texts(Json& object, const std::vector<std::string>& warnings, const std::string& error) {
  object["warns"] = !warnings.empty();
  if (!warnings.empty()) object["warnings"] = warnings;
  if (!error.empty()) object["error"] = error;
}

void add_call(Json& object, const PluginCall& call) {
  object["signature"] = call.signature;
  object["query_shape"] = call.query_shape;
  object["is_causal"] = call.is_causal;
  if (call.signature == 1) {
    object["topk"] = call.topk;
    return;
  }
  object["softmax_scale"] = call.softmax_scale;
  Json params = Json::object();
  for (const auto& [name, value] : call.params) params[name] = Json::parse(value);
  object["params"] = std::move(params);
}

Json entry_json(const BackendEntry& entry) {
  Json construction;
  construction["outcome"] = std::string(reference::outcome_name(entry.construction.kind));
  construction["reason"] = entry.construction.reason;
  if (!entry.plugin.empty()) construction["plugin"] = entry.plugin;
  add_texts(construction, entry.construction.warnings, entry.construction.error);
  Json steps = Json::array();
  for (std::size_t step = 0; step < entry.steps.size(); ++step) {
    const StepOutcome& outcome = entry.steps[step];
    Json made;
    made["step"] = step;
    made["outcome"] = std::string(reference::outcome_name(outcome.kind));
    made["reason"] = outcome.reason;
    if (outcome.call) add_call(made, *outcome.call);
    add_texts(made, outcome.warnings, outcome.error);
    steps.push_back(std::move(made));
  }
  Json made;
  made["request"] = entry.request;
  made["policy"] = std::string(policy_name(entry.policy));
  made["call"] = entry.call;
  made["as_asked"] = entry.as_asked();
  made["construction"] = std::move(construction);
  made["steps"] = std::move(steps);
  return made;
}

// Params that differ between steps by themselves, or stand on their own in the line.
bool is_shown_apart(const std::string& name) {
  return name == "topk" || name == "denoise_step_idx" || name == "total_denoise_steps";
}

std::string params_text(const PluginCall& call) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : call.params) {
    if (!is_shown_apart(name)) parts.push_back(fmt::format("{}={}", name, value));
  }
  return fmt::format("{}", fmt::join(parts, " "));
}

bool one_line(const StepOutcome& a, const StepOutcome& b) {
  if (a.kind != b.kind || a.reason != b.reason || a.warnings != b.warnings || a.error != b.error) {
    return false;
  }
  return !a.call || params_text(*a.call) == params_text(*b.call);
}

std::string call_text(const PluginCall& first, const PluginCall& last) {
  std::string share = topk_text(first);
  if (const std::string other = topk_text(last); other != share) share += " .. " + other;
  if (!share.empty()) share = " topk=" + share;
  const std::string shape = fmt::format("[{}]", fmt::join(first.query_shape, ", "));
  if (first.signature == 1) {
    return fmt::format("version 1 on {}:{} is_causal={}", shape, share, first.is_causal);
  }
  return fmt::format("version 2 on {}:{} is_causal={} softmax_scale={:.6g} {}", shape, share,
                     first.is_causal, first.softmax_scale, params_text(first));
}

std::string steps_text(std::size_t first, std::size_t last) {
  return first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
}

void add_notes(std::string& text, const std::vector<std::string>& warnings,
               const std::string& error) {
  for (const std::string& warning : warnings) text += fmt::format("    warning: {}\n", warning);
  if (!error.empty()) text += fmt::format("    error: {}\n", error);
}

void add_entry(std::string& text, const BackendEntry& entry) {
  const std::string head = fmt::format("  {:<8} {:<7}", entry.call, policy_name(entry.policy));
  if (entry.steps.empty()) {
    text += fmt::format("{} {:<6} error   {} (at construction)\n", head, "-",
                        entry.construction.reason);
    add_notes(text, entry.construction.warnings, entry.construction.error);
  }
  for (std::size_t first = 0; first < entry.steps.size();) {
    std::size_t last = first;
    while (last + 1 < entry.steps.size() && one_line(entry.steps[first], entry.steps[last + 1])) {
      ++last;
    }
    const StepOutcome& outcome = entry.steps[first];
    const std::string what =
        outcome.kind != OutcomeKind::kPlugin
            ? outcome.reason
            : fmt::format("{}{}, {}", entry.plugin,
                          outcome.reason == "resolved" ? "" : " (" + outcome.reason + ")",
                          call_text(*outcome.call, *entry.steps[last].call));
    text += fmt::format("{} {:<6} {:<7} {}\n", head, steps_text(first, last),
                        reference::outcome_name(outcome.kind), what);
    if (first == 0) add_notes(text, entry.construction.warnings, "");
    add_notes(text, outcome.warnings, outcome.error);
    first = last + 1;
  }
  if (entry.beyond > 0) {
    text += fmt::format("    note: {} step range{} past the last step, kept as given\n",
                        entry.beyond, entry.beyond == 1 ? " reaches" : "s reach");
  }
}

}  // namespace

std::string topk_text(const PluginCall& call) {
  if (call.signature == 1) return fmt::format("{}", call.topk);
  const auto found = call.params.find("topk");
  return found == call.params.end() ? "" : found->second;
}

std::string backend_table_as_text(std::span<const BackendEntry> entries) {
  std::string text;
  std::string request;
  std::size_t as_asked = 0;
  for (const BackendEntry& entry : entries) {
    if (text.empty() || entry.request != request) {
      request = entry.request;
      text += fmt::format("{}{}\n  call     policy  steps  outcome\n", text.empty() ? "" : "\n",
                          request);
    }
    add_entry(text, entry);
    as_asked += entry.as_asked() ? 1 : 0;
  }
  return text + fmt::format("\nas asked for: {} of {}\n", as_asked, entries.size());
}

std::string backend_table_as_json(std::span<const BackendEntry> entries) {
  std::string text = "{\"schema\": \"lvsa-backend-outcomes/1\", \"outcomes\": [";
  for (std::size_t i = 0; i < entries.size(); ++i) {
    text += (i == 0 ? "\n" : ",\n") +
            entry_json(entries[i]).dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return text + "\n]}\n";
}

}  // namespace lvsa::analysis
