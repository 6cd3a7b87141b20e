#pragma once
// A stored run by other rules.

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/gate/evidence.hpp"
#include "analysis/gate/rules.hpp"

namespace lvsa::analysis {

struct VerdictChange {
  std::string line;
  Status then = Status::kPass;
  Status now = Status::kPass;
  std::string check;  ///< the first one that decides; empty where nothing fails any more
  std::string why;    ///< one line
};

struct Rejudged {
  std::int64_t cases = 0;
  std::int64_t passed = 0;  ///< weak ones included
  std::int64_t failed = 0;
  std::int64_t unsupported = 0;
  std::vector<VerdictChange> changes;  ///< in the order of the suite
  std::vector<std::string> unmet;      ///< must-pass rules that do not hold, and why

  bool good() const { return failed == 0 && unmet.empty() && passed > 0; }
};

Rejudged rejudge(const ConformanceEvidence& evidence, const ConformanceRules& rules);

}  // namespace lvsa::analysis
