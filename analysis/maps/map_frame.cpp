#include "analysis/maps/map_frame.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numeric>
#include <string>

namespace lvsa::analysis {

std::size_t text_pixels(std::string_view text, std::size_t size) {
  return text.empty() ? 0 : text.size() * kLetterAdvance * size - size;
}

std::int64_t tick_step(std::size_t cell, std::size_t pixels) {
  for (std::int64_t power = 1;; power *= 10) {
    for (const std::int64_t factor : {1, 2, 5}) {
      if (static_cast<std::size_t>(factor * power) * cell >= pixels) return factor * power;
    }
  }
}

std::string tick_text(double value) {
  if (value >= 0.0099 || value == 0.0) return fmt::format("{:.3g}", value);
  return fmt::format("1e{}", std::lround(std::log10(value)));
}

void draw_colour_bar(MapPainter& painter, const ColourScale& scale, std::size_t x, std::size_t y,
                     std::string_view title) {
  constexpr std::size_t kWidth = kLevels;
  constexpr std::size_t kHeight = 12;
  painter.text(x, y, 1, title, kMapSoft);
  y += 11;
  std::vector<std::uint8_t> colours(kWidth);
  std::iota(colours.begin(), colours.end(), static_cast<std::uint8_t>(kFirstLevel));
  painter.field(x, y, 1, kHeight, kWidth, colours);
  for (const double tick : scale.ticks()) {
    const auto at = static_cast<std::size_t>(std::lround(scale.place(tick) * (kWidth - 1)));
    const std::string text = tick_text(tick);
    const std::size_t half = text_pixels(text, 1) / 2;
    painter.fill(x + at, y + kHeight, 1, 3, kMapSoft);
    painter.text(x + at - std::min(at, half), y + kHeight + 5, 1, text, kMapSoft);
  }
}

void draw_legend(MapPainter& painter, const ColourScale& scale, std::size_t x, std::size_t y,
                 bool outlines, bool marks, bool text) {
  draw_colour_bar(painter, scale, x, y,
                  scale.logarithmic ? "mass of a key frame, log scale" : "mass of a key frame");
  struct Entry {
    std::uint8_t colour;
    MaskCell cell;
    std::string_view label;
  };
  constexpr std::array<Entry, 4> kEntries = {{{kMapGlobal, MaskCell::kGlobal, "global"},
                                              {kMapWindow, MaskCell::kWindow, "window"},
                                              {kMapBoth, MaskCell::kBoth, "both"},
                                              {kMapFaint, MaskCell::kSkip, "not attended"}}};
  std::size_t at = x + 290;
  for (const Entry& entry : kEntries) {
    painter.fill(at, y, 12, 12, entry.colour);
    if (marks && entry.cell != MaskCell::kSkip) {
      painter.fill(at + 16, y, 12, 12, kFirstLevel + kLevels / 3);
      draw_mask_mark(painter, entry.cell, at + 16, y, 12, kMapLight);
      at += 16;
    }
    painter.text(at + 17, y + 3, 1, entry.label, kMapSoft);
    at += 17 + text_pixels(entry.label, 1) + 14;
  }
  painter.text(x + 290, y + 20, 1,
               outlines ? "rows: query frames, columns: key frames; line: border of the pattern"
                        : "rows: query frames, columns: key frames",
               kMapSoft);
  painter.text(x + 290, y + 34, 1,
               text ? "t: mass on the text; bars: mass that the pattern loses, 0 to 1"
                    : "bars: mass that the pattern loses, 0 to 1",
               kMapSoft);
}

void draw_mask_mark(MapPainter& painter, MaskCell cell, std::size_t x, std::size_t y,
                    std::size_t size, std::uint8_t colour) {
  const std::size_t length = size / 2 - (size / 2 % 2 == 0 ? 1 : 0);  // odd: it has a middle
  const std::size_t middle = size / 2 - (size % 2 == 0 ? 1 : 0);
  const std::size_t from = middle - length / 2;
  if (cell == MaskCell::kGlobal || cell == MaskCell::kBoth) {
    painter.fill(x + middle, y + from, 1, length, colour);
  }
  if (cell == MaskCell::kWindow || cell == MaskCell::kBoth) {
    painter.fill(x + from, y + middle, length, 1, colour);
  }
}

}  // namespace lvsa::analysis
