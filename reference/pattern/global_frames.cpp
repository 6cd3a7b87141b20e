#include "reference/pattern/global_frames.hpp"

#include <algorithm>

namespace lvsa::reference {

namespace {
constexpr std::int64_t kLowestOffset = -2147483647;
constexpr std::int64_t kMostTokens = std::int64_t{1} << 62;
}  // namespace

FrameSet compute_global_indices(std::int64_t total_frames, std::int64_t n_first_frames,
                                std::optional<std::int64_t> key_frame_interval,
                                std::int64_t offset) {
  require_size("total_frames", total_frames, 1);
  require_size("offset", offset, kLowestOffset);
  FrameSet globals;
  for (std::int64_t f = 0; f < std::min(n_first_frames, total_frames); ++f) globals.insert(f);
  if (key_frame_interval && *key_frame_interval > 0) {
    const std::int64_t interval = *key_frame_interval;
    for (std::int64_t i = 0; i < ceil_divide(total_frames, interval); ++i) {
      globals.insert(floor_modulo(offset + i * interval, total_frames));
    }
  }
  return globals;
}

std::int64_t keyframe_offset(std::int64_t step, std::optional<std::int64_t> key_frame_interval,
                             bool rotate_keyframes) {
  if (!rotate_keyframes || !key_frame_interval || *key_frame_interval <= 0) return 0;
  return floor_modulo(step, *key_frame_interval);
}

FrameSet compute_boundary_guard_frames(std::int64_t total_frames, std::int64_t local_seq,
                                       std::int64_t num_patches, std::int64_t world,
                                       std::int64_t window_size) {
  require_size("total_frames", total_frames, 1);
  require_size("num_patches", num_patches, 1);
  require_size("world", world, 1);
  require_size("window_size", window_size, 0);
  require(0 <= local_seq && local_seq <= kMostTokens / world,
          "local_seq is " + std::to_string(local_seq) +
              ", must be at least 0 and at most 2^62 in the whole world");
  FrameSet guards;
  for (std::int64_t rank = 1; rank < world; ++rank) {
    const std::int64_t boundary = floor_divide(rank * local_seq, num_patches);
    const std::int64_t first = std::max(std::int64_t{0}, boundary - window_size);
    const std::int64_t last = std::min(total_frames, boundary + window_size + 1) - 1;
    for (std::int64_t f = first; f <= last; ++f) guards.insert(f);
  }
  return guards;
}

FrameSet condition_frames_in_video(const std::vector<std::int64_t>& frames,
                                   std::int64_t total_frames) {
  FrameSet inside;
  for (const std::int64_t f : frames) {
    if (0 <= f && f <= total_frames - 1) inside.insert(f);
  }
  return inside;
}

}  // namespace lvsa::reference
