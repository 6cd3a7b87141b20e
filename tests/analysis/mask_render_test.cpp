#include "analysis/maps/mask_render.hpp"

#include <gtest/gtest.h>
#include <png.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "analysis/maps/mask_image.hpp"
#include "core/error.hpp"
#include "core/pattern/mask_text.hpp"

namespace lvsa::analysis {
namespace {

MaskMap map_of(const MaskRequest& request, const char* model = "wan-1.3b") {
  return build_mask_map(resolve_mask_settings(request, find_preset(model), {}));
}

TEST(MaskJson, SaysWhatThePatternSays) {
  const MaskMap map =
      map_of({.latent_frames = 61, .rotate = true, .condition = "7", .step = 3}, "hunyuan-1.5");
  const auto json = nlohmann::json::parse(mask_as_json(map));
  EXPECT_EQ(json["model"], "hunyuan-1.5");
  EXPECT_EQ(json["lvsa"], "1.3");
  EXPECT_EQ(json["step"], 3);
  EXPECT_EQ(json["latent_frames"], 61);
  EXPECT_EQ(json["tokens"], 61 * 1560 + 1000);
  EXPECT_EQ(json["text"], "joint");
  EXPECT_EQ(json["interval"]["latent_frames"], *map.schedule.interval);
  EXPECT_EQ(json["interval"]["offset"], 3 % *map.schedule.interval);
  EXPECT_EQ(json["global_frames"], nlohmann::json(map.pattern.globals));
  EXPECT_EQ(json["settings"]["condition_latent_frames"], nlohmann::json({7}));
  EXPECT_EQ(json["counts"]["frame_pairs"], map.pattern.frame_pairs());
  ASSERT_EQ(json["rows"].size(), 61U);
  std::int64_t pairs = 0;
  for (const auto& row : json["rows"]) {
    EXPECT_EQ(row["count"], row["attended"].size());
    pairs += row["count"].get<std::int64_t>();
    const auto f = row["frame"].get<std::size_t>();
    EXPECT_EQ(row["window"],
              nlohmann::json({map.pattern.windows[f].lo, map.pattern.windows[f].hi}));
  }
  EXPECT_EQ(pairs, map.pattern.frame_pairs());
}

TEST(MaskJson, HasNullWhereThereIsNoWindowAndNoInterval) {
  const auto json = nlohmann::json::parse(
      mask_as_json(map_of({.latent_frames = 5, .window = 0, .interval = "0"})));
  EXPECT_TRUE(json["interval"]["latent_frames"].is_null());
  EXPECT_FALSE(json["interval"].contains("budget"));
  EXPECT_TRUE(json["rows"][2]["window"].is_null());
  EXPECT_EQ(json["rows"][2]["attended"], nlohmann::json({0}));
}

TEST(MaskCsv, HasACellForEachPairOfFrames) {
  const MaskMap map = map_of({.latent_frames = 31});
  std::istringstream lines(mask_as_csv(map));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line.rfind("query_frame,0,1,2,", 0), 0U);
  for (std::int64_t f = 0; f < 31; ++f) {
    std::string expected = std::to_string(f);
    for (std::int64_t k = 0; k < 31; ++k) {
      expected += {',', static_cast<char>(mask_cell(map.pattern, f, k))};
    }
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_EQ(line, expected);
  }
  EXPECT_FALSE(std::getline(lines, line));
}

TEST(MaskSummary, NamesTheTermsOfTheInterval) {
  const std::string summary = mask_summary(map_of({.latent_frames = 61}));
  EXPECT_NE(summary.find("4 latent frames = max(strict 4, fallback 4); budget 21"),
            std::string::npos)
      << summary;
  EXPECT_NE(mask_summary(map_of({})).find("within the budget of 21"), std::string::npos);
  EXPECT_NE(mask_summary(map_of({.interval = "0"})).find("none (set to 0)"), std::string::npos);
  EXPECT_NE(mask_summary(map_of({.interval = "16"})).find("4 latent frames, set"),
            std::string::npos);
}

struct Picture {
  std::size_t width = 0;
  std::size_t height = 0;
  std::vector<std::uint8_t> rgb;  // [height * width * 3]
};

Picture decode(const std::string& bytes) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_memory(&header, bytes.data(), bytes.size()), 0);
  header.format = PNG_FORMAT_RGB;
  Picture picture{header.width, header.height, {}};
  picture.rgb.resize(PNG_IMAGE_SIZE(header));
  EXPECT_NE(png_image_finish_read(&header, nullptr, picture.rgb.data(), 0, nullptr), 0);
  return picture;
}

