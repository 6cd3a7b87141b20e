#pragma once
// One case in report.html: its row of the table and the details below it.

#include <cstddef>
#include <string>

#include "analysis/report/html_masks.hpp"
#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// Icon and name of a status, as a badge.
std::string status_badge(Status status);
/// The icon alone, hidden from screen readers: the name stands beside it.
std::string status_icon(Status status);

/// <thead> of the table of cases.
std::string case_table_head();
/// A <tbody id="case-N"> of two rows; `number` counts from 1.
std::string case_table_body(const CaseResult& result, std::size_t number, const MaskEntry& mask);

}  // namespace lvsa::analysis
