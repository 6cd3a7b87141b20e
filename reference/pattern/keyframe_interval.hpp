#pragma once
// The automatic keyframe interval. Source: LVSA 1.2 behaviour, keyframe interval, steps 1 to 6
// (unchanged in 1.3).

#include <cstdint>

namespace lvsa::reference {

/// Spacing of the periodic anchor frames, in latent frames, at least 1; 1 means that every frame
/// is an anchor (dense).
///
/// @param total_frames      latent frames of the video, at least 1
/// @param window_size       half width of the local window, latent frames, at least 0
/// @param n_first_frames    leading frames that are always anchors, at least 0
/// @param reference_frames  latent frames of the training horizon
/// @param sparsity_scale    multiplies the horizon; 1 keeps its budget
/// @throws lvsa::Error ValueError for a size out of range or a scale that is not a number,
///         OverflowError when reference_frames * sparsity_scale is infinite
std::int64_t compute_auto_kfi(std::int64_t total_frames, std::int64_t window_size,
                              std::int64_t n_first_frames, std::int64_t reference_frames,
                              double sparsity_scale);

}  // namespace lvsa::reference
