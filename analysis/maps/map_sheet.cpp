#include "analysis/maps/map_sheet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/maps/map_frame.hpp"
#include "core/error.hpp"
#include "core/pattern/mask_text.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kMargin = 16;
constexpr std::size_t kLine = 22;  // of large text
constexpr std::size_t kGap = 24;   // between panels
constexpr std::size_t kTitleHeight = 2 * kLine;
constexpr std::size_t kAxisHeight = 12;
constexpr std::size_t kBarGap = 6;
constexpr std::size_t kBarWidth = 36;  // of the bars of lost mass: 0 to 1
constexpr std::size_t kTypicalWidth = 1400;

struct Layout {
  std::int64_t frames = 1;
  bool text = false;
  std::size_t cell = 1;
  std::size_t side = 1;        // of a map
  std::size_t axis = 0;        // room for the frame numbers at its left
  std::size_t text_width = 0;  // of the column of the text
  std::size_t panel_width = 0;
  std::size_t panel_height = 0;
  std::size_t columns = 1;
  std::size_t top = 0;  // of the panels
  std::size_t width = 0;
  std::size_t height = 0;
};

struct TextWidths {
  std::size_t panel = 0;
  std::size_t caption = 0;
  std::size_t captions = 0;  // how many
};

TextWidths text_widths(std::span<const MapSheet> sheets) {
  TextWidths widths;
  for (const MapSheet& sheet : sheets) {
    for (const SheetMap& map : sheet.maps) {
      widths.panel = std::max({widths.panel, text_pixels(map.title, 2), text_pixels(map.note, 2)});
    }
    for (const std::string& caption : sheet.captions) {
      widths.caption = std::max(widths.caption, text_pixels(caption, 2));
    }
    widths.captions = std::max(widths.captions, sheet.captions.size());
  }
  return widths;
}

void check_size(const Layout& layout, std::size_t maps, std::size_t pictures) {
  if (layout.width <= kMaxSheetPixels / layout.height / pictures) return;
  throw Error(
      ErrorKind::kValue,
      fmt::format("{} of {} maps of {} frames, {} x {} pixels: at most {} pixels in all are "
                  "due; fewer --heads or --steps, or --images none",
                  pictures == 1 ? "a picture" : fmt::format("{} pictures", pictures), maps,
                  layout.frames, layout.width, layout.height, kMaxSheetPixels));
}

// One layout for all, so that the pictures have one size.
Layout lay_out(std::span<const MapSheet> sheets) {
  const MapSheet& sheet = sheets.front();
  const TextWidths widths = text_widths(sheets);
  Layout layout;
  layout.frames = sheet.pattern->frames();
  if (layout.frames > kMaxSheetFrames) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} latent frames are too many for a picture; at most {}, or --images "
                            "none, is due",
                            layout.frames, kMaxSheetFrames));
  }
  layout.cell = sheet_cell_pixels(layout.frames, sheet.maps.size());
  layout.side = layout.cell * static_cast<std::size_t>(layout.frames);
  layout.axis = text_pixels(std::to_string(layout.frames - 1), 1) + 4;
  layout.text = !sheet.maps.front().mass->text.empty();
  layout.text_width = layout.text ? std::max<std::size_t>(layout.cell, 8) + kBarGap : 0;
  layout.panel_width =
      std::max(layout.axis + layout.side + layout.text_width + kBarGap + kBarWidth, widths.panel);
  layout.panel_height = kTitleHeight + kAxisHeight + layout.side;
  const std::size_t panels = sheet.maps.size() + 1;  // the pattern is the first
  const std::size_t fit =
      std::max<std::size_t>(2, (kTypicalWidth - 2 * kMargin + kGap) / (layout.panel_width + kGap));
  const std::size_t rows = (panels + fit - 1) / fit;
  layout.columns = (panels + rows - 1) / rows;  // as even as can be
  layout.top = kMargin + widths.captions * kLine + kLegendHeight;
  const std::size_t panels_width = layout.columns * (layout.panel_width + kGap) - kGap;
  layout.width = std::max({panels_width, widths.caption, kLegendWidth}) + 2 * kMargin;
  layout.height = layout.top + rows * (layout.panel_height + kGap) - kGap + kMargin;
  check_size(layout, sheet.maps.size(), sheets.size());
  return layout;
}

