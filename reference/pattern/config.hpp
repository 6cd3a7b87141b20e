#pragma once
// The settings as an environment gives them. Source: LVSA 1.2 behaviour, configuration; the
// conditioning frames are 1.3.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reference/pattern/python_text.hpp"

namespace lvsa::reference {

/// The settings of LVSAConfig, by their published names, with the published defaults.
struct Config {
  std::int64_t window_size = 12;         ///< video frames
  std::int64_t n_first_frames = 4;       ///< video frames
  std::int64_t key_frame_interval = 16;  ///< video frames
  bool auto_keyframes = true;
  bool rotate_keyframes = false;
  bool expand_window = true;
  std::string backend = "sdpa";
  std::int64_t vae_temporal_factor = 4;  ///< video frames per latent frame
  std::optional<std::int64_t> total_latent_frames;
  double sparsity_scale = 1.0;
  std::int64_t reference_latent_frames = 21;
};

/// LVSAConfig.from_env: LVSA_CONFIG (JSON) when it is set and not empty, else the single variables.
/// @throws lvsa::Error ValueError for text that is no number, OverflowError for an integer outside
///         64 bits, JSONDecodeError for malformed JSON, TypeError for JSON that is no object or a
///         value of another type than its default has (a whole real does for an integer)
Config config_from_env(const Environment& environment);

/// `video_frames // vae_temporal_factor`: how a frame-valued setting is used.
/// @throws lvsa::Error ZeroDivisionError when the factor is 0
std::int64_t to_latent_frames(std::int64_t video_frames, std::int64_t vae_temporal_factor);

/// The list of LVSA_CONDITION_LATENT_FRAMES in its order, without the parts that are no integers.
std::vector<std::int64_t> condition_latent_frames(const Environment& environment);

}  // namespace lvsa::reference
