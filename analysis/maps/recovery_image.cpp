// The recovered mask as a picture: pattern, recovered mask and difference beside each other.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "analysis/maps/pixel_font.hpp"
#include "analysis/maps/recovery_render.hpp"
#include "analysis/report/text_format.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::int64_t kMostFrames = 2048;
constexpr std::int64_t kPanelSide = 360;
constexpr std::int64_t kMargin = 16;
constexpr std::int64_t kTop = 56;

// Beside white and ink; they differ in lightness as well as in hue (Okabe and Ito).
constexpr Rgb kColours[] = {{255, 255, 255}, {60, 60, 60},  {236, 236, 236},
                            {150, 190, 220}, {213, 94, 0},  {90, 0, 90},
                            {240, 228, 66},  {0, 114, 178}, {24, 24, 40}};
std::uint8_t colour_of(CellState state) {
  switch (state) {
    case CellState::kSkipped:
      return 2;
    case CellState::kAttended:
      return 3;
    case CellState::kExtra:
      return 4;
    case CellState::kMissing:
      return 5;
    case CellState::kPartial:
      return 6;
    case CellState::kRepeated:
      return 7;
    case CellState::kUndecided:
      break;
  }
  return 8;
}

struct Legend {
  CellState state;
  std::string_view label;
};
constexpr Legend kLegend[] = {
    {CellState::kAttended, "attended"},  {CellState::kSkipped, "not attended"},
    {CellState::kExtra, "extra"},        {CellState::kMissing, "missing"},
    {CellState::kPartial, "part"},       {CellState::kRepeated, "repeated"},
    {CellState::kUndecided, "undecided"}};
constexpr std::string_view kTitles[] = {"pattern", "recovered", "difference"};

// States of the three panels: the recovered one shows what is attended, whether due or not.
std::array<CellState, 3> panels_of(const MaskRecovery& recovery, RecoveryPlace place,
                                   std::int64_t f, std::int64_t k) {
  const auto& row = recovery.due[static_cast<std::size_t>(f)];
  const bool due = std::binary_search(row.begin(), row.end(), static_cast<std::int32_t>(k));
  const CellState state = cell_state(recovery, place.batch, place.head, f, k);
  CellState seen = state;
  if (state == CellState::kMissing) seen = CellState::kSkipped;
  if (state == CellState::kExtra) seen = CellState::kAttended;
  return {due ? CellState::kAttended : CellState::kSkipped, seen, state};
}

std::int64_t cell_side(std::int64_t frames) {
  return std::clamp<std::int64_t>(kPanelSide / frames, 1, 24);
}

std::string caption(const MaskRecovery& recovery, RecoveryPlace place) {
  const Case& c = recovery.c;
  return fmt::format("{}  {} frames x {} tokens  step {}  batch {}  head {}", recovery.kernel,
                     c.grid.frames, c.grid.patches_per_frame, c.step, place.batch, place.head);
}

void require_few_frames(std::int64_t frames) {
  if (frames <= kMostFrames) return;
  throw Error(ErrorKind::kValue,
              fmt::format("{} latent frames are too many for a picture; at most {}, or --format "
                          "json, is due",
                          frames, kMostFrames));
}

class Painter {
 public:
  Painter(std::int64_t width, std::int64_t height) {
    image_.width = static_cast<std::size_t>(width);
    image_.height = static_cast<std::size_t>(height);
    image_.palette.assign(std::begin(kColours), std::end(kColours));
    image_.pixels.assign(image_.width * image_.height, 0);
  }
  void fill(std::int64_t x, std::int64_t y, std::int64_t width, std::int64_t height,
            std::uint8_t colour) {
    for (std::int64_t row = y; row < y + height; ++row) {
      const auto start =
          static_cast<std::ptrdiff_t>(row) * static_cast<std::ptrdiff_t>(image_.width) + x;
      std::fill_n(image_.pixels.begin() + start, width, colour);
    }
  }
  // One pixel a dot; text beyond the right border is cut.
  void text(std::int64_t x, std::int64_t y, std::string_view characters) {
    for (const char c : characters) {
      if (x + kGlyphWidth > static_cast<std::int64_t>(image_.width)) return;
      const Glyph rows = glyph(c);
      for (int r = 0; r < kGlyphHeight; ++r) {
        for (int column = 0; column < kGlyphWidth; ++column) {
          const int bit = rows[static_cast<std::size_t>(r)] >> (kGlyphWidth - 1 - column);
          if ((bit & 1) != 0) fill(x + column, y + r, 1, 1, 1);
        }
      }
      x += kGlyphWidth + 1;
    }
  }
  PaletteImage take() { return std::move(image_); }

