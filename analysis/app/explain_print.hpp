#pragma once
// What lvsa-verify explain prints of an explanation.

#include "analysis/verify/explain.hpp"

namespace lvsa::app {

/// What the denominator sums, in words.
const char* denominator_name(analysis::Denominator denominator);

/// Sections of text: the row, the arithmetic, output and log-sum-exp by tier A and, where a
/// schedule is declared, by tier B, and the keys that add most.
void print_text(const analysis::Explanation& explanation);

/// All of it as one JSON object in a line.
void print_json(const analysis::Explanation& explanation);

}  // namespace lvsa::app
