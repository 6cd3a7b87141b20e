// Pictures of maps, read back by libpng.

#include <gtest/gtest.h>
#include <png.h>

#include <cmath>
#include <cstring>
#include <map>

#include "analysis/maps/map_pictures.hpp"
#include "analysis/maps/map_sheet.hpp"
#include "core/error.hpp"
#include "core/io/apng_image.hpp"
#include "tests/maps/maps_support.hpp"

namespace lvsa::analysis {
namespace {

struct Decoded {
  std::size_t width = 0;
  std::size_t height = 0;
  std::vector<std::uint8_t> rgb;
};

Decoded decode(const std::string& bytes) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()), 0);
  image.format = PNG_FORMAT_RGB;
  Decoded decoded{image.width, image.height, {}};
  decoded.rgb.resize(PNG_IMAGE_SIZE(image));
  EXPECT_NE(png_image_finish_read(&image, nullptr, decoded.rgb.data(), 0, nullptr), 0)
      << image.message;
  return decoded;
}

std::vector<std::uint8_t> expected_rgb(const PaletteImage& image) {
  std::vector<std::uint8_t> rgb;
  for (const std::uint8_t pixel : image.pixels) {
    const Rgb& colour = image.palette[pixel];
    rgb.insert(rgb.end(), {colour.red, colour.green, colour.blue});
  }
  return rgb;
}

std::uint32_t number_at(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = value << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  }
  return value;
}

struct Chunk {
  std::string type;
  std::string data;
};

std::vector<Chunk> chunks_of(const std::string& file) {
  std::vector<Chunk> chunks;
  for (std::size_t at = 8; at + 12 <= file.size();) {
    const std::size_t size = number_at(file, at);
    chunks.push_back({file.substr(at + 4, 4), file.substr(at + 8, size)});
    at += 12 + size;
  }
  return chunks;
}

std::string chunk_bytes(const Chunk& chunk) {
  const std::string body = chunk.type + chunk.data;
  std::string bytes;
  const auto put = [&](std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  };
  put(static_cast<std::uint32_t>(chunk.data.size()));
  bytes += body;
  std::uint32_t crc = 0xffffffffU;  // the polynomial of the standard, bit by bit
  for (const char c : body) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
  }
  put(~crc);
  return bytes;
}

// Each picture of an animation as a PNG of its own, and the numbers of its chunks.
std::vector<std::string> pictures_of(const std::string& file, std::vector<std::uint32_t>& numbers) {
  std::string head = file.substr(0, 8);
  std::vector<std::string> pictures;
  for (const Chunk& chunk : chunks_of(file)) {
    if (chunk.type == "IHDR" || chunk.type == "PLTE") head += chunk_bytes(chunk);
    if (chunk.type == "fcTL" || chunk.type == "fdAT") numbers.push_back(number_at(chunk.data, 0));
    if (chunk.type != "IDAT" && chunk.type != "fdAT") continue;
    const std::string data = chunk.type == "fdAT" ? chunk.data.substr(4) : chunk.data;
    pictures.push_back(head + chunk_bytes({"IDAT", data}) + chunk_bytes({"IEND", ""}));
  }
  return pictures;
}

PaletteImage small_picture(std::uint8_t seed) {
  PaletteImage image{5, 3, {{0, 0, 0}, {255, 0, 9}, {1, 2, 3}}, {}};
  for (std::uint8_t i = 0; i < 15; ++i) {
    image.pixels.push_back(static_cast<std::uint8_t>((i * 7 + seed) % 3));
  }
  return image;
}

TEST(MovingPicture, HoldsEveryPictureForAReaderOfPng) {
  const std::vector<PaletteImage> pictures = {small_picture(0), small_picture(1), small_picture(2)};
  const std::string file = encode_apng(pictures, {250, 3});
  EXPECT_EQ(decode(file).rgb, expected_rgb(pictures[0])) << "readers that know no animation";
  std::vector<std::uint32_t> numbers;
  const std::vector<std::string> parts = pictures_of(file, numbers);
  ASSERT_EQ(parts.size(), pictures.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    EXPECT_EQ(decode(parts[i]).rgb, expected_rgb(pictures[i])) << i;
  }
  EXPECT_EQ(numbers, (std::vector<std::uint32_t>{0, 1, 2, 3, 4}));
  const Chunk control = chunks_of(file)[1];
  EXPECT_EQ(control.type, "acTL");
  EXPECT_EQ(number_at(control.data, 0), 3U);
  EXPECT_EQ(number_at(control.data, 4), 3U);
}

TEST(MovingPicture, RefusesPicturesThatDoNotFitTogether) {
  EXPECT_THROW(encode_apng({}), Error);
  std::vector<PaletteImage> pictures = {small_picture(0), small_picture(1)};
  pictures[1].palette[0] = {9, 9, 9};
  EXPECT_THROW(encode_apng(pictures), Error);
  pictures[1] = small_picture(1);
  pictures[1].width = 4;
  EXPECT_THROW(encode_apng(pictures), Error);
  pictures[1] = small_picture(1);
  pictures[1].pixels[3] = 3;
  EXPECT_THROW(encode_apng(pictures), Error);
}