 private:
  PaletteImage image_;
};

}  // namespace

PaletteImage draw_recovery(const MaskRecovery& recovery, RecoveryPlace place) {
  const std::int64_t frames = recovery.c.grid.frames;
  require_few_frames(frames);
  const std::int64_t cell = cell_side(frames);
  const std::int64_t step = std::max<std::int64_t>(cell * frames, 140) + kMargin;
  Painter painter(std::max<std::int64_t>(3 * step + kMargin, 560), kTop + cell * frames + kMargin);
  painter.text(kMargin, 12, caption(recovery, place));
  std::int64_t x = kMargin;
  for (const Legend& entry : kLegend) {
    painter.fill(x, 24, kGlyphHeight, kGlyphHeight, colour_of(entry.state));
    painter.text(x + kGlyphHeight + 3, 24, entry.label);
    x += static_cast<std::int64_t>(entry.label.size()) * (kGlyphWidth + 1) + 22;
  }
  const std::int64_t painted = cell >= 5 ? cell - 1 : cell;
  for (std::int64_t p = 0; p < 3; ++p) {
    painter.text(kMargin + p * step, 42, kTitles[p]);
    for (std::int64_t f = 0; f < frames; ++f) {
      for (std::int64_t k = 0; k < frames; ++k) {
        const CellState state = panels_of(recovery, place, f, k)[static_cast<std::size_t>(p)];
        painter.fill(kMargin + p * step + k * cell, kTop + f * cell, painted, painted,
                     colour_of(state));
      }
    }
  }
  return painter.take();
}

std::string recovery_as_svg(const MaskRecovery& recovery, RecoveryPlace place) {
  const std::int64_t frames = recovery.c.grid.frames;
  require_few_frames(frames);
  const std::int64_t cell = std::max<std::int64_t>(cell_side(frames), 3);
  const std::int64_t step = std::max<std::int64_t>(cell * frames, 140) + kMargin;
  const auto hex = [](CellState state) {
    const Rgb& c = kColours[colour_of(state)];
    return fmt::format("#{:02x}{:02x}{:02x}", c.red, c.green, c.blue);
  };
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" role=\"img\" "
      "font-family=\"sans-serif\" font-size=\"12\"><title>{}</title>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n<text x=\"{}\" "
      "y=\"18\">{}</text>\n",
      std::max<std::int64_t>(3 * step + kMargin, 620), kTop + cell * frames + kMargin,
      escape_markup(caption(recovery, place)), kMargin, escape_markup(caption(recovery, place)));
  std::int64_t x = kMargin;
  for (const Legend& entry : kLegend) {
    svg += fmt::format(
        "<rect x=\"{}\" y=\"25\" width=\"10\" height=\"10\" fill=\"{}\"/><text x=\"{}\" "
        "y=\"34\">{}</text>\n",
        x, hex(entry.state), x + 14, entry.label);
    x += static_cast<std::int64_t>(entry.label.size()) * 7 + 26;
  }
  for (std::int64_t p = 0; p < 3; ++p) {
    svg += fmt::format("<text x=\"{}\" y=\"50\">{}</text>\n", kMargin + p * step, kTitles[p]);
    for (std::int64_t f = 0; f < frames; ++f) {
      for (std::int64_t k = 0; k < frames;) {  // neighbours of one state as one rectangle
        const CellState state = panels_of(recovery, place, f, k)[static_cast<std::size_t>(p)];
        const std::int64_t first = k;
        while (k < frames && panels_of(recovery, place, f, k)[static_cast<std::size_t>(p)] == state)
          ++k;
        svg += fmt::format(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"><title>query frame {}, "
            "key frame{} {}{}</title></rect>\n",
            kMargin + p * step + first * cell, kTop + f * cell, (k - first) * cell - 1, cell - 1,
            hex(state), f, k - first > 1 ? "s" : "", first,
            k - first > 1 ? fmt::format("-{}", k - 1) : "");
      }
    }
  }
  return svg + "</svg>\n";
}

}  // namespace lvsa::analysis
