#pragma once
// A comparison as people read it.

#include <string>

#include "analysis/speed/bench_run.hpp"
#include "analysis/speed/speed_result.hpp"

namespace lvsa::analysis {

/// What was compared, a table with one row a case, reasons and remarks, the clocks, and one line
/// that says it all. ASCII, ends with a newline.
std::string speed_as_text(const SpeedComparison& comparison);

/// "SLOWER: 1 of 4 cases", without a newline.
std::string speed_summary(const SpeedComparison& comparison);

}  // namespace lvsa::analysis
