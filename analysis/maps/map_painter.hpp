#pragma once
// What maps are drawn with: rectangles, text and fields of colour levels, as pixels or as SVG, so
// that both show the same drawing.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/png_image.hpp"

namespace lvsa::analysis {

/// Numbers of colours; from kFirstLevel on the levels of the sequential map.
enum MapColour : std::uint8_t {
  kMapPaper,
  kMapInk,
  kMapSoft,   ///< secondary text
  kMapFaint,  ///< ground of bars, cells that are not attended
  kMapLight,  ///< light half of outlines
  kMapDark,   ///< dark half of outlines
  kMapLost,   ///< bars of lost mass
  kMapGlobal,
  kMapWindow,
  kMapBoth,
  kFirstLevel,
};
inline constexpr int kLevels = 240;

/// All colours: those of MapColour and kLevels levels from dark blue over green to yellow, whose
/// lightness only grows: order is seen without colour vision and in grey print. Made for this
/// project along a path of even lightness in the colour space Oklab.
const std::vector<Rgb>& map_palette();

/// From a value to a level of the map.
struct ColourScale {
  double low = 1e-4;  ///< what is at or below gets the first level
  double high = 1.0;  ///< what is at or above gets the last one
  bool logarithmic = true;

  std::uint8_t colour(double value) const;
  /// Values with a label on a colour bar, ascending: powers of ten, or fifths.
  std::vector<double> ticks() const;
  /// 0 .. 1 along the colour bar.
  double place(double value) const;
};

/// Text is of fixed width. Units are pixels.
inline constexpr std::size_t kLetterAdvance = 6;  ///< times the size of the text
inline constexpr std::size_t kLetterHeight = 7;

class MapPainter {
 public:
  virtual ~MapPainter() = default;
  virtual void fill(std::size_t x, std::size_t y, std::size_t width, std::size_t height,
                    std::uint8_t colour) = 0;
  /// `size` 1 or 2; (x, y) is the upper left corner.
  virtual void text(std::size_t x, std::size_t y, std::size_t size, std::string_view characters,
                    std::uint8_t colour) = 0;
  /// A field of colours [rows * columns], each a rectangle.
  virtual void field(std::size_t x, std::size_t y, std::size_t cell_width, std::size_t cell_height,
                     std::size_t columns, std::span<const std::uint8_t> colours) = 0;
};

/// Pixels.
class PixelPainter : public MapPainter {
 public:
  PixelPainter(std::size_t width, std::size_t height);
  void fill(std::size_t x, std::size_t y, std::size_t width, std::size_t height,
            std::uint8_t colour) override;
  void text(std::size_t x, std::size_t y, std::size_t size, std::string_view characters,
            std::uint8_t colour) override;
  void field(std::size_t x, std::size_t y, std::size_t cell_width, std::size_t cell_height,
             std::size_t columns, std::span<const std::uint8_t> colours) override;
  PaletteImage take() { return std::move(image_); }

 private:
  PaletteImage image_;
};

/// A self-contained SVG: fields are pictures within it, all else is vectors.
class SvgPainter : public MapPainter {
 public:
  SvgPainter(std::size_t width, std::size_t height, std::string_view title);
  void fill(std::size_t x, std::size_t y, std::size_t width, std::size_t height,
            std::uint8_t colour) override;
  void text(std::size_t x, std::size_t y, std::size_t size, std::string_view characters,
            std::uint8_t colour) override;
  void field(std::size_t x, std::size_t y, std::size_t cell_width, std::size_t cell_height,
             std::size_t columns, std::span<const std::uint8_t> colours) override;
  std::string take();

 private:
  std::string svg_;
};

}  // namespace lvsa::analysis
