#pragma once
// The tables of a sweep as CSV (RFC 4180, a header line, '.' in numbers, "inf" and "nan").

#include <string>

#include "analysis/sweep/front.hpp"
#include "analysis/sweep/sweep_results.hpp"

namespace lvsa::analysis {

/// A row for each setting and sample. Whole or not at all. Throws Error(kIo).
void write_sweep_csv(const SweepResults& results, const std::string& path);

/// A row for each setting: its figures, the pooled metrics, and whether it is on the front, its
/// knee, meets the requirements ("" where there are none), and is the best that does.
void write_summary_csv(const SweepResults& results, const Front& front, const std::string& path);

}  // namespace lvsa::analysis
