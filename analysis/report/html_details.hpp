#pragma once
// What report.html shows of a case once it is opened.

#include <cstddef>
#include <string>

#include "analysis/report/html_masks.hpp"
#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// Messages, what repeats the case, mask and errors, worst elements with their bounds, checks,
/// facts; `number` is that of its row in the table.
std::string case_details(const CaseResult& result, std::size_t number, const MaskEntry& mask);

}  // namespace lvsa::analysis
