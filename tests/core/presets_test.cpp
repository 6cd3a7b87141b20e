#include "core/config/presets.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/error.hpp"
#include "core/io/atomic_file.hpp"

namespace lvsa {
namespace {

// The table of the LVSA documentation, typed in a second time.
struct Row {
  const char* name;
  std::int64_t video_frames, reference, heads, kv_heads, head_dim, blocks;
  std::vector<std::int64_t> patches;
  std::int64_t largest_text;
};

const std::vector<Row> kDocumented = {
    {"wan-1.3b", 81, 21, 12, 12, 128, 30, {1560, 3600}, 0},
    {"wan-14b", 81, 21, 40, 40, 128, 40, {1560, 3600}, 0},
    {"wan2.2-5b", 121, 31, 24, 24, 128, 30, {880}, 0},
    {"hunyuan-1.5", 129, 33, 16, 16, 128, 54, {1560, 1590}, 1985},
    {"cosmos3", 189, 48, 32, 8, 128, 36, {920}, 4096},
    {"cogvideox-5b", 49, 13, 48, 48, 64, 42, {1350}, 226},
};

TEST(Presets, HoldEveryDocumentedRow) {
  ASSERT_EQ(builtin_presets().size(), kDocumented.size());
  for (const Row& row : kDocumented) {
    SCOPED_TRACE(row.name);
    const ModelPreset& preset = find_preset(row.name);
    EXPECT_EQ(preset.reference_latent_frames, row.reference);
    EXPECT_EQ(preset.heads, row.heads);
    EXPECT_EQ(preset.kv_heads, row.kv_heads);
    EXPECT_EQ(preset.head_dim, row.head_dim);
    EXPECT_EQ(preset.blocks, row.blocks);
    EXPECT_EQ(preset.largest_text_tokens, row.largest_text);
    EXPECT_LE(preset.usual_text_tokens, preset.largest_text_tokens);
    EXPECT_EQ(preset.text_kind == TextKind::kNone, row.largest_text == 0);
    EXPECT_FALSE(preset.title.empty());
    EXPECT_FALSE(preset.source.empty());
  }
}

TEST(Presets, TurnTheirVideosIntoTheDocumentedGrids) {
  for (const Row& row : kDocumented) {
    SCOPED_TRACE(row.name);
    const ModelPreset& preset = find_preset(row.name);
    EXPECT_EQ(latent_frames(preset, row.video_frames), row.reference);
    std::vector<std::int64_t> patches;
    for (const VideoSize& size : preset.sizes) patches.push_back(patches_per_frame(preset, size));
    EXPECT_EQ(patches, row.patches);
    EXPECT_EQ(patches_per_frame(preset), row.patches.front());
  }
}

TEST(Presets, NameTheKnownOnesWhenAskedForAnother) {
  try {
    find_preset("wan");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "model 'wan' is not known; one of wan-1.3b, wan-14b, wan2.2-5b, hunyuan-1.5, "
                 "cosmos3, cogvideox-5b is due");
  }
}

class PresetFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string form = (std::filesystem::temp_directory_path() / "lvsa-presets-XXXXXX").string();
    ASSERT_NE(::mkdtemp(form.data()), nullptr);
    folder_ = form;
    path_ = form + "/models.json";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::vector<ModelPreset> load(const std::string& text) const {
    write_file_atomically(path_, text);
    return load_presets(path_);
  }
  // The message behind "FILE: ".
  std::string complaint(const std::string& text) const {
    try {
      load(text);
    } catch (const Error& error) {
      const std::string message = error.what();
      EXPECT_EQ(message.rfind(path_ + ": ", 0), 0U) << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
      return message.substr(path_.size() + 2);
    }
    return "no error";
  }
  // The complaint about one more key of an otherwise right model.
  std::string complaint_about(const std::string& member) const {
    return complaint(R"({"models": [{"name": "mine", "like": "cosmos3", )" + member + "}]}");
  }

  std::filesystem::path folder_;
  std::string path_;
};

TEST_F(PresetFile, AddsAModelInFull) {
  const auto presets = load(R"({"models": [{"name": "mine", "reference_latent_frames": 9,
      "heads": 6, "head_dim": 96, "blocks": 3, "sizes": [[64, 96]], "vae_temporal_factor": 8,
      "temporal_patch_size": 2, "text": "joint", "usual_text_tokens": 7}]})");
  ASSERT_EQ(presets.size(), 1U);
  const ModelPreset& mine = presets.front();
  EXPECT_EQ(mine.title, "mine");
  EXPECT_EQ(mine.kv_heads, 6);
  EXPECT_EQ(mine.largest_text_tokens, 7);
  EXPECT_EQ(latent_frames(mine, 81), 6);
  EXPECT_EQ(patches_per_frame(mine), 4 * 6);
  EXPECT_EQ(mine.source, path_);
}

