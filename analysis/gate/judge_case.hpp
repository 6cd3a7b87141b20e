#pragma once
// The verdict of one stored case by given rules: without running anything.

#include <string>
#include <vector>

#include "analysis/gate/evidence.hpp"
#include "analysis/gate/rules.hpp"

namespace lvsa::analysis {

/// One thing that is wrong with a case.
struct GateProblem {
  std::string check;  ///< "output", "lse", "schedule", the name of a relation or probe, "weak",
                      ///< "suspect", "unsupported", "error", "crash", "timeout", "status"
  std::string what;   ///< one line
  std::string place;  ///< of the worst element; may be empty
};

/// All that is wrong; empty for a case that passes. A case that ended early has one problem, the
/// one that ended it.
std::vector<GateProblem> problems_of(const CaseRecord& record, const CaseRules& rules);

/// pass, weak, unsupported, fail, error, timeout or crash, as the rules have it.
Status status_by(const CaseRecord& record, const CaseRules& rules);

/// How bad a status is, from pass (0): weak, unsupported, fail, error, timeout, crash (6).
int badness(Status status);

}  // namespace lvsa::analysis
