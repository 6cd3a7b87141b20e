#pragma once
// How a row's keys are cut into tiles, and the order in which a schedule works them off.

#include <cstdint>
#include <vector>

#include "core/geometry/frame_grid.hpp"
#include "reference/attention/shadow.hpp"

namespace lvsa::reference {

/// Keys first .. last - 1 of a row, counted along its frames and the text behind.
struct ShadowTile {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t split = 0;
};

/// The tiles of a row that attends `frames` frames of the grid and its text, in order of work.
std::vector<ShadowTile> shadow_tiles(const FrameGrid& grid, std::int64_t frames,
                                     const Schedule& schedule);

}  // namespace lvsa::reference
