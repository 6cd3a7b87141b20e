#include "analysis/maps/mask_map.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/maps/mask_render.hpp"
#include "core/error.hpp"
#include "core/io/line_reader.hpp"

namespace lvsa::analysis {
namespace {

MaskMap map_of(const MaskRequest& request, const char* model = "wan-1.3b") {
  return build_mask_map(resolve_mask_settings(request, find_preset(model), {}));
}

// Every query-key pair of tokens, one by one.
std::int64_t count_pairs(const MaskMap& map, bool only_attended) {
  const FrameGrid& grid = map.settings.grid;
  const bool text_asks = map.settings.model.text_kind == TextKind::kJoint;
  const std::int64_t queries = text_asks ? grid.seq_len() : grid.video_tokens();
  std::int64_t pairs = 0;
  for (std::int64_t q = 0; q < queries; ++q) {
    for (std::int64_t k = 0; k < grid.seq_len(); ++k) {
      const bool of_text = q >= grid.video_tokens() || k >= grid.video_tokens();
      const auto attends = [&] {
        const auto row = map.pattern.row(q / grid.patches_per_frame);
        return std::ranges::count(row, k / grid.patches_per_frame) == 1;
      };
      if (!only_attended || of_text || attends()) ++pairs;
    }
  }
  return pairs;
}

TEST(MaskMap, CountsEveryTokenPairOnceWhereverTheTextStands) {
  const MaskRequest bare = {.latent_frames = 15, .patches = 3, .window = 4, .reference = 5};
  MaskRequest with_text = bare;
  with_text.text_tokens = 7;
  for (const MaskMap& map :
       {map_of(bare, "wan-1.3b"), map_of(with_text, "hunyuan-1.5"), map_of(with_text, "cosmos3")}) {
    SCOPED_TRACE(map.settings.model.name);
    EXPECT_EQ(map.counts.token_pairs, count_pairs(map, true));
    EXPECT_EQ(map.counts.dense_token_pairs, count_pairs(map, false));
    EXPECT_LT(map.counts.token_density, 1.0);
  }
}

TEST(MaskMap, HasTheSameDensityOfTokensAsOfFramesWithoutText) {
  const MaskMap map = map_of({.latent_frames = 61});
  EXPECT_DOUBLE_EQ(map.counts.token_density, map.counts.frame_density);
  EXPECT_DOUBLE_EQ(map.counts.speedup_bound(), 1.0 / map.counts.frame_density);
}

TEST(MaskMap, IsDenseAtTheReferenceLengthOfEveryModel) {
  for (const ModelPreset& preset : builtin_presets()) {
    const MaskMap map = map_of({}, preset.name.c_str());
    EXPECT_EQ(map.counts.least_frames, preset.reference_latent_frames) << preset.name;
    EXPECT_EQ(map.counts.speedup_bound(), 1.0) << preset.name;
  }
}

TEST(MaskMap, AttendsItsBudgetBeyondTheReferenceLength) {
  const MaskMap map = map_of({.latent_frames = 121});
  EXPECT_EQ(map.counts.least_frames, 21);
  EXPECT_EQ(map.counts.most_frames, 21);
  EXPECT_EQ(map.schedule.interval, 9);
}

TEST(MaskMap, RefusesTokenPairsBeyond64Bits) {
  EXPECT_THROW(map_of({.latent_frames = 900, .patches = 99'999'999'999}), Error);
}

// Any set of global frames as options: no interval, no first frames, condition frames alone.
MaskRequest request_of(const nlohmann::json& args) {
  return {.latent_frames = args.at("T").get<std::int64_t>(),
          .window = 4 * args.at("W").get<std::int64_t>(),
          .n_first = 0,
          .interval = "0",
          .expand = args.at("expand").get<bool>(),
          .condition = fmt::format(
              "{}", fmt::join(args.at("global_indices").get<std::vector<std::int64_t>>(), ","))};
}

TEST(MaskMap, PrintsEveryRecordedMaskToTheByte) {
  LineReader lines(std::string(LVSA_SOURCE_DIR) + "/fixtures/pattern_vectors.ndjson.gz");
  std::string line;
  int masks = 0;
  while (lines.next(line)) {
    if (line.find("print_attention_mask_compact") == std::string::npos) continue;
    const auto recorded = nlohmann::json::parse(line);
    EXPECT_EQ(mask_as_text(map_of(request_of(recorded.at("args")))),
              recorded.at("out").get<std::string>())
        << recorded.at("args");
    ++masks;
  }
  EXPECT_EQ(masks, 24);
}

}  // namespace
}  // namespace lvsa::analysis
