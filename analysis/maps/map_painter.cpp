#include "analysis/maps/map_painter.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/maps/pixel_font.hpp"
#include "analysis/report/html_pack.hpp"
#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

static_assert(kLetterAdvance == kGlyphWidth + 1 && kLetterHeight == kGlyphHeight);

std::string colour_text(std::uint8_t colour) {
  const Rgb& rgb = map_palette()[colour];
  return fmt::format("#{:02x}{:02x}{:02x}", rgb.red, rgb.green, rgb.blue);
}

}  // namespace

PixelPainter::PixelPainter(std::size_t width, std::size_t height) {
  image_.width = width;
  image_.height = height;
  image_.palette = map_palette();
  image_.pixels.assign(width * height, kMapPaper);
}

void PixelPainter::fill(std::size_t x, std::size_t y, std::size_t width, std::size_t height,
                        std::uint8_t colour) {
  const std::size_t right = std::min(x + width, image_.width);
  const std::size_t below = std::min(y + height, image_.height);
  for (std::size_t row = y; row < below && x < right; ++row) {
    const auto begin = image_.pixels.begin() + static_cast<std::ptrdiff_t>(row * image_.width);
    std::fill(begin + static_cast<std::ptrdiff_t>(x), begin + static_cast<std::ptrdiff_t>(right),
              colour);
  }
}

void PixelPainter::text(std::size_t x, std::size_t y, std::size_t size, std::string_view characters,
                        std::uint8_t colour) {
  for (const char c : characters) {
    const Glyph rows = glyph(c);
    for (std::size_t row = 0; row < kGlyphHeight; ++row) {
      for (std::size_t column = 0; column < kGlyphWidth; ++column) {
        const unsigned bit = 1U << (kGlyphWidth - 1 - column);
        if ((rows[row] & bit) != 0) fill(x + column * size, y + row * size, size, size, colour);
      }
    }
    x += kLetterAdvance * size;
  }
}

void PixelPainter::field(std::size_t x, std::size_t y, std::size_t cell_width,
                         std::size_t cell_height, std::size_t columns,
                         std::span<const std::uint8_t> colours) {
  for (std::size_t i = 0; i < colours.size(); ++i) {
    fill(x + i % columns * cell_width, y + i / columns * cell_height, cell_width, cell_height,
         colours[i]);
  }
}

SvgPainter::SvgPainter(std::size_t width, std::size_t height, std::string_view title) {
  svg_ = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
      "{1}\" font-family=\"'DejaVu Sans Mono', Menlo, Consolas, monospace\">\n<title>{2}</title>\n"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"#fff\"/>\n",
      width, height, escape_markup(title));
}

void SvgPainter::fill(std::size_t x, std::size_t y, std::size_t width, std::size_t height,
                      std::uint8_t colour) {
  svg_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>\n", x, y,
                      width, height, colour_text(colour));
}

void SvgPainter::text(std::size_t x, std::size_t y, std::size_t size, std::string_view characters,
                      std::uint8_t colour) {
  // textLength holds the width that the drawing counts with, whatever the font.
  svg_ += fmt::format(
      "<text x=\"{}\" y=\"{}\" font-size=\"{}\" textLength=\"{}\" "
      "lengthAdjust=\"spacingAndGlyphs\" "
      "fill=\"{}\" xml:space=\"preserve\">{}</text>\n",
      x, y + kLetterHeight * size, 9 * size, kLetterAdvance * size * characters.size() - size,
      colour_text(colour), escape_markup(characters));
}

void SvgPainter::field(std::size_t x, std::size_t y, std::size_t cell_width,
                       std::size_t cell_height, std::size_t columns,
                       std::span<const std::uint8_t> colours) {
  const std::size_t rows = colours.size() / columns;
  const PaletteImage image{columns, rows, map_palette(), {colours.begin(), colours.end()}};
  svg_ += fmt::format(
      "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" "
      "style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{}\"/>\n",
      x, y, columns * cell_width, rows * cell_height, base64_text(encode_png(image)));
}

std::string SvgPainter::take() { return std::move(svg_) + "</svg>\n"; }

}  // namespace lvsa::analysis
