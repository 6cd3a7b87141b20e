// The policies side by side, a line a call, as declared in backend_table.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "analysis/diagnose/backend_table.hpp"

namespace lvsa::analysis {
namespace {

using reference::OutcomeKind;
using reference::PluginPolicy;

// "topk 0.3", "topk 1 0.75 0.5", "topk 1 .. 0.3" for many; empty where none is handed over.
std::string shares(const BackendEntry& entry) {
  std::vector<std::string> values;
  for (const reference::StepOutcome& outcome : entry.steps) {
    if (!outcome.call) continue;
    const std::string share = topk_text(*outcome.call);
    if (values.empty() || values.back() != share) values.push_back(share);
  }
  if (values.empty() || (values.size() == 1 && values[0].empty())) return "";
  constexpr std::size_t kMost = 5;
  std::string text = " topk";
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool left_out = values.size() > kMost && i > 0 && i + 1 < values.size();
    if (left_out && i > 1) continue;
    text += " " + (left_out ? ".." : values[i].empty() ? "-" : values[i]);
  }
  return text;
}

// What the steps do, each different thing once: "dense (profile), SpargeAttn topk 0.5".
std::string brief(const BackendEntry& entry) {
  if (entry.steps.empty()) {
    return fmt::format("error at construction ({})", entry.construction.reason);
  }
  std::vector<std::string> parts;
  const auto add = [&](const std::string& part) {
    if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(part);
  };
  for (const reference::StepOutcome& outcome : entry.steps) {
    if (outcome.kind == OutcomeKind::kPlugin) {
      add(entry.plugin + (outcome.reason == "resolved" ? "" : " (" + outcome.reason + ")") +
          shares(entry));
    } else {
      add(fmt::format("{} ({})", outcome_name(outcome.kind), outcome.reason));
    }
  }
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  const bool warns = !entry.construction.warnings.empty() ||
                     std::any_of(entry.steps.begin(), entry.steps.end(),
                                 [](const auto& outcome) { return !outcome.warnings.empty(); });
  return text + (warns ? ", warns" : "");
}

struct Row {
  std::string request;
  std::string call;
  std::map<PluginPolicy, std::string> cells;
};

}  // namespace

std::string backend_table_in_brief(std::span<const BackendEntry> entries) {
  std::vector<Row> rows;
  std::map<PluginPolicy, std::size_t> widths;
  std::size_t request_width = 7;
  std::size_t call_width = 4;
  for (const BackendEntry& entry : entries) {
    if (rows.empty() || rows.back().request != entry.request || rows.back().call != entry.call) {
      rows.push_back({entry.request, entry.call, {}});
      request_width = std::max(request_width, entry.request.size());
      call_width = std::max(call_width, entry.call.size());
    }
    const std::string cell = brief(entry);
    rows.back().cells[entry.policy] = cell;
    widths[entry.policy] = std::max({widths[entry.policy], cell.size(), std::size_t{6}});
  }
  const auto line = [&](const Row& row) {
    std::string text =
        fmt::format("{:<{}}  {:<{}}", row.request, request_width, row.call, call_width);
    for (const auto& [policy, cell] : row.cells) {
      text += fmt::format("  {:<{}}", cell, widths[policy]);
    }
    return text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
  };
  Row head{"request", "call", {}};
  for (const auto& [policy, width] : widths) head.cells[policy] = policy_name(policy);
  std::string text = line(head);
  for (const Row& row : rows) text += line(row);
  return text;
}

}  // namespace lvsa::analysis