// Relative luminance of sRGB (WCAG 2).
double luminance(const Rgb& rgb) {
  const auto part = [](std::uint8_t value) {
    const double x = value / 255.0;
    return x <= 0.04045 ? x / 12.92 : std::pow((x + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * part(rgb.red) + 0.7152 * part(rgb.green) + 0.0722 * part(rgb.blue);
}

TEST(MapColours, GrowLighterFromLevelToLevel) {
  const auto& palette = map_palette();
  ASSERT_EQ(palette.size(), static_cast<std::size_t>(kFirstLevel + kLevels));
  ASSERT_LE(palette.size(), 256U);
  for (std::size_t i = kFirstLevel + 2; i < palette.size(); ++i) {
    EXPECT_GT(luminance(palette[i]), luminance(palette[i - 2])) << i;
  }
  EXPECT_LT(luminance(palette[kFirstLevel]), 0.02);
  EXPECT_GT(luminance(palette.back()), 0.8);
}

TEST(MapColours, ScaleOfPowersOfTenIsEven) {
  const ColourScale scale;
  EXPECT_EQ(scale.colour(0.0), kFirstLevel);
  EXPECT_EQ(scale.colour(1e-4), kFirstLevel);
  EXPECT_EQ(scale.colour(1.0), kFirstLevel + kLevels - 1);
  EXPECT_NEAR(scale.place(0.01), 0.5, 1e-12);
  EXPECT_EQ(scale.ticks().size(), 5U);
  EXPECT_EQ(scale.colour(std::nan("")), kFirstLevel);
  const ColourScale linear{0.0, 1.0, false};
  EXPECT_NEAR(linear.place(0.25), 0.25, 1e-12);
}

Dump small_dump(std::int64_t frames, std::int64_t steps) {
  Dump dump;
  dump.grid = {frames, 6, 2};
  dump.options.size = {2, 3, "test"};
  dump.offsets = {0};
  dump.patterns = {build_frame_pattern({frames, 1, 1, 3, 0, true, {}})};
  for (std::int64_t step = 0; step < steps; ++step) {
    for (std::int64_t h = 0; h < 2; ++h) {
      DumpedHead head;
      head.id = {"test", 4, step, 0, h};
      const auto cells = static_cast<std::size_t>(frames * frames);
      for (std::size_t i = 0; i < cells; ++i) {
        head.mass.mass.push_back(
            std::pow(10.0, -4.0 * static_cast<double>(i) / static_cast<double>(cells)));
      }
      head.mass.grid = dump.grid;
      head.mass.text.assign(static_cast<std::size_t>(frames), 0.1);
      head.kept = apply_pattern(head.mass, dump.patterns[0]);
      dump.heads.push_back(head);
    }
  }
  return dump;
}

std::map<std::string, std::string> files_of(const Dump& dump, Pictures pictures) {
  std::map<std::string, std::string> files;
  draw_pictures(dump, {pictures, {}}, [&](const std::string& name, const std::string& bytes) {
    EXPECT_TRUE(files.emplace(name, bytes).second) << name;
  });
  return files;
}

TEST(MapPictures, HaveNamesThatSortAndAnAnimationOverTheSteps) {
  const auto files = files_of(small_dump(5, 2), Pictures::kHeads);
  for (const char* name :
       {"maps_layer004_step000.png", "maps_layer004_step001.svg", "steps_layer004.png",
        "head_layer004_step001_head01.png", "head_layer004_step000_head00.svg"}) {
    EXPECT_TRUE(files.contains(name)) << name;
  }
  EXPECT_EQ(files.size(), 2U * 2 + 4 * 2 + 1);
  EXPECT_TRUE(files_of(small_dump(5, 2), Pictures::kNone).empty());
  EXPECT_FALSE(files_of(small_dump(5, 1), Pictures::kSheets).contains("steps_layer004.png"));
}

// Each cell of a map has the colour of its mass where neither marks nor lines lie: at this size its
// corner next to the border within.
TEST(MapPictures, ShowEachMassInItsColour) {
  const Dump dump = small_dump(7, 1);
  const MapSheet sheet{
      {"x"}, &dump.patterns[0], {{"a", "b", &dump.heads[0].mass, &dump.heads[0].kept}}, {}};
  const Decoded decoded = decode(encode_png(draw_sheet(sheet)));
  std::map<std::uint32_t, int> seen;
  for (std::size_t i = 0; i < decoded.rgb.size(); i += 3) {
    ++seen[decoded.rgb[i] << 16U | decoded.rgb[i + 1] << 8U | decoded.rgb[i + 2]];
  }
  const auto cell = static_cast<int>(sheet_cell_pixels(7, 1));
  for (const double mass : dump.heads[0].mass.mass) {
    const Rgb& rgb = map_palette()[sheet.scale.colour(mass)];
    const std::uint32_t colour = rgb.red << 16U | rgb.green << 8U | std::uint32_t{rgb.blue};
    EXPECT_GE(seen[colour], cell * cell / 2) << mass;
  }
}

TEST(MapPictures, RefuseWhatDoesNotFitIntoAPicture) {
  EXPECT_THROW(files_of(small_dump(kMaxSheetFrames + 1, 1), Pictures::kSheets), Error);
}

}  // namespace
}  // namespace lvsa::analysis
