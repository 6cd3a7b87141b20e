#pragma once
// The recovered mask of a kernel beside the pattern, and their difference.

#include <cstdint>
#include <string>

#include "analysis/verify/recover.hpp"
#include "core/io/png_image.hpp"

namespace lvsa::analysis {

/// Which masks of a recovery are drawn.
struct RecoveryPlace {
  std::int64_t batch = 0;
  std::int64_t head = 0;
};

/// Pattern, recovered mask and difference, side by side for short videos, else below each other.
std::string recovery_as_text(const MaskRecovery& recovery, RecoveryPlace place);

/// One object: case, kernel, runs, exact, mistake, differences, and for each batch element and head
/// a row a query frame: attended frames with their keys where these are not all of them.
std::string recovery_as_json(const MaskRecovery& recovery);

/// A self-contained SVG, with a title for each differing cell.
std::string recovery_as_svg(const MaskRecovery& recovery, RecoveryPlace place);

/// The same as pixels. Throws Error(kValue) beyond 2,048 frames.
PaletteImage draw_recovery(const MaskRecovery& recovery, RecoveryPlace place);

}  // namespace lvsa::analysis
