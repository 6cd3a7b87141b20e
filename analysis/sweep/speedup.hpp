#pragma once
// How much faster than dense attention a pattern is expected to run.

#include <cstdint>
#include <string>

#include "core/geometry/frame_grid.hpp"

namespace lvsa::analysis {

/// gain / density below density 1, and 1 at it, where dense attention itself would run. The gain is
/// measured_gain() of analysis/diagnose/pattern_cost.hpp; for head sizes that were not measured it
/// is 1, which makes the speedup the one that token pairs alone allow.
double expected_speedup(double token_density, std::int64_t head_dim, const FrameGrid& grid);

/// One line for people: which measurement the figure rests on.
std::string speedup_source(std::int64_t head_dim, const FrameGrid& grid);

}  // namespace lvsa::analysis