std::uint8_t mask_colour(MaskCell cell) {
  switch (cell) {
    case MaskCell::kGlobal:
      return kMapGlobal;
    case MaskCell::kWindow:
      return kMapWindow;
    case MaskCell::kBoth:
      return kMapBoth;
    case MaskCell::kSkip:
      break;
  }
  return kMapFaint;
}

void draw_axes(MapPainter& painter, const Layout& layout, std::size_t x, std::size_t y) {
  const std::size_t widest = text_pixels(std::to_string(layout.frames - 1), 1);
  const std::int64_t step = tick_step(layout.cell, widest + 8);
  for (std::int64_t frame = 0; frame < layout.frames; frame += step) {
    const std::string number = std::to_string(frame);
    const std::size_t middle = static_cast<std::size_t>(frame) * layout.cell + layout.cell / 2;
    const std::size_t width = text_pixels(number, 1);
    painter.text(x + middle - std::min(middle, width / 2), y - 10, 1, number, kMapSoft);
    painter.text(x - 3 - width, y + middle - std::min<std::size_t>(middle, 3), 1, number, kMapSoft);
  }
}

void draw_pattern(MapPainter& painter, const Layout& layout, const FramePattern& pattern,
                  std::size_t x, std::size_t y) {
  std::vector<std::uint8_t> colours;
  for (std::int64_t f = 0; f < layout.frames; ++f) {
    for (std::int64_t k = 0; k < layout.frames; ++k) {
      colours.push_back(mask_colour(mask_cell(pattern, f, k)));
    }
  }
  painter.field(x, y, layout.cell, layout.cell, static_cast<std::size_t>(layout.frames), colours);
}

// The border between what is attended and what is not: a light line on the inner side, a dark one
// on the outer, so that it is seen on any colour.
void draw_outline(MapPainter& painter, const Layout& layout, const FramePattern& pattern,
                  std::size_t x, std::size_t y) {
  const auto attended = [&](std::int64_t f, std::int64_t k) {
    return mask_cell(pattern, f, k) != MaskCell::kSkip;
  };
  const std::size_t cell = layout.cell;
  for (std::int64_t f = 0; f < layout.frames; ++f) {
    for (std::int64_t k = 0; k < layout.frames; ++k) {
      const bool here = attended(f, k);
      const std::size_t left = x + static_cast<std::size_t>(k) * cell;
      const std::size_t top = y + static_cast<std::size_t>(f) * cell;
      if (k + 1 < layout.frames && attended(f, k + 1) != here) {
        painter.fill(left + cell - 1, top, 1, cell, here ? kMapLight : kMapDark);
        painter.fill(left + cell, top, 1, cell, here ? kMapDark : kMapLight);
      }
      if (f + 1 < layout.frames && attended(f + 1, k) != here) {
        painter.fill(left, top + cell - 1, cell, 1, here ? kMapLight : kMapDark);
        painter.fill(left, top + cell, cell, 1, here ? kMapDark : kMapLight);
      }
    }
  }
}

void draw_marks(MapPainter& painter, const Layout& layout, const MapSheet& sheet,
                const SheetMap& map, std::size_t x, std::size_t y) {
  constexpr std::size_t kLeastWithMarks = 9;
  if (layout.cell < kLeastWithMarks) return;
  for (std::int64_t f = 0; f < layout.frames; ++f) {
    for (std::int64_t k = 0; k < layout.frames; ++k) {
      const bool bright = sheet.scale.place(map.mass->at(f, k)) > 0.55;
      draw_mask_mark(painter, mask_cell(*sheet.pattern, f, k),
                     x + static_cast<std::size_t>(k) * layout.cell,
                     y + static_cast<std::size_t>(f) * layout.cell, layout.cell,
                     bright ? kMapDark : kMapLight);
    }
  }
}

