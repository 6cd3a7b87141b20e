#include "analysis/maps/token_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/maps/map_frame.hpp"
#include "analysis/maps/map_sheet.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kMargin = 16;
constexpr std::size_t kLine = 22;
constexpr std::size_t kGap = 12;
constexpr std::size_t kTitle = 14;
constexpr std::size_t kBarHeight = 56;
constexpr std::size_t kTypicalWidth = 1400;

struct Layout {
  std::size_t frames = 1;
  std::size_t cell = 1;
  std::size_t frame_width = 1;
  std::size_t frame_height = 1;
  std::size_t panel_width = 1;
  std::size_t columns = 1;
  std::size_t top = 0;
  std::size_t width = 0;
  std::size_t height = 0;
};

Layout lay_out(const TokenPicture& picture) {
  constexpr std::size_t kSide = 180;
  constexpr std::size_t kLeastWidth = 110;  // the line above a frame
  const auto rows = static_cast<std::size_t>(picture.size.height);
  const auto columns = static_cast<std::size_t>(picture.size.width);
  Layout layout;
  layout.frames = picture.frame_mass->size();
  layout.cell = std::clamp<std::size_t>(kSide / std::max(rows, columns), 1, 16);
  layout.frame_width = columns * layout.cell;
  layout.frame_height = rows * layout.cell;
  layout.panel_width = std::max(layout.frame_width, kLeastWidth);
  const std::size_t fit =
      std::max<std::size_t>(1, (kTypicalWidth + kGap) / (layout.panel_width + kGap));
  const std::size_t lines = (layout.frames + fit - 1) / fit;
  layout.columns = (layout.frames + lines - 1) / lines;
  std::size_t width = layout.columns * (layout.panel_width + kGap) - kGap;
  for (const std::string& caption : picture.captions) {
    width = std::max(width, text_pixels(caption, 2));
  }
  layout.top = kMargin + picture.captions.size() * kLine + kBarHeight;
  layout.width = std::max<std::size_t>(width, kLevels + 40) + 2 * kMargin;
  layout.height = layout.top + lines * (layout.frame_height + kTitle + kGap) - kGap + kMargin;
  if (layout.width > kMaxSheetPixels / layout.height) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} frames of {} x {} tokens need a picture of {} x {} pixels; "
                            "--images none leaves it out",
                            layout.frames, rows, columns, layout.width, layout.height));
  }
  return layout;
}

// Where the query stands: a light frame within a dark one.
void mark_place(MapPainter& painter, const Layout& layout, const RowPlace& place, std::size_t x,
                std::size_t y) {
  const std::size_t left = x + static_cast<std::size_t>(place.x) * layout.cell;
  const std::size_t top = y + static_cast<std::size_t>(place.y) * layout.cell;
  const auto box = [&](std::size_t reach, std::uint8_t colour) {
    const std::size_t from_x = left - std::min(left, reach);
    const std::size_t from_y = top - std::min(top, reach);
    const std::size_t side = layout.cell + 2 * reach;
    painter.fill(from_x, from_y, side, 1, colour);
    painter.fill(from_x, from_y + side - 1, side, 1, colour);
    painter.fill(from_x, from_y, 1, side, colour);
    painter.fill(from_x + side - 1, from_y, 1, side, colour);
  };
  box(2, kMapDark);
  box(1, kMapLight);
}

void paint(MapPainter& painter, const Layout& layout, const TokenPicture& picture,
           const ColourScale& scale) {
  std::size_t y = kMargin;
  for (const std::string& caption : picture.captions) {
    painter.text(kMargin, y, 2, caption, kMapInk);
    y += kLine;
  }
  draw_colour_bar(painter, scale, kMargin, y, "weight of a token, log scale");
  painter.text(kMargin + kLevels + 30, y + 14, 1,
               "+ attended by the pattern; box: the query's place", kMapSoft);
  const std::size_t tokens = static_cast<std::size_t>(picture.size.tokens());
  for (std::size_t f = 0; f < layout.frames; ++f) {
    const std::size_t x = kMargin + f % layout.columns * (layout.panel_width + kGap);
    const std::size_t top = layout.top + f / layout.columns * (layout.frame_height + kTitle + kGap);
    painter.text(
        x, top, 1,
        fmt::format("{}{} {:.3g}", f, (*picture.attended)[f] ? "+" : "", (*picture.frame_mass)[f]),
        kMapInk);
    std::vector<std::uint8_t> colours;
    for (const float weight : picture.weights.subspan(f * tokens, tokens)) {
      colours.push_back(scale.colour(static_cast<double>(weight)));
    }
    painter.field(x, top + kTitle - 3, layout.cell, layout.cell,
                  static_cast<std::size_t>(picture.size.width), colours);
    if (static_cast<std::int64_t>(f) == picture.place.frame) {
      mark_place(painter, layout, picture.place, x, top + kTitle - 3);
    }
  }
}

}  // namespace

ColourScale token_scale(std::span<const float> weights, std::int64_t keys) {
  const float most = weights.empty() ? 1.0F : *std::max_element(weights.begin(), weights.end());
  const double low = std::pow(10.0, std::floor(std::log10(0.1 / static_cast<double>(keys))));
  const double high = std::pow(10.0, std::ceil(std::log10(std::max(double{most}, low * 10.0))));
  return {low, std::min(1.0, high), true};
}

PaletteImage draw_tokens(const TokenPicture& picture, const ColourScale& scale) {
  const Layout layout = lay_out(picture);
  PixelPainter painter(layout.width, layout.height);
  paint(painter, layout, picture, scale);
  return painter.take();
}

std::string tokens_as_svg(const TokenPicture& picture, const ColourScale& scale) {
  const Layout layout = lay_out(picture);
  SvgPainter painter(layout.width, layout.height, picture.captions.front());
  paint(painter, layout, picture, scale);
  return painter.take();
}

}  // namespace lvsa::analysis
