#pragma once
// Attention as it is written down without thought of rounding, in bf16: the yardstick of
// FlashAttention's own tests, which allow a kernel twice the error of this.

#include <vector>

#include "reference/attention/oracle.hpp"

namespace lvsa::analysis {

/// One row: k scaled, scores and normalised P each rounded to bf16, sums in fp32, the output in
/// bf16. [D].
std::vector<double> plain_bf16_row(const reference::AttentionProblem& problem,
                                   const reference::RowId& row);

}  // namespace lvsa::analysis
