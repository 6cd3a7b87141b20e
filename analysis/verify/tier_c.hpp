#pragma once
// Tier C: roundings that are independent and lean no way grow with the square root of their number.
// An output far beyond that is a remark, never a verdict: ties, or weights of equal size, break the
// independence.

#include <span>
#include <string>

#include "analysis/verify/bounds.hpp"
#include "analysis/verify/judge.hpp"
#include "reference/attention/oracle.hpp"

namespace lvsa::analysis {

/// One line when elements of some of the rows (16 at most, spread evenly) are off by more than six
/// standard deviations of independent roundings; else empty. Rows most of whose weights are equal
/// to another are left out. `steps(i)`: rounding steps of row i (row_steps).
std::string tier_c_remark(const KernelOutputs& outputs, DType out_dtype,
                          const reference::AttentionProblem& problem,
                          std::span<const reference::RowId> rows,
                          std::span<const reference::RowResult> exact, const BoundModel& model);

}  // namespace lvsa::analysis
