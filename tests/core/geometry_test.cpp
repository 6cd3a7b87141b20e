#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/geometry/detection.hpp"
#include "core/geometry/frame_grid.hpp"

namespace lvsa {
namespace {

const Behaviour& k12() { return behaviour(Version::k1_2); }
const Behaviour& k13() { return behaviour(Version::k1_3); }

TEST(FrameGrid, CountsPatchesRoundedDown) {
  EXPECT_EQ(patches_per_frame(480, 832, {}), 1560);
  EXPECT_EQ(patches_per_frame(720, 1280, {}), 3600);
  EXPECT_EQ(patches_per_frame(704, 1280, {.vae_spatial_factor = 16}), 880);
  EXPECT_EQ(patches_per_frame(31, 47, {}), 1 * 2);
}

TEST(FrameGrid, RoundsUpForCosmos) {
  EXPECT_EQ(patches_per_frame(720, 1280, {.vae_spatial_factor = 16, .rounds_up = true}), 23 * 40);
}

TEST(FrameGrid, CountsLatentFrames) {
  EXPECT_EQ(latent_frames(81, {}), 21);
  EXPECT_EQ(latent_frames(84, {}), 21);
  EXPECT_EQ(latent_frames(85, {}), 22);
  EXPECT_EQ(latent_frames(1, {}), 1);
  EXPECT_EQ(latent_frames(81, {.temporal_patch_size = 2}), 11);
}

TEST(FrameGrid, RefusesSizesThatDoNotFit) {
  EXPECT_THROW(make_frame_grid(0, 1560, 0), Error);
  EXPECT_THROW(make_frame_grid(21, -1, 0), Error);
  EXPECT_THROW(make_frame_grid(21, 1560, -1), Error);
  EXPECT_THROW(make_frame_grid(INT64_MAX / 2, 3, 0), Error);
  EXPECT_THROW(patches_per_frame(8, 8, {}), Error);
}

TEST(Detection, TakesTheDefaultGridForAWrongResolutionInSilence) {
  // 544x960 at T = 21: P = 2040, 42,840 tokens; the default reads 10,080 of them as text.
  const Detection found = detect_geometry(42840, 21, {}, k12());
  ASSERT_TRUE(found.grid);
  EXPECT_EQ(found.grid->patches_per_frame, 1560);
  EXPECT_EQ(found.grid->text_tokens, 10080);
}

TEST(Detection, DiffersBetweenTheBehavioursWhenSeveralFit) {
  const Environment both = {{"LVSA_PATCHES_PER_FRAME", "1560,2040"}};
  EXPECT_EQ(detect_geometry(42840, 21, both, k12()).grid->patches_per_frame, 1560);
  const Detection newer = detect_geometry(42840, 21, both, k13());
  EXPECT_EQ(newer.grid->patches_per_frame, 2040);
  EXPECT_EQ(newer.fits.size(), 2U);
  EXPECT_EQ(newer.warning.rfind("[LVSA] WARNING: ambiguous geometry", 0), 0U) << newer.warning;
  EXPECT_NE(newer.warning.find("1560"), std::string::npos);
}

TEST(Detection, NeedsFewerTextThanVideoTokens) {
  EXPECT_FALSE(detect_geometry(2 * 1560, 1, {}, k13()).grid);
  EXPECT_TRUE(detect_geometry(2 * 1560 - 1, 1, {}, k13()).grid);
  EXPECT_FALSE(detect_geometry(1559, 1, {}, k13()).grid);
}

TEST(Detection, HasNoCandidateInAListOfEmptyParts) {
  EXPECT_TRUE(candidate_patches_per_frame({{"LVSA_PATCHES_PER_FRAME", ","}}).empty());
  EXPECT_EQ(candidate_patches_per_frame({{"LVSA_PATCHES_PER_FRAME", ""}}).front(), 1560);
}

TEST(Detection, DoesNotOverflow) {
  EXPECT_FALSE(detect_geometry(INT64_MAX, INT64_MAX, {}, k13()).grid);
  EXPECT_FALSE(detect_geometry(INT64_MIN, 21, {}, k13()).grid);
}

TEST(HookDetection, NeedsTheFramesToDivideTheLength) {
  EXPECT_EQ(detect_hook_geometry(32760, 21)->patches_per_frame, 1560);
  EXPECT_FALSE(detect_hook_geometry(32761, 21));
  EXPECT_FALSE(detect_hook_geometry(32760, 0));
}

TEST(Fallback, PrintsThePublishedLine) {
  EXPECT_EQ(
      fallback_message("backend", FallbackReason::kGeometryDetect, 4096, "T_lat=21", k12()),
      "[LVSA-FALLBACK] origin=backend reason=geometry_detect seq_len=4096 T_lat=21 -- falling "
      "back to DENSE attention (set LVSA_WARN_FALLBACK=0 to silence)");
}

TEST(Fallback, NamesWhatRunsInsteadInTheNewerBehaviourOnly) {
  const auto line = [](const Behaviour& rules) {
    return fallback_message("wan-hook", FallbackReason::kSequenceParallel, 32760, "", rules,
                            "the layer's own attention");
  };
  EXPECT_NE(line(k13()).find("the layer's own attention"), std::string::npos);
  EXPECT_NE(line(k12()).find("falling back to DENSE attention"), std::string::npos);
}

TEST(Fallback, IsNewOncePerOriginReasonAndLength) {
  FallbackLog log;
  EXPECT_TRUE(log.is_new("backend", FallbackReason::kGeometryDetect, 4096));
  EXPECT_FALSE(log.is_new("backend", FallbackReason::kGeometryDetect, 4096));
  EXPECT_TRUE(log.is_new("backend", FallbackReason::kGeometryDetect, 4097));
  EXPECT_TRUE(log.is_new("backend", FallbackReason::kNoLatentFrames, 4096));
  EXPECT_TRUE(log.is_new("hook", FallbackReason::kGeometryDetect, 4096));
}

}  // namespace
}  // namespace lvsa
