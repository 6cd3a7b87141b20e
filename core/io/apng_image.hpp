#pragma once
// Moving pictures with a few colours, as animated PNG. Readers that know no animation show the
// first picture. Source: PNG (Third Edition), chunks acTL, fcTL and fdAT.

#include <cstdint>
#include <span>
#include <string>

#include "core/io/png_image.hpp"

namespace lvsa {

struct Animation {
  std::uint16_t delay_ms = 500;  ///< each picture is shown for so long
  std::uint32_t plays = 0;       ///< 0: for ever
};

/// The bytes of a file with all pictures, which have the size and the palette of the first. Throws
/// Error(kValue) for none, for pictures that do not fit together, and as encode_png() does.
std::string encode_apng(std::span<const PaletteImage> pictures, const Animation& animation = {});

}  // namespace lvsa
