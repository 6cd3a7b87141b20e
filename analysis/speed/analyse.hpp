#pragma once
// From block ratios to verdicts.

#include <span>

#include "analysis/speed/speed_result.hpp"

namespace lvsa::analysis {

/// Fills in what SpeedCase says "of analyse_speed()", from the ratios, clocks and rules, and
/// nothing else: the same numbers give the same verdicts. A case keeps its `noise` when it has no
/// noise_ratios. Throws Error(kValue) for a case without ratios, or with one that is not a positive
/// number.
void analyse_speed(SpeedComparison& comparison);

/// Blocks that a verdict needs at the least, when `cases` are compared under these rules.
std::int64_t least_blocks(const SpeedRules& rules, std::size_t cases);

/// Blocks to measure of a case, from some blocks of A against itself: as many as bring the noise
/// below a quarter of least_delta, if it is as it was in these. The ratios of B to A have no say,
/// so verdicts stay what they would be with a fixed number. An odd multiple of `processes`, 3 to 41
/// for each.
std::int64_t blocks_for(std::span<const double> noise_ratios, const SpeedRules& rules,
                        std::int64_t processes);
inline constexpr std::int64_t kLeastBlocksOfProcess = 3;
inline constexpr std::int64_t kMostBlocksOfProcess = 41;

}  // namespace lvsa::analysis
