#pragma once
// Bookkeeping of one compared output: which elements lie outside their interval, and the worst.

#include "analysis/verify/bounds.hpp"
#include "analysis/verify/result.hpp"
#include "reference/attention/oracle.hpp"

namespace lvsa::analysis {

/// An element with its place filled in.
ElementReport locate(const Case& c, const reference::RowId& row, std::int64_t column);

/// Fills in what was due, what came, and the share of its tolerance that an error takes up, the
/// rounding to the output's own type set aside. `element.tolerance` is filled in before.
void compare(ElementReport& element, double expected, double got, DType dtype);

/// Counts one element; the worst one kept is a failing one as soon as there is any.
void record(OutputCheck& check, const ElementReport& element, DType dtype);

/// "output: 3 of 4096 checked elements outside their bounds; worst at ...".
std::string failure_text(const std::string& what, const OutputCheck& check);

}  // namespace lvsa::analysis
