#include "core/io/apng_image.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <climits>
#include <string_view>

#include "core/error.hpp"

namespace lvsa {
namespace {

void put(std::string& bytes, std::uint32_t value, int count) {
  for (int shift = 8 * (count - 1); shift >= 0; shift -= 8) {
    bytes += static_cast<char>(value >> shift & 0xffU);
  }
}

void put_chunk(std::string& file, std::string_view type, std::string_view data) {
  put(file, static_cast<std::uint32_t>(data.size()), 4);
  const std::size_t begin = file.size();
  file += type;
  file += data;
  const auto* const bytes = reinterpret_cast<const Bytef*>(file.data() + begin);
  put(file, static_cast<std::uint32_t>(crc32_z(0, bytes, file.size() - begin)), 4);
}

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorKind::kValue, fmt::format("moving picture: {}", what));
}

bool same_colour(const Rgb& a, const Rgb& b) {
  return a.red == b.red && a.green == b.green && a.blue == b.blue;
}

void check(std::span<const PaletteImage> pictures) {
  if (pictures.empty()) refuse("at least one picture is due");
  const PaletteImage& first = pictures.front();
  if (first.palette.empty() || first.palette.size() > 256 || first.width < 1 || first.height < 1 ||
      first.width > INT_MAX || first.height > INT_MAX) {
    refuse(
        fmt::format("{}x{} pixels of {} colours", first.width, first.height, first.palette.size()));
  }
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const PaletteImage& picture = pictures[i];
    if (picture.width != first.width || picture.height != first.height ||
        !std::ranges::equal(picture.palette, first.palette, same_colour)) {
      refuse(fmt::format("picture {} has another size or other colours than the first", i));
    }
    if (picture.pixels.size() != picture.width * picture.height ||
        *std::ranges::max_element(picture.pixels) >= picture.palette.size()) {
      refuse(fmt::format("picture {} has not a colour of its palette for each pixel", i));
    }
  }
}

// Rows without a filter: a palette's numbers have no slopes that one could use.
std::string deflated_rows(const PaletteImage& picture) {
  std::string rows;
  rows.reserve((picture.width + 1) * picture.height);
  for (std::size_t y = 0; y < picture.height; ++y) {
    rows += '\0';
    const auto* const row = picture.pixels.data() + y * picture.width;
    rows.append(reinterpret_cast<const char*>(row), picture.width);
  }
  uLongf size = compressBound(static_cast<uLong>(rows.size()));
  std::string packed(size, '\0');
  const int status =
      compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                reinterpret_cast<const Bytef*>(rows.data()), static_cast<uLong>(rows.size()), 9);
  if (status != Z_OK || size > INT_MAX - 4) {
    throw Error(ErrorKind::kIo, fmt::format("moving picture of {}x{} pixels: zlib status {}",
                                            picture.width, picture.height, status));
  }
  packed.resize(size);
  return packed;
}

std::string header_of(const PaletteImage& picture) {
  std::string data;
  put(data, static_cast<std::uint32_t>(picture.width), 4);
  put(data, static_cast<std::uint32_t>(picture.height), 4);
  data += {8, 3, 0, 0, 0};  // bits, palette, deflate, filters, no interlace
  return data;
}

std::string control_of(const PaletteImage& picture, std::uint32_t number,
                       const Animation& animation) {
  std::string data;
  put(data, number, 4);
  put(data, static_cast<std::uint32_t>(picture.width), 4);
  put(data, static_cast<std::uint32_t>(picture.height), 4);
  put(data, 0, 4);  // from the left
  put(data, 0, 4);  // from the top
  put(data, animation.delay_ms, 2);
  put(data, 1000, 2);
  data += {0, 0};  // the picture stays, and replaces what is there
  return data;
}

}  // namespace

std::string encode_apng(std::span<const PaletteImage> pictures, const Animation& animation) {
  check(pictures);
  const PaletteImage& first = pictures.front();
  std::string file = "\x89PNG\r\n\x1a\n";
  put_chunk(file, "IHDR", header_of(first));
  std::string count;
  put(count, static_cast<std::uint32_t>(pictures.size()), 4);
  put(count, animation.plays, 4);
  put_chunk(file, "acTL", count);
  std::string colours;
  for (const Rgb& colour : first.palette) {
    for (const std::uint8_t part : {colour.red, colour.green, colour.blue}) put(colours, part, 1);
  }
  put_chunk(file, "PLTE", colours);
  std::uint32_t number = 0;
  for (const PaletteImage& picture : pictures) {
    put_chunk(file, "fcTL", control_of(picture, number++, animation));
    std::string data = deflated_rows(picture);
    if (&picture == &first) {
      put_chunk(file, "IDAT", data);
      continue;
    }
    std::string numbered;
    put(numbered, number++, 4);
    put_chunk(file, "fdAT", numbered + data);
  }
  put_chunk(file, "IEND", "");
  return file;
}

}  // namespace lvsa
