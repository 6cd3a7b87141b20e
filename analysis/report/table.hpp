#pragma once
// The table that `lvsa-verify kernel` prints, one row a case, as it comes.

#include <string>

#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// Names of the columns and a line below them; no newline at the end. ASCII, at most 140 wide.
std::string result_table_header();

/// One row without its newline, aligned with the header. A text too long for its column is cut
/// and ends with '~'; a number too long widens its row.
std::string result_row(const CaseResult& result);

}  // namespace lvsa::analysis
