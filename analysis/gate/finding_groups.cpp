#include "analysis/gate/finding_groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace lvsa::analysis {

std::vector<FindingGroup> group_findings(const std::vector<GateFinding>& findings,
                                         const std::function<bool(const GateFinding&)>& wanted) {
  std::map<std::string, FindingGroup> by_name;
  for (const GateFinding& finding : findings) {
    if (finding.group.empty() || !wanted(finding)) continue;
    FindingGroup& group = by_name[finding.group];
    group.name = finding.group;
    group.findings.push_back(&finding);
  }
  std::vector<FindingGroup> groups;
  for (auto& [name, group] : by_name) {
    std::stable_sort(group.findings.begin(), group.findings.end(),
                     [](const auto* a, const auto* b) { return a->excess > b->excess; });
    groups.push_back(std::move(group));
  }
  const auto badness = [](const FindingGroup& group) {
    return std::pair(group.findings.front()->excess, group.findings.size());
  };
  std::stable_sort(groups.begin(), groups.end(),
                   [&](const auto& a, const auto& b) { return badness(a) > badness(b); });
  return groups;
}

std::string finding_in_group(const GateFinding& finding) {
  std::string_view rest = finding.subject;
  if (rest.rfind(finding.group, 0) == 0) rest.remove_prefix(finding.group.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return fmt::format("{}{}{}: {}", rest, rest.empty() ? "" : ": ", finding.check, finding.what);
}

}  // namespace lvsa::analysis