TEST_F(PresetFile, ChangesOnlyWhatItSaysOfABuiltInModel) {
  write_file_atomically(path_, R"({"models": [{"name": "wan-1.3b", "reference_latent_frames": 41},
      {"name": "tiny", "like": "cosmos3", "blocks": 2}]})");
  PresetTable table;
  table.add_file(path_);
  EXPECT_EQ(table.all().size(), builtin_presets().size() + 1);
  EXPECT_EQ(table.find("wan-1.3b").reference_latent_frames, 41);
  EXPECT_EQ(table.find("wan-1.3b").title, "Wan 2.1 1.3B");
  EXPECT_EQ(table.find("tiny").kv_heads, 8);
  EXPECT_EQ(table.find("tiny").blocks, 2);
  EXPECT_EQ(find_preset("wan-1.3b").reference_latent_frames, 21);
  EXPECT_THROW(table.find("none"), Error);
}

TEST_F(PresetFile, NamesFileModelKeyAndValueOfWhatIsWrong) {
  EXPECT_EQ(complaint_about(R"("heads": 0)"),
            "model 'mine': \"heads\" is 0; a positive 64-bit integer is due");
  EXPECT_EQ(complaint_about(R"("blocks": -3)"),
            "model 'mine': \"blocks\" is -3; a positive 64-bit integer is due");
  EXPECT_EQ(complaint_about(R"("blocks": 18446744073709551615)"),
            "model 'mine': \"blocks\" is 18446744073709551615; a positive 64-bit integer is due");
  EXPECT_EQ(complaint_about(R"("head_dim": "128")"),
            "model 'mine': \"head_dim\" is \"128\"; an integer is due");
  EXPECT_EQ(complaint_about(R"("kv_heads": 5)"),
            "model 'mine': \"heads\" is 32, \"kv_heads\" is 5; a multiple of kv_heads is due");
  EXPECT_EQ(complaint_about(R"("rounds_up": 1)"),
            "model 'mine': \"rounds_up\" is 1; true or false is due");
  EXPECT_EQ(complaint_about(R"("text": "behind")"),
            "model 'mine': \"text\" is \"behind\"; \"none\", \"joint\" or \"front\" is due");
  EXPECT_EQ(complaint_about(R"("usual_text_tokens": 9, "largest_text_tokens": 8)"),
            "model 'mine': \"usual_text_tokens\" is 9; at most largest_text_tokens, 8, is due");
  EXPECT_EQ(complaint_about(R"("like": "wan")"),
            "\"like\" is there twice in one object; once is due");
  EXPECT_EQ(complaint(R"({"models": [{"name": "mine", "like": "wan"}]})"),
            "model 'mine': \"like\" is \"wan\"; the name of a built-in model is due");
  EXPECT_EQ(complaint(R"({"models": [{"name": "mine", "heads": 4}]})"),
            "model 'mine': \"reference_latent_frames\" is missing");
  EXPECT_EQ(complaint(R"({"models": [{"name": "a", "like": "cosmos3"},
                                     {"name": "a", "like": "cosmos3"}]})"),
            "model 'a' is there twice; once is due");
}

TEST_F(PresetFile, RefusesSizesThatAreNone) {
  for (const char* sizes : {"[]", "[480, 832]", "[[480]]", "[[480, 0]]", "[[480, \"832\"]]"}) {
    EXPECT_NE(complaint_about(fmt::format("\"sizes\": {}", sizes)).find("[height, width] pairs"),
              std::string::npos)
        << sizes;
  }
  EXPECT_EQ(complaint(R"({"models": [{"name": "wan-1.3b", "sizes": [[15, 832]]}]})"),
            "model 'wan-1.3b': \"sizes\": 15x832 pixels hold no patch of 16 pixels a side");
}

TEST_F(PresetFile, RefusesUnknownKeysAndOtherForms) {
  EXPECT_NE(complaint_about(R"("head": 3)").find("\"head\" is no key; one of name, like"),
            std::string::npos);
  EXPECT_NE(complaint("[]").find("{\"models\": [...]}"), std::string::npos);
  EXPECT_NE(complaint(R"({"models": [], "more": 1})").find("nothing else"), std::string::npos);
  EXPECT_NE(complaint(R"({"models": [1]})").find("models[0] is 1; an object"), std::string::npos);
  EXPECT_NE(complaint(R"({"models": [{}]})").find("\"name\" is missing"), std::string::npos);
  EXPECT_NE(complaint("{").find("no valid JSON"), std::string::npos);
}

TEST_F(PresetFile, RefusesAFolderAndAMissingFile) {
  EXPECT_THROW(load_presets(folder_.string()), Error);
  EXPECT_THROW(load_presets(path_), Error);
}

}  // namespace
}  // namespace lvsa
