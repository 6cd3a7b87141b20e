#pragma once
// The frame grid of a video: latent frames, tokens a latent frame, text tokens behind them.

#include <cstdint>

namespace lvsa {

/// seq_len = frames * patches_per_frame + text_tokens; token i of the video part belongs to frame
/// i / patches_per_frame.
struct FrameGrid {
  std::int64_t frames = 0;             ///< T, latent frames
  std::int64_t patches_per_frame = 0;  ///< P, tokens a latent frame
  std::int64_t text_tokens = 0;        ///< after the video tokens

  std::int64_t video_tokens() const { return frames * patches_per_frame; }
  std::int64_t seq_len() const { return video_tokens() + text_tokens; }
};

/// A grid whose sizes are checked: frames and patches >= 1, text >= 0, and the sequence length
/// within 64 bits. Throws Error(kValue or kOverflow) that names the offending size.
FrameGrid make_frame_grid(std::int64_t frames, std::int64_t patches_per_frame,
                          std::int64_t text_tokens);

/// How a model turns pixels into tokens.
struct PatchRule {
  std::int64_t vae_temporal_factor = 4;
  std::int64_t vae_spatial_factor = 8;
  std::int64_t patch_size = 2;
  std::int64_t temporal_patch_size = 1;
  /// Rounds each side up to whole patches in one division (Cosmos) instead of flooring twice.
  bool rounds_up = false;
};

/// Latent frames of a video of `video_frames` frames: (N - 1) / t + 1, then divided by the temporal
/// patch, rounded up. Throws Error(kValue) unless video_frames >= 1 and the factors are positive.
std::int64_t latent_frames(std::int64_t video_frames, const PatchRule& rule);

/// Tokens of one latent frame: ((height / s) / p) * ((width / s) / p), floored twice, or rounded up
/// in one division. Throws Error(kValue) unless all sizes are positive and the result is.
std::int64_t patches_per_frame(std::int64_t height, std::int64_t width, const PatchRule& rule);

/// a * b, or Error(kOverflow) with `what` when it does not fit in 64 bits. For a, b >= 0.
std::int64_t checked_product(std::int64_t a, std::int64_t b, const char* what);

}  // namespace lvsa
