#pragma once
// The chart at the top of report.html.

#include <string>
#include <vector>

#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// All cases of the run: one mark a case in their order, by worst error over bound.
std::string overview_figure(const std::vector<CaseResult>& results);

}  // namespace lvsa::analysis
