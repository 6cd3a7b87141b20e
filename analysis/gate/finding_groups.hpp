#pragma once
// Findings that belong together, for output that people read to its end.

#include <functional>
#include <string>
#include <vector>

#include "analysis/gate/findings.hpp"

namespace lvsa::analysis {

/// What was found on one setting of a sweep, worst first.
struct FindingGroup {
  std::string name;  ///< GateFinding::group
  std::vector<const GateFinding*> findings;
};

/// The findings that are `wanted` and have a group: the group of the worst finding first, of
/// equally bad ones that with more findings. Points into `findings`.
std::vector<FindingGroup> group_findings(const std::vector<GateFinding>& findings,
                                         const std::function<bool(const GateFinding&)>& wanted);

/// What tells a finding from the others of its group: "class=all: rel_l2: 0.3, 0.1 in ...".
std::string finding_in_group(const GateFinding& finding);

}  // namespace lvsa::analysis
