// Targets that read requests to a sparse attention dispatcher, and tables of outcomes.
#include <array>

#include "analysis/diagnose/backend_table.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace lvsa::fuzz {
namespace {

using reference::OutcomeKind;
using reference::PluginPolicy;

constexpr std::array kBoth = {PluginPolicy::kFirst, PluginPolicy::kSecond};

void require_sound(const analysis::BackendEntry& entry) {
  const bool first = entry.policy == PluginPolicy::kFirst;
  require(!first || entry.construction.kind != OutcomeKind::kError, "the first never fails");
  require(entry.steps.empty() == (entry.construction.kind == OutcomeKind::kError), "steps");
  for (const reference::StepOutcome& outcome : entry.steps) {
    require(!first || outcome.kind != OutcomeKind::kError, "the first never fails at a call");
    require(outcome.call.has_value() == (outcome.kind == OutcomeKind::kPlugin), "what is called");
    require(outcome.error.empty() == (outcome.kind != OutcomeKind::kError), "an error has a text");
    if (!outcome.call) continue;
    require(outcome.call->signature == (first ? 1 : 2), "the signature of the policy");
    if (first) require(outcome.call->topk > 0.0 && outcome.call->topk <= 1.0, "a share");
  }
}

}  // namespace

void fuzz_backend_requests(std::string_view bytes) {
  const auto requests = analysis::parse_backend_requests(bytes, "requests");
  std::int64_t outcomes = 0;
  for (const analysis::BackendRequest& request : requests) {
    outcomes += request.steps * static_cast<std::int64_t>(request.calls.size());
  }
  if (outcomes > 1000) return;
  for (const bool quirk : {false, true}) {
    const auto table = analysis::make_backend_table(requests, kBoth, {quirk, quirk, quirk});
    for (const analysis::BackendEntry& entry : table) require_sound(entry);
    require(!analysis::backend_table_as_text(table).empty(), "a text");
    const std::string json = analysis::backend_table_as_json(table);
    require(analysis::backend_differences(table, json, "t").empty(), "a table agrees with itself");
  }
}

void fuzz_backend_outcomes(std::string_view bytes) {
  analysis::BackendRequest request;
  request.name = "r";
  request.calls = analysis::default_attention_calls();
  request.steps = 2;
  request.installed.resize(1);
  request.installed[0].name = "p";
  const auto table =
      analysis::make_backend_table(std::vector<analysis::BackendRequest>{request}, kBoth, {});
  for (const std::string& line : analysis::backend_differences(table, bytes, "recorded")) {
    require(!line.empty() && line.find('\n') == std::string::npos, "a difference has one line");
  }
}

}  // namespace lvsa::fuzz