std::size_t pixels_of(const Picture& picture, const Rgb& colour) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < picture.rgb.size(); i += 3) {
    const bool same = picture.rgb[i] == colour.red && picture.rgb[i + 1] == colour.green &&
                      picture.rgb[i + 2] == colour.blue;
    if (same) ++count;
  }
  return count;
}

std::size_t cells_of(const FramePattern& pattern, MaskCell wanted) {
  std::size_t count = 0;
  for (std::int64_t f = 0; f < pattern.frames(); ++f) {
    for (std::int64_t k = 0; k < pattern.frames(); ++k) {
      if (mask_cell(pattern, f, k) == wanted) ++count;
    }
  }
  return count;
}

TEST(MaskPicture, PaintsEveryCellInItsColour) {
  constexpr std::size_t kLegendPixels = 14 * 14;
  for (const std::int64_t frames : {61, 400}) {
    const MaskMap map = map_of({.latent_frames = frames});
    const PaletteImage image = draw_mask(map);
    const Picture picture = decode(encode_png(image));
    EXPECT_EQ(picture.width, image.width);
    EXPECT_EQ(picture.height, image.height);
    const std::size_t cell = mask_cell_pixels(frames);
    const std::size_t painted = cell >= 5 ? (cell - 1) * (cell - 1) : cell * cell;
    const auto expected = [&](MaskCell kind) {
      return cells_of(map.pattern, kind) * painted + kLegendPixels;
    };
    EXPECT_EQ(pixels_of(picture, image.palette[kGlobalColour]), expected(MaskCell::kGlobal));
    EXPECT_EQ(pixels_of(picture, image.palette[kWindowColour]), expected(MaskCell::kWindow));
    EXPECT_EQ(pixels_of(picture, image.palette[kBothColour]), expected(MaskCell::kBoth));
    EXPECT_EQ(pixels_of(picture, image.palette[kSkipColour]), expected(MaskCell::kSkip));
  }
}

TEST(MaskPicture, IsDrawnForEveryLengthFromOneFrameOn) {
  for (const std::int64_t frames :
       {1, 2, 9, 10, 11, 29, 30, 31, 99, 100, 101, 719, 720, 721, 999}) {
    const PaletteImage image = draw_mask(map_of({.latent_frames = frames}));
    EXPECT_EQ(image.pixels.size(), image.width * image.height);
  }
}

TEST(MaskForms, RefuseMoreThanTheyCanHold) {
  const MaskMap map = map_of({.latent_frames = 16'385});
  EXPECT_THROW(mask_as_text(map), Error);
  EXPECT_THROW(mask_as_csv(map), Error);
  EXPECT_THROW(draw_mask(map), Error);
}

TEST(PngImage, RefusesWhatDoesNotFitTogether) {
  EXPECT_THROW(encode_png({}), Error);
  EXPECT_THROW(encode_png({2, 2, {{0, 0, 0}}, {0, 0, 0}}), Error);
  EXPECT_THROW(encode_png({1, 1, {{0, 0, 0}}, {1}}), Error);
  EXPECT_FALSE(encode_png({1, 1, {{0, 0, 0}}, {0}}).empty());
}

}  // namespace
}  // namespace lvsa::analysis
