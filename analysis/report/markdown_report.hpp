#pragma once
// report.md: the run for a pull request or a mail: the outcome, what failed and how to repeat it,
// what means little, what was left out, where the results come from.

#include <string>

#include "analysis/report/provenance.hpp"
#include "analysis/report/run_totals.hpp"

namespace lvsa::analysis {

/// GitHub's Markdown. Lists at most kMostListed failed and as many weak cases and says how many it
/// leaves out. Foreign text stands in code spans or is escaped.
std::string markdown_report(const ResultSource& results, const Provenance& provenance);
inline constexpr int kMostListed = 200;

}  // namespace lvsa::analysis
