#pragma once
// One case in report.html: its row of the table, and what the page sorts it by.

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "analysis/report/html_masks.hpp"
#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// Icon and name of a status, as a badge.
std::string status_badge(Status status);
/// The icon alone, hidden from screen readers: the name stands beside it.
std::string status_icon(Status status);
/// Order of the status column: what needs a look comes first, from 0.
int severity(Status status);

/// Place of a case in its suite; without one, in the list.
std::size_t case_number(const std::vector<CaseResult>& results, std::size_t index);
/// Its inputs' kind, "recorded" for tensors from a file.
std::string input_text(const Case& c);

/// <thead> of the table of cases.
std::string case_table_head();
/// A <tbody id="case-N"> of two rows, the second one for the details.
std::string case_table_body(const CaseResult& result, std::size_t number, const MaskEntry& mask,
                            const std::string& details);

/// What a column sorts by; nothing sorts last.
using SortValue = std::variant<std::monostate, double, std::string>;
/// One a column.
std::vector<SortValue> sort_values(const CaseResult& result, std::size_t number);

}  // namespace lvsa::analysis
