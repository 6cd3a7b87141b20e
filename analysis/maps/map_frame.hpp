#pragma once
// What stands around maps: legend, colour bar, marks of the pattern's cells, distances of numbers.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "analysis/maps/map_painter.hpp"
#include "core/pattern/mask_text.hpp"

namespace lvsa::analysis {

inline constexpr std::size_t kLegendHeight = 72;
inline constexpr std::size_t kLegendWidth = 700;

/// Pixels of a text without the gap behind its last letter.
std::size_t text_pixels(std::string_view text, std::size_t size);

/// 1, 2 or 5 times a power of ten, so that numbers of `pixels` width do not touch.
std::int64_t tick_step(std::size_t cell, std::size_t pixels);

/// "1e-4", "0.01", "1".
std::string tick_text(double value);

/// A colour bar of 256 pixels with numbers below.
void draw_colour_bar(MapPainter& painter, const ColourScale& scale, std::size_t x, std::size_t y,
                     std::string_view title);

/// Bar and meaning of the marks, in kLegendHeight lines of pixels.
void draw_legend(MapPainter& painter, const ColourScale& scale, std::size_t x, std::size_t y,
                 bool outlines, bool marks, bool text);

/// Global: an upright stroke, since a global frame is a column; window: a level one; both: a cross.
void draw_mask_mark(MapPainter& painter, MaskCell cell, std::size_t x, std::size_t y,
                    std::size_t size, std::uint8_t colour);

}  // namespace lvsa::analysis
