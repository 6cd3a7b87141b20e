#include "analysis/maps/mask_settings.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {
namespace {

MaskSettings resolve(const MaskRequest& request, const char* model = "wan-1.3b",
                     const Environment& environment = {}) {
  return resolve_mask_settings(request, find_preset(model), environment);
}

std::string refusal(const MaskRequest& request, const char* model = "wan-1.3b",
                    const Environment& environment = {}) {
  return test_support::refusal_of([&] { resolve(request, model, environment); });
}

TEST(MaskSettings, TakeEverythingFromTheModelWhenNothingIsSaid) {
  const MaskSettings settings = resolve({}, "hunyuan-1.5");
  EXPECT_EQ(settings.grid.frames, 33);
  EXPECT_EQ(settings.grid.patches_per_frame, 1560);
  EXPECT_EQ(settings.grid.text_tokens, 1000);
  EXPECT_EQ(settings.config.reference_latent_frames, 33);
  EXPECT_EQ(settings.step, 0);
}

TEST(MaskSettings, CountVideoFramesByTheModelsRule) {
  EXPECT_EQ(resolve({.video_frames = 81}).grid.frames, 21);
  EXPECT_EQ(resolve({.video_frames = 84}).grid.frames, 21);
  EXPECT_EQ(resolve({.video_frames = 85}).grid.frames, 22);
  EXPECT_EQ(resolve({.latent_frames = 121}).grid.frames, 121);
}

TEST(MaskSettings, TakePatchesFromTheResolutionByTheModelsRule) {
  EXPECT_EQ(resolve({.height = 720, .width = 1280}).grid.patches_per_frame, 3600);
  EXPECT_EQ(resolve({.height = 720, .width = 1280}, "cosmos3").grid.patches_per_frame, 920);
  EXPECT_EQ(resolve({.patches = 7}).grid.patches_per_frame, 7);
}

TEST(MaskSettings, LetTheEnvironmentOverTheModelAndTheRequestOverBoth) {
  const Environment environment = {{"LVSA_REFERENCE_LATENT_FRAMES", "25"},
                                   {"LVSA_WINDOW_SIZE", "20"},
                                   {"LVSA_N_FIRST_FRAMES", "8"},
                                   {"LVSA_ROTATE_KEYFRAMES", "1"},
                                   {"LVSA_EXPAND_WINDOW", "0"},
                                   {"LVSA_SPARSITY_SCALE", "0.5"},
                                   {"LVSA_TOTAL_LATENT_FRAMES", "50"},
                                   {"LVSA_VIDEO_HEIGHT", "720"},
                                   {"LVSA_VIDEO_WIDTH", "1280"},
                                   {"LVSA_CONDITION_LATENT_FRAMES", "0,x,9"}};
  const MaskSettings ambient = resolve({}, "wan-1.3b", environment);
  EXPECT_EQ(ambient.config.reference_latent_frames, 25);
  EXPECT_EQ(ambient.config.latent_window_size(), 5);
  EXPECT_EQ(ambient.config.latent_n_first_frames(), 2);
  EXPECT_TRUE(ambient.config.rotate_keyframes);
  EXPECT_FALSE(ambient.config.expand_window);
  EXPECT_EQ(ambient.config.sparsity_scale, 0.5);
  EXPECT_EQ(ambient.grid.frames, 50);
  EXPECT_EQ(ambient.grid.patches_per_frame, 3600);
  EXPECT_EQ(ambient.condition_frames, (std::vector<std::int64_t>{0, 9}));

  const MaskSettings asked = resolve({.latent_frames = 60,
                                      .patches = 4,
                                      .window = 12,
                                      .n_first = 0,
                                      .interval = "16",
                                      .reference = 30,
                                      .scale = 2.0,
                                      .rotate = false,
                                      .expand = true,
                                      .condition = ""},
                                     "wan-1.3b", environment);
  EXPECT_EQ(asked.grid.frames, 60);
  EXPECT_EQ(asked.grid.patches_per_frame, 4);
  EXPECT_EQ(asked.config.latent_window_size(), 3);
  EXPECT_EQ(asked.config.latent_n_first_frames(), 0);
  EXPECT_FALSE(asked.config.auto_keyframes);
  EXPECT_EQ(asked.config.latent_key_frame_interval(), 4);
  EXPECT_EQ(asked.config.reference_latent_frames, 30);
  EXPECT_EQ(asked.config.sparsity_scale, 2.0);
  EXPECT_FALSE(asked.config.rotate_keyframes);
  EXPECT_TRUE(asked.config.expand_window);
  EXPECT_TRUE(asked.condition_frames.empty());
}

TEST(MaskSettings, ReturnToTheAutomaticIntervalOnRequest) {
  const Environment environment = {{"LVSA_AUTO_KEYFRAMES", "0"}};
  EXPECT_FALSE(resolve({}, "wan-1.3b", environment).config.auto_keyframes);
  EXPECT_TRUE(resolve({.interval = "auto"}, "wan-1.3b", environment).config.auto_keyframes);
}

TEST(MaskSettings, LetTheJsonConfigurationSayOnlyWhatItNames) {
  const Environment some = {{"LVSA_CONFIG", R"({"window_size": 8})"},
                            {"LVSA_REFERENCE_LATENT_FRAMES", "99"}};
  EXPECT_EQ(resolve({}, "cosmos3", some).config.reference_latent_frames, 48);
  EXPECT_EQ(resolve({}, "cosmos3", some).config.latent_window_size(), 2);
  const Environment named = {{"LVSA_CONFIG", R"({"reference_latent_frames": 40})"}};
  EXPECT_EQ(resolve({}, "cosmos3", named).config.reference_latent_frames, 40);
}

TEST(MaskSettings, RefuseOptionsThatContradictEachOther) {
  EXPECT_EQ(refusal({.video_frames = 81, .latent_frames = 21}),
            "--frames 81 and --latent-frames 21: one of the two is due");
  EXPECT_EQ(refusal({.height = 480}), "--height 480: --height and --width together are due");
  EXPECT_EQ(refusal({.width = 832}), "--width 832: --height and --width together are due");
  EXPECT_EQ(refusal({.height = 480, .width = 832, .patches = 1560}),
            "--patches 1560 and --height 480 --width 832: one of the two ways is due");
  EXPECT_EQ(refusal({.text_tokens = 1}),
            "--text 1: wan-1.3b has no text tokens in self-attention; 0 is due");
  EXPECT_EQ(refusal({.condition = "0", .version = Version::k1_2}),
            "--condition '0': LVSA 1.2 has no condition frames; --lvsa 1.3 is due");
  EXPECT_EQ(refusal({.expand = false, .version = Version::k1_2}),
            "--no-expand: the plugin of LVSA 1.2 always expands; --lvsa 1.3 is due");
}

TEST(MaskSettings, RefuseSizesOutOfRange) {
  EXPECT_EQ(refusal({.video_frames = 0}), "--frames 0: 1 or more is due");
  EXPECT_EQ(refusal({.latent_frames = -1}), "--latent-frames -1: 1 or more is due");
  EXPECT_EQ(refusal({.patches = 0}), "--patches 0: 1 or more is due");
  EXPECT_EQ(refusal({.window = -1}), "--window -1: 0 or more is due");
  EXPECT_EQ(refusal({.step = -1}), "--step -1: 0 or more is due");
  EXPECT_EQ(refusal({.interval = "often"}),
            "--interval 'often': video frames, 0 or more, or auto is due");
  EXPECT_EQ(refusal({.condition = "0,21"}),
            "--condition '0,21': '21' is no latent frame; 0 .. 20 is due");
  EXPECT_EQ(refusal({.condition = "0,"}),
            "--condition '0,': '' is no latent frame; 0 .. 20 is due");
  EXPECT_EQ(refusal({}, "wan-1.3b", {{"LVSA_TOTAL_LATENT_FRAMES", "-2"}}),
            "LVSA_TOTAL_LATENT_FRAMES: -2; 1 or more is due");
  EXPECT_EQ(refusal({}, "wan-1.3b", {{"LVSA_VAE_TEMPORAL_FACTOR", "0"}}),
            "LVSA_VAE_TEMPORAL_FACTOR: 0; 1 or more is due");
}

TEST(MaskSettings, RefuseSizesWhoseProductOverflows) {
  // T * P fits, T * P * heads * head dim does not.
  EXPECT_NE(refusal({.latent_frames = 1 << 20, .patches = std::int64_t{1} << 40})
                .find("elements of the queries"),
            std::string::npos);
  EXPECT_NE(refusal({.latent_frames = INT64_MAX}).find("does not fit in 64 bits"),
            std::string::npos);
}

}  // namespace
}  // namespace lvsa::analysis
