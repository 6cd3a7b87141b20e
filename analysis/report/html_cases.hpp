#pragma once
// The table of cases in report.html, with its filters and the data that the script works on.

#include <cstddef>
#include <string>
#include <vector>

#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// Runs of more cases are packed: their rows and details stand in the page as compressed data,
/// which the script unpacks when they are looked at.
inline constexpr std::size_t kMostPlainCases = 120;

/// All statuses in the order in which the page lists them.
const std::vector<Status>& listed_statuses();

/// The section "Cases".
std::string cases_html(const std::vector<CaseResult>& results);

}  // namespace lvsa::analysis
