#pragma once
// Capital letters, digits and a few signs of 5 x 7 pixels, for pictures that need a caption and no
// font library.

#include <array>
#include <cstdint>

namespace lvsa::analysis {

inline constexpr int kGlyphWidth = 5;
inline constexpr int kGlyphHeight = 7;

/// Rows from the top; bit 4 of a row is its leftmost pixel. Small letters look like capitals, and
/// what the font lacks is blank.
using Glyph = std::array<std::uint8_t, kGlyphHeight>;
Glyph glyph(char character);

}  // namespace lvsa::analysis
