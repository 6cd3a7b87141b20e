#pragma once
// Frame x frame masses of several heads as one picture: small multiples with a shared scale, the
// pattern over them, and the mass that it loses beside them.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "analysis/maps/frame_mass.hpp"
#include "analysis/maps/map_painter.hpp"

namespace lvsa::analysis {

/// Longer videos are not drawn: a cell would be less than a pixel of a picture that still opens.
inline constexpr std::int64_t kMaxSheetFrames = 1024;
/// Larger pictures are refused.
inline constexpr std::size_t kMaxSheetPixels = std::size_t{1} << 26;

struct SheetMap {
  std::string title;  ///< "head 5  temporal"
  std::string note;   ///< "recall 0.931"
  const FrameMass* mass = nullptr;
  const PatternMass* kept = nullptr;
};

struct MapSheet {
  std::vector<std::string> captions;
  const FramePattern* pattern = nullptr;
  std::vector<SheetMap> maps;  ///< at least one; all of the same length
  ColourScale scale;
};

/// Side of a cell in pixels: larger where there is one map alone.
std::size_t sheet_cell_pixels(std::int64_t frames, std::size_t maps);

/// Throw Error(kValue) beyond kMaxSheetFrames and kMaxSheetPixels, naming what would be right.
PaletteImage draw_sheet(const MapSheet& sheet);
std::string sheet_as_svg(const MapSheet& sheet);
/// Pictures of one size, for an animation: all sheets with as many maps of the same length. The
/// limit of pixels is for all of them together.
std::vector<PaletteImage> draw_sheets(std::span<const MapSheet> sheets);

}  // namespace lvsa::analysis
