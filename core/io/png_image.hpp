#pragma once
// Pictures with a few colours, as PNG.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lvsa {

struct Rgb {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
};

/// A pixel is an index into the palette; rows from the top, pixels from the left.
struct PaletteImage {
  std::size_t width = 0;
  std::size_t height = 0;
  std::vector<Rgb> palette;          ///< at most 256 colours
  std::vector<std::uint8_t> pixels;  ///< [height * width]
};

/// The bytes of a PNG file. Throws Error(kValue) for an image without pixels, with sides beyond
/// 2^31 - 1 or whose parts do not fit together, and Error(kIo) when libpng refuses.
std::string encode_png(const PaletteImage& image);

}  // namespace lvsa