void draw_bars(MapPainter& painter, const Layout& layout, const std::vector<double>& lost,
               std::size_t x, std::size_t y) {
  painter.fill(x, y, kBarWidth, layout.side, kMapFaint);
  const std::size_t height = layout.cell - (layout.cell > 3 ? 1 : 0);
  for (std::size_t f = 0; f < lost.size(); ++f) {
    const double share = std::clamp(lost[f], 0.0, 1.0);
    const auto width = static_cast<std::size_t>(std::lround(share * double{kBarWidth}));
    if (width > 0) painter.fill(x, y + f * layout.cell, width, height, kMapLost);
  }
  painter.text(x, y - 10, 1, "lost", kMapSoft);
}

void draw_map(MapPainter& painter, const Layout& layout, const MapSheet& sheet, const SheetMap& map,
              std::size_t x, std::size_t y) {
  std::vector<std::uint8_t> colours;
  for (const double mass : map.mass->mass) colours.push_back(sheet.scale.colour(mass));
  painter.field(x, y, layout.cell, layout.cell, static_cast<std::size_t>(layout.frames), colours);
  if (layout.cell >= 4) draw_outline(painter, layout, *sheet.pattern, x, y);
  draw_marks(painter, layout, sheet, map, x, y);
  std::size_t right = x + layout.side;
  if (layout.text) {
    colours.clear();
    for (const double mass : map.mass->text) colours.push_back(sheet.scale.colour(mass));
    painter.field(right + kBarGap, y, layout.text_width - kBarGap, layout.cell, 1, colours);
    painter.text(right + kBarGap, y - 10, 1, "t", kMapSoft);
    right += layout.text_width;
  }
  draw_bars(painter, layout, map.kept->lost, right + kBarGap, y);
}

void paint(MapPainter& painter, const Layout& layout, const MapSheet& sheet) {
  std::size_t y = kMargin;
  for (const std::string& caption : sheet.captions) {
    painter.text(kMargin, y, 2, caption, kMapInk);
    y += kLine;
  }
  draw_legend(painter, sheet.scale, kMargin, y, layout.cell >= 4, layout.cell >= 9, layout.text);
  for (std::size_t i = 0; i <= sheet.maps.size(); ++i) {
    const std::size_t left = kMargin + i % layout.columns * (layout.panel_width + kGap);
    const std::size_t top = layout.top + i / layout.columns * (layout.panel_height + kGap);
    const std::string density = fmt::format("density {:.3f}", sheet.pattern->frame_density());
    painter.text(left, top, 2, i == 0 ? "pattern" : sheet.maps[i - 1].title, kMapInk);
    painter.text(left, top + kLine - 4, 2, i == 0 ? density : sheet.maps[i - 1].note, kMapSoft);
    const std::size_t x = left + layout.axis;
    const std::size_t map_top = top + kTitleHeight + kAxisHeight;
    draw_axes(painter, layout, x, map_top);
    if (i == 0) {
      draw_pattern(painter, layout, *sheet.pattern, x, map_top);
    } else {
      draw_map(painter, layout, sheet, sheet.maps[i - 1], x, map_top);
    }
  }
}

}  // namespace

std::size_t sheet_cell_pixels(std::int64_t frames, std::size_t maps) {
  const std::int64_t side = maps == 1 ? 600 : 240;
  return static_cast<std::size_t>(std::clamp<std::int64_t>((side + frames / 2) / frames, 1, 24));
}

std::vector<PaletteImage> draw_sheets(std::span<const MapSheet> sheets) {
  const Layout layout = lay_out(sheets);
  std::vector<PaletteImage> pictures;
  for (const MapSheet& sheet : sheets) {
    PixelPainter painter(layout.width, layout.height);
    paint(painter, layout, sheet);
    pictures.push_back(painter.take());
  }
  return pictures;
}

PaletteImage draw_sheet(const MapSheet& sheet) {
  return std::move(draw_sheets({&sheet, 1}).front());
}

std::string sheet_as_svg(const MapSheet& sheet) {
  const Layout layout = lay_out({&sheet, 1});
  SvgPainter painter(layout.width, layout.height, sheet.captions.front());
  paint(painter, layout, sheet);
  return painter.take();
}

}  // namespace lvsa::analysis
