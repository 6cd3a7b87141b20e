#pragma once
// Global (anchor) frames: the frames that every query attends. Source: LVSA 1.2 behaviour, global
// frames and rotation; conditioning frames are 1.3.

#include <cstdint>
#include <optional>
#include <vector>

#include "reference/pattern/frame_set.hpp"

namespace lvsa::reference {

/// The leading frames and the periodic anchors.
///
/// @param total_frames        latent frames of the video, at least 1
/// @param n_first_frames      leading frames; negative means none
/// @param key_frame_interval  spacing of the periodic anchors; none when unset, 0 or negative
/// @param offset              rotation of the periodic anchors; any sign
/// @throws lvsa::Error ValueError for a size out of range
FrameSet compute_global_indices(std::int64_t total_frames, std::int64_t n_first_frames,
                                std::optional<std::int64_t> key_frame_interval,
                                std::int64_t offset);

/// Rotation of the anchors at denoising step `step`: step % interval when rotation is on and
/// there is an interval, else 0.
std::int64_t keyframe_offset(std::int64_t step, std::optional<std::int64_t> key_frame_interval,
                             bool rotate_keyframes);

/// The frames within `window_size` of the frame on which a rank's first token falls, for every
/// rank but the first. Source: global frames and rotation, boundary guards.
///
/// @param local_seq    tokens per rank, at least 0
/// @param num_patches  tokens per latent frame, at least 1
/// @param world        ranks, at least 1
/// @throws lvsa::Error ValueError for a size out of range
FrameSet compute_boundary_guard_frames(std::int64_t total_frames, std::int64_t local_seq,
                                       std::int64_t num_patches, std::int64_t world,
                                       std::int64_t window_size);

/// Those of `frames` that lie in the video (1.3: they are anchors at every step).
FrameSet condition_frames_in_video(const std::vector<std::int64_t>& frames,
                                   std::int64_t total_frames);

}  // namespace lvsa::reference
