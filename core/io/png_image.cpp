#include "core/io/png_image.hpp"

#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <climits>

#include "core/error.hpp"

namespace lvsa {
namespace {

constexpr std::size_t kMostColours = 256;

void check(const PaletteImage& image) {
  const bool sized = image.width >= 1 && image.height >= 1 && image.width <= INT_MAX &&
                     image.height <= INT_MAX && image.pixels.size() == image.width * image.height;
  const bool coloured = !image.palette.empty() && image.palette.size() <= kMostColours;
  if (!sized || !coloured || *std::ranges::max_element(image.pixels) >= image.palette.size()) {
    throw Error(ErrorKind::kValue,
                fmt::format("image of {}x{} with {} pixels and {} colours: a pixel for each place, "
                            "each with a colour of at most {} is due",
                            image.width, image.height, image.pixels.size(), image.palette.size(),
                            kMostColours));
  }
}

}  // namespace

std::string encode_png(const PaletteImage& image) {
  check(image);
  std::vector<png_byte> colours;
  for (const Rgb& colour : image.palette) {
    colours.insert(colours.end(), {colour.red, colour.green, colour.blue});
  }
  // libpng's simplified interface: it reports errors by value, without longjmp.
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = PNG_FORMAT_RGB_COLORMAP;
  header.colormap_entries = static_cast<png_uint_32>(image.palette.size());
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::string bytes(size, '\0');
  const auto stride = static_cast<png_int_32>(image.width);
  if (png_image_write_to_memory(&header, bytes.data(), &size, 0, image.pixels.data(), stride,
                                colours.data()) == 0) {
    throw Error(ErrorKind::kIo, fmt::format("PNG of {}x{} pixels: {}", image.width, image.height,
                                            static_cast<const char*>(header.message)));
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace lvsa
