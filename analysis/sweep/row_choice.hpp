#pragma once
// The query rows that a sweep looks at.

#include <cstdint>
#include <vector>

#include "core/geometry/frame_grid.hpp"

namespace lvsa::analysis {

/// Text rows are never among them: they attend everything under every pattern, so sparsity costs
/// them nothing.
struct RowChoice {
  std::int64_t rows_per_frame = 8;  ///< query tokens of each latent frame; 0: all
  std::uint64_t seed = 1;
  bool operator==(const RowChoice&) const = default;
};

/// Query tokens, ascending, as many in each frame: the frame is cut into rows_per_frame stretches
/// of tokens, and one token is drawn from each. All tokens of the video where rows_per_frame is 0
/// or not below patches_per_frame. The same on every machine. Throws Error(kValue) for a negative
/// number.
std::vector<std::int64_t> choose_rows(const FrameGrid& grid, const RowChoice& choice);

/// How many that are in each frame.
std::int64_t rows_in_frame(const FrameGrid& grid, const RowChoice& choice);

}  // namespace lvsa::analysis
