#pragma once
// Rows of two results compared, and what comes of it as named checks.

#include <cstdint>
#include <string>

#include "analysis/diagnose/parallel_check.hpp"

namespace lvsa::analysis {

NamedCheck named_check(const char* name, bool holds, const std::string& message);

struct RowDifference {
  double most = 0.0;  ///< over rows without NaN
  std::int64_t nan_rows = 0;
  std::int64_t token = -1;  ///< of the worst row, or of the first with NaN
  std::int64_t head = -1;
};

/// Wanted rows of tokens begin .. end - 1. A row of `made` with NaN counts as such; -inf equals
/// -inf.
RowDifference compare_rows(const ParallelData& data, const reference::HeadTensor& made,
                           const reference::HeadTensor& due, std::int64_t begin, std::int64_t end);

/// One line for a check that fails.
std::string apart_text(const RowDifference& d, double tolerance);

/// Fills the differences of the verdict from data.out and data.lse, and adds the checks finite,
/// video, text, lse.
void judge_rows(const ParallelData& data, const reference::HeadTensor& out,
                const reference::HeadTensor& lse, ParallelVerdict& verdict);

}  // namespace lvsa::analysis
