#include "analysis/maps/mask_image.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "analysis/maps/pixel_font.hpp"
#include "core/error.hpp"
#include "core/pattern/mask_text.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kMargin = 16;
constexpr std::size_t kTextScale = 2;
constexpr std::size_t kAdvance = (kGlyphWidth + 1) * kTextScale;  // from letter to letter
constexpr std::size_t kLine = (kGlyphHeight + 5) * kTextScale;    // from line to line
constexpr std::size_t kAxisGap = 6;

struct LegendEntry {
  MaskColour colour;
  std::string_view label;
};
constexpr std::array<LegendEntry, 4> kLegend = {{{kGlobalColour, "global"},
                                                 {kWindowColour, "window"},
                                                 {kBothColour, "both"},
                                                 {kSkipColour, "skip"}}};

class Canvas {
 public:
  Canvas(std::size_t width, std::size_t height) {
    image_.width = width;
    image_.height = height;
    // kPaper .. kBothColour; orange and blue of the Okabe-Ito palette between light and dark.
    image_.palette = {{255, 255, 255}, {60, 60, 60},  {236, 236, 236},
                      {230, 159, 0},   {0, 114, 178}, {24, 24, 40}};
    image_.pixels.assign(width * height, kPaper);
  }

  void fill(std::size_t x, std::size_t y, std::size_t width, std::size_t height,
            MaskColour colour) {
    for (std::size_t row = y; row < y + height; ++row) {
      std::fill_n(image_.pixels.begin() + static_cast<std::ptrdiff_t>(row * image_.width + x),
                  width, colour);
    }
  }

  void text(std::size_t x, std::size_t y, std::string_view characters) {
    for (const char c : characters) {
      letter(c, [&](std::size_t right, std::size_t down) {
        fill(x + right, y + down, kTextScale, kTextScale, kInk);
      });
      x += kAdvance;
    }
  }

  // From the bottom up, beginning at y.
  void text_upwards(std::size_t x, std::size_t y, std::string_view characters) {
    for (const char c : characters) {
      letter(c, [&](std::size_t right, std::size_t down) {
        fill(x + down, y - right - kTextScale, kTextScale, kTextScale, kInk);
      });
      y -= kAdvance;
    }
  }

  PaletteImage take() { return std::move(image_); }

 private:
  template <typename Dot>
  static void letter(char c, const Dot& dot) {
    const Glyph rows = glyph(c);
    for (std::size_t row = 0; row < kGlyphHeight; ++row) {
      for (std::size_t column = 0; column < kGlyphWidth; ++column) {
        const unsigned bit = 1U << (kGlyphWidth - 1 - column);
        if ((rows[row] & bit) != 0) dot(column * kTextScale, row * kTextScale);
      }
    }
  }

  PaletteImage image_;
};

std::size_t text_width(std::string_view text) { return text.size() * kAdvance; }

// Places of the parts, in pixels.
struct Layout {
  std::array<std::string, 2> captions;
  std::size_t cell = 1;
  std::size_t side = 1;  // of the map
  std::size_t left = 0;  // of the map
  std::size_t top = 0;
  std::size_t width = 0;  // of the picture
  std::size_t height = 0;
};

Layout lay_out(const MaskMap& map) {
  const FrameGrid& grid = map.settings.grid;
  const MaskCounts& counts = map.counts;
  Layout layout;
  layout.captions = {fmt::format("{}  LVSA {}  {} frames x {} tokens  step {}",
                                 map.settings.model.name, behaviour(map.settings.version).name,
                                 grid.frames, grid.patches_per_frame, map.settings.step),
                     fmt::format("density {:.3f}  attends {:.1f} of {}  speedup at most {:.2f}x",
                                 counts.token_density, counts.average_frames, grid.frames,
                                 counts.speedup_bound())};
  const std::string last = std::to_string(grid.frames - 1);
  layout.cell = mask_cell_pixels(grid.frames);
  layout.side = layout.cell * static_cast<std::size_t>(grid.frames);
  layout.left = kMargin + kLine + text_width(last) + kAxisGap;
  layout.top = kMargin + 5 * kLine + kAxisGap;
  std::size_t least = 0;
  for (const std::string& caption : layout.captions) least = std::max(least, text_width(caption));
  for (const LegendEntry& entry : kLegend) layout.width += text_width(entry.label) + 3 * kAdvance;
  least = std::max(least, layout.width) + 2 * kMargin;
  // Half a frame number may reach over the end of the axis.
  layout.width = std::max(least, layout.left + layout.side + kMargin + text_width(last) / 2);
  const std::size_t query_label = text_width("query frame");
  layout.height = layout.top + std::max(layout.side, query_label) + kMargin;
  return layout;
}

