#pragma once
// A map as a picture: query frames down, key frames across.

#include <string>

#include "analysis/maps/mask_map.hpp"
#include "core/io/png_image.hpp"

namespace lvsa::analysis {

/// Beyond this many latent frames a cell would be less than a pixel of a picture that still opens.
inline constexpr std::int64_t kMaxImageFrames = 8192;

/// The colours of the cells differ in lightness as well as in hue, so that they stay apart for
/// colour-blind readers and in grey print.
enum MaskColour : std::uint8_t {
  kPaper,
  kInk,
  kSkipColour,
  kGlobalColour,
  kWindowColour,
  kBothColour,
};

/// Pixels a cell's side: as large as a picture of about 720 pixels allows, at most 24.
std::size_t mask_cell_pixels(std::int64_t frames);

/// With title, counts, legend and frame numbers. Throws Error(kValue) beyond kMaxImageFrames.
PaletteImage draw_mask(const MaskMap& map);

}  // namespace lvsa::analysis
