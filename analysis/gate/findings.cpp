#include "analysis/gate/findings.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace lvsa::analysis {

std::string_view area_name(Area area) {
  constexpr std::array<std::string_view, 5> kNames = {"conformance", "patterns", "sweep", "speed",
                                                      "waivers"};
  return kNames[static_cast<std::size_t>(area)];
}

std::string_view weight_name(Weight weight) {
  constexpr std::array<std::string_view, 4> kNames = {"failure", "slower", "undecided", "note"};
  return kNames[static_cast<std::size_t>(weight)];
}

std::int64_t GateResult::count(Weight weight) const {
  return std::count_if(findings.begin(), findings.end(), [&](const GateFinding& finding) {
    return finding.weight == weight && finding.waived.empty();
  });
}

std::int64_t GateResult::waived() const {
  return std::count_if(findings.begin(), findings.end(),
                       [](const GateFinding& finding) { return !finding.waived.empty(); });
}

GateVerdict GateResult::verdict() const {
  if (count(Weight::kFailure) > 0) return GateVerdict::kFailed;
  if (count(Weight::kSpeedFailure) > 0) return GateVerdict::kSlower;
  if (count(Weight::kUndecided) > 0) return GateVerdict::kUndecided;
  return GateVerdict::kPass;
}

int exit_code(GateVerdict verdict, bool strict) {
  switch (verdict) {
    case GateVerdict::kPass:
      return 0;
    case GateVerdict::kFailed:
      return 1;
    case GateVerdict::kSlower:
      return 3;
    case GateVerdict::kUndecided:
      return strict ? 4 : 0;
  }
  return 1;
}

void sort_findings(std::vector<GateFinding>& findings) {
  const auto key = [](const GateFinding& f) {
    return std::tie(f.weight, f.area, f.subject, f.check, f.what, f.where);
  };
  std::stable_sort(findings.begin(), findings.end(),
                   [&](const GateFinding& a, const GateFinding& b) { return key(a) < key(b); });
}

}  // namespace lvsa::analysis