void draw_captions(Canvas& canvas, const Layout& layout) {
  constexpr std::size_t kSquare = kGlyphHeight * kTextScale;
  std::size_t y = kMargin;
  for (const std::string& caption : layout.captions) {
    canvas.text(kMargin, y, caption);
    y += kLine;
  }
  std::size_t x = kMargin;
  for (const LegendEntry& entry : kLegend) {
    canvas.fill(x, y, kSquare, kSquare, entry.colour);
    canvas.text(x + kSquare + kAdvance / 2, y, entry.label);
    x += text_width(entry.label) + 3 * kAdvance;
  }
}

// Distance of the frame numbers: 1, 2 or 5 times a power of ten, so that they do not touch.
std::int64_t tick_distance(std::size_t cell, std::size_t number_width) {
  std::int64_t distance = 1;
  for (std::int64_t power = 1;; power *= 10) {
    for (const std::int64_t factor : {1, 2, 5}) {
      distance = factor * power;
      if (static_cast<std::size_t>(distance) * cell >= number_width + 2 * kAdvance) return distance;
    }
  }
}

void draw_axes(Canvas& canvas, const Layout& layout, std::int64_t frames) {
  const std::size_t glyph_height = kGlyphHeight * kTextScale;
  const std::int64_t distance = tick_distance(layout.cell, text_width(std::to_string(frames - 1)));
  for (std::int64_t frame = 0; frame < frames; frame += distance) {
    const std::string number = std::to_string(frame);
    const std::size_t width = text_width(number) - kTextScale;
    const std::size_t middle = static_cast<std::size_t>(frame) * layout.cell + layout.cell / 2;
    canvas.text(layout.left + middle - width / 2, layout.top - kAxisGap - glyph_height, number);
    canvas.text(layout.left - kAxisGap - width, layout.top + middle - glyph_height / 2, number);
  }
  canvas.text(layout.left, layout.top - kAxisGap - glyph_height - kLine, "key frame");
  canvas.text_upwards(kMargin, layout.top + text_width("query frame"), "query frame");
}

MaskColour colour_of(MaskCell cell) {
  switch (cell) {
    case MaskCell::kGlobal:
      return kGlobalColour;
    case MaskCell::kWindow:
      return kWindowColour;
    case MaskCell::kBoth:
      return kBothColour;
    case MaskCell::kSkip:
      break;
  }
  return kSkipColour;
}

void draw_cells(Canvas& canvas, const Layout& layout, const FramePattern& pattern) {
  constexpr std::size_t kLeastWithGrid = 5;  // from this size a pixel of each cell stays paper
  const std::size_t painted = layout.cell - (layout.cell >= kLeastWithGrid ? 1 : 0);
  std::size_t y = layout.top;
  for (std::int64_t f = 0; f < pattern.frames(); ++f, y += layout.cell) {
    std::size_t x = layout.left;
    for (std::int64_t k = 0; k < pattern.frames(); ++k, x += layout.cell) {
      canvas.fill(x, y, painted, painted, colour_of(mask_cell(pattern, f, k)));
    }
  }
}

}  // namespace

std::size_t mask_cell_pixels(std::int64_t frames) {
  constexpr std::int64_t kSide = 720;
  return static_cast<std::size_t>(std::clamp<std::int64_t>(kSide / frames, 1, 24));
}

PaletteImage draw_mask(const MaskMap& map) {
  const std::int64_t frames = map.pattern.frames();
  if (frames > kMaxImageFrames) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} latent frames are too many for a picture; at most {}, or --format "
                            "json, is due",
                            frames, kMaxImageFrames));
  }
  const Layout layout = lay_out(map);
  Canvas canvas(layout.width, layout.height);
  draw_captions(canvas, layout);
  draw_axes(canvas, layout, frames);
  draw_cells(canvas, layout, map.pattern);
  return canvas.take();
}

}  // namespace lvsa::analysis
