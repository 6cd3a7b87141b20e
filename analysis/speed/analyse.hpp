#pragma once
// From block ratios to verdicts.

#include "analysis/speed/speed_result.hpp"

namespace lvsa::analysis {

/// Fills in what SpeedCase says "of analyse_speed()", from the ratios, clocks and rules, and
/// nothing else: the same numbers give the same verdicts. A case keeps its `noise` when it has no
/// noise_ratios. Throws Error(kValue) for a case without ratios, or with one that is not a positive
/// number.
void analyse_speed(SpeedComparison& comparison);

/// Blocks that a verdict needs at the least, when `cases` are compared under these rules.
std::int64_t least_blocks(const SpeedRules& rules, std::size_t cases);

}  // namespace lvsa::analysis
