#include "reference/pattern/global_frames.hpp"
#include "reference/pattern/keyframe_interval.hpp"
#include "reference/pattern/window.hpp"
#include "reference/sparse/token_rules.hpp"

namespace lvsa::reference {

TokenMask lvsa_token_mask(const SparseVideo& video, const LvsaWords& words) {
  const std::int64_t interval = words.interval
                                    ? *words.interval
                                    : compute_auto_kfi(video.frames, words.window, words.n_first,
                                                       words.reference, words.scale);
  const std::int64_t offset =
      words.rotate ? keyframe_offset(words.step, interval, true) : words.offset;
  FrameSet globals = compute_global_indices(video.frames, words.n_first, interval, offset);
  globals.merge(condition_frames_in_video(words.condition, video.frames));
  std::vector<FrameSet> attended;
  for (std::int64_t f = 0; f < video.frames; ++f) {
    attended.push_back(attended_frames(
        globals, get_window_bounds(f, words.window, video.frames, words.expand, globals)));
  }
  const auto size = static_cast<std::size_t>(video.tokens());
  TokenMask mask(size, std::vector<std::uint8_t>(size, 0));
  for (std::int64_t query = 0; query < video.tokens(); ++query) {
    for (std::int64_t key = 0; key < video.tokens(); ++key) {
      const bool text = query >= video.video_tokens() || key >= video.video_tokens();
      const bool attends =
          text || attended[static_cast<std::size_t>(query / video.frame_tokens())].contains(
                      key / video.frame_tokens());
      mask[static_cast<std::size_t>(query)][static_cast<std::size_t>(key)] = attends ? 1 : 0;
    }
  }
  return mask;
}

}  // namespace lvsa::reference
