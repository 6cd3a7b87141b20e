#pragma once
// What a map is drawn for: model, length, step and pattern settings, put together from a preset,
// LVSA_* variables and what the user asked for, the later ones over the earlier ones.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/behaviour.hpp"
#include "core/config/config.hpp"
#include "core/config/presets.hpp"
#include "core/geometry/frame_grid.hpp"

namespace lvsa::analysis {

/// What the user asked for; unset: as the environment has it, else as the model has it.
struct MaskRequest {
  std::optional<std::int64_t> video_frames = {};  ///< not together with latent_frames
  std::optional<std::int64_t> latent_frames = {};
  std::optional<std::int64_t> height = {};  ///< pixels; height and width go together
  std::optional<std::int64_t> width = {};
  std::optional<std::int64_t> patches = {};  ///< not together with height and width
  std::optional<std::int64_t> text_tokens = {};
  std::optional<std::int64_t> window = {};     ///< video frames on each side
  std::optional<std::int64_t> n_first = {};    ///< video frames
  std::optional<std::string> interval = {};    ///< video frames, or "auto"
  std::optional<std::int64_t> reference = {};  ///< latent frames
  std::optional<double> scale = {};
  std::optional<bool> rotate = {};
  std::optional<bool> expand = {};
  std::optional<std::string> condition = {};  ///< latent frames: "0,20", possibly empty
  std::optional<std::int64_t> step = {};      ///< denoising step; unset: 0
  Version version = Version::k1_3;
};

struct MaskSettings {
  ModelPreset model;
  FrameGrid grid;
  Config config;
  Version version = Version::k1_3;
  std::int64_t step = 0;
  std::vector<std::int64_t> condition_frames;
};

/// The model sets the reference frames and the temporal factor unless LVSA_* variables (or keys of
/// LVSA_CONFIG) say otherwise; T comes from LVSA_TOTAL_LATENT_FRAMES and P from
/// LVSA_PATCHES_PER_FRAME or LVSA_VIDEO_HEIGHT and LVSA_VIDEO_WIDTH where those are set and the
/// request is silent. Throws Error(kValue, kOverflow) that names options which contradict each
/// other or mean nothing here, and sizes that are out of range.
MaskSettings resolve_mask_settings(const MaskRequest& request, const ModelPreset& model,
                                   const Environment& environment);

}  // namespace lvsa::analysis
