#include "analysis/gate/compare.hpp"

#include <fmt/format.h>

#include <set>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

// "folder/base.jsonl (0.1.0, commit abc, 2026-11-21T10:00:00Z)".
std::string told(const Evidence& evidence) {
  const Provenance* provenance = nullptr;
  if (evidence.conformance) {
    provenance = &evidence.conformance->provenance;
  } else if (evidence.sweep) {
    provenance = &evidence.sweep->provenance;
  } else if (evidence.speed) {
    provenance = &evidence.speed->provenance;
  } else if (evidence.patterns) {
    provenance = &evidence.patterns->provenance;
  }
  if (provenance == nullptr) return evidence.name;
  std::string inner;
  for (const char* name : {"version", "commit", "time"}) {
    const std::string value = provenance_value(*provenance, name);
    if (!value.empty()) inner += fmt::format("{}{}", inner.empty() ? "" : ", ", value);
  }
  return inner.empty() ? evidence.name : fmt::format("{} ({})", evidence.name, inner);
}

void add_part_finding(GateResult& result, Area area, bool missing, const std::string& source) {
  GateFinding finding;
  finding.area = area;
  finding.check = missing ? "missing" : "new";
  finding.weight = !missing               ? Weight::kNote
                   : area == Area::kSpeed ? Weight::kSpeedFailure
                                          : Weight::kFailure;
  finding.what = missing ? fmt::format("the baseline has {} results ({}), the candidate has none",
                                       area_name(area), source)
                         : fmt::format(
                               "{} results that the baseline does not have ({}): nothing "
                               "to compare them with",
                               area_name(area), source);
  result.findings.push_back(std::move(finding));
}

// Whether both sides have the part; else says so.
template <typename Part>
bool both_have(GateResult& result, Area area, const std::optional<Part>& baseline,
               const std::optional<Part>& candidate) {
  if (baseline && candidate) return true;
  if (baseline) add_part_finding(result, area, true, baseline->source);
  if (candidate) add_part_finding(result, area, false, candidate->source);
  return false;
}

void remark_differences(const Evidence& baseline, const Evidence& candidate, GateResult& result) {
  if (!baseline.conformance || !candidate.conformance) return;
  const RunPlan& then = baseline.conformance->plan;
  const RunPlan& now = candidate.conformance->plan;
  if (then.kernel != now.kernel) {
    result.remarks.push_back(
        fmt::format("kernel '{}' in the baseline, '{}' now", then.kernel, now.kernel));
  }
  for (const char* name : {"version", "commit", "cpu", "gpu"}) {
    const std::string was = provenance_value(baseline.conformance->provenance, name);
    const std::string is = provenance_value(candidate.conformance->provenance, name);
    if (was != is) {
      result.remarks.push_back(fmt::format("{}: {} in the baseline, {} now", name, was, is));
    }
  }
}

}  // namespace

GateResult compare(const Evidence& baseline, const Evidence& candidate, const GateRules& rules,
                   const Tolerated& tolerated) {
  require_comparable(baseline, candidate, tolerated);
  GateResult result;
  result.baseline = told(baseline);
  result.candidate = told(candidate);
  remark_differences(baseline, candidate, result);
  if (both_have(result, Area::kConformance, baseline.conformance, candidate.conformance)) {
    compare_conformance(*baseline.conformance, *candidate.conformance, rules.conformance, result);
  } else if (candidate.conformance) {
    const ConformanceEvidence nothing;
    compare_conformance(nothing, *candidate.conformance, rules.conformance, result);
  }
  if (both_have(result, Area::kPatterns, baseline.patterns, candidate.patterns)) {
    compare_patterns(*baseline.patterns, *candidate.patterns, result);
  } else if (candidate.patterns) {
    compare_patterns({}, *candidate.patterns, result);
  }
  if (both_have(result, Area::kSweep, baseline.sweep, candidate.sweep)) {
    compare_sweep(*baseline.sweep, *candidate.sweep, rules.sweep, tolerated, result);
  }
  // Ratios of pairs need no baseline; one that has them says which cases are due.
  if (candidate.speed) {
    compare_speed(baseline.speed ? &*baseline.speed : nullptr, *candidate.speed, rules.speed,
                  result);
  } else if (baseline.speed) {
    add_part_finding(result, Area::kSpeed, true, baseline.speed->source);
  }
  sort_findings(result.findings);
  return result;
}

}  // namespace lvsa::analysis
