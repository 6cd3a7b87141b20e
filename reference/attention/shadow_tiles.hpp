#pragma once
// How a row's keys are cut into tiles, and the order in which a schedule works them off.

#include <cstdint>
#include <vector>

#include "core/geometry/frame_grid.hpp"
#include "reference/attention/shadow.hpp"

namespace lvsa::reference {

/// Puts tiles that ascend into the schedule's order of work and gives them to its splits.
void put_in_order(std::vector<ShadowTile>& tiles, const Schedule& schedule);

/// The tiles of a row that attends `frames` frames of the grid and its text, in order of work.
std::vector<ShadowTile> shadow_tiles(const FrameGrid& grid, std::int64_t frames,
                                     const Schedule& schedule);

}  // namespace lvsa::reference
