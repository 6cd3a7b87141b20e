// Targets of the gate: what people write by hand, and baselines.
#include "analysis/gate/baseline_file.hpp"
#include "analysis/gate/compare.hpp"
#include "analysis/gate/gate_report.hpp"
#include "analysis/gate/rules.hpp"
#include "analysis/gate/waivers.hpp"
#include "analysis/report/line_hash.hpp"
#include "analysis/verify/byte_hash.hpp"
#include "core/error.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace lvsa::fuzz {
namespace {

// A fuzzer never finds the hash of what it made up, and would see nothing behind it.
std::string sealed(std::string_view bytes) {
  std::string text;
  analysis::LineHash hash;
  std::int64_t lines = 0;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    if (line.rfind("{\"type\":\"end\"", 0) == 0) continue;
    hash.add(line);
    ++lines;
    text.append(line) += '\n';
  }
  return text + "{\"type\":\"end\",\"lines\":" + std::to_string(lines) + ",\"hash\":\"" +
         analysis::hash_text(hash.value()) + "\"}\n";
}

}  // namespace

void fuzz_gate_rules(std::string_view bytes) {
  const analysis::GateRules rules = analysis::parse_rules(bytes, "fuzz");
  const analysis::CaseRules some = rules.conformance.for_case("T=3 dtype=bf16");
  require(some.worst_ratio <= 1.0, "no rule lets an error leave its bound");
  require(some.ratio_factor >= 1.0, "no rule asks for less error than the baseline has");
}

void fuzz_gate_waivers(std::string_view bytes) {
  const std::vector<analysis::Waiver> waivers = analysis::parse_waivers(bytes, "fuzz");
  analysis::GateResult nothing;
  analysis::apply_waivers(nothing, waivers, {"a device"}, "2026-01-01");
  for (const analysis::Waiver& waiver : waivers) {
    require(analysis::is_date(waiver.expires), "a waiver has a last day");
    require(!waiver.owner.empty() && !waiver.reason.empty(), "a waiver has an owner and a reason");
  }
}

void fuzz_baseline(std::string_view bytes) {
  const ScratchFile file(sealed(bytes));
  const analysis::Evidence evidence = analysis::read_baseline(file.path());
  const std::string text = analysis::baseline_text(evidence, {});
  const ScratchFile again(text);
  require(analysis::baseline_text(analysis::read_baseline(again.path()), {}) == text,
          "a baseline reads back as itself");
  analysis::GateResult result;
  try {
    result = analysis::compare(evidence, evidence, analysis::default_rules());
  } catch (const Error&) {  // a shard
    return;
  }
  require(result.count(analysis::Weight::kFailure) == 0, "a run held against itself passes");
  analysis::gate_text(result, true);
  analysis::gate_markdown(result, true);
  analysis::gate_junit(result, true);
}

}  // namespace lvsa::fuzz
