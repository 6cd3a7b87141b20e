#include "analysis/verify/oracle_problem.hpp"

#include <cmath>

#include "core/config/behaviour.hpp"
#include "reference/pattern/global_frames.hpp"
#include "reference/pattern/keyframe_interval.hpp"
#include "reference/pattern/window.hpp"

namespace lvsa::analysis {

std::vector<std::vector<std::int32_t>> reference_lists(const Case& c) {
  const std::int64_t frames = c.grid.frames;
  const std::int64_t interval =
      c.interval ? *c.interval
                 : reference::compute_auto_kfi(frames, c.window_frames, c.n_first_frames,
                                               c.reference_frames, c.sparsity_scale);
  const std::optional<std::int64_t> grid = interval > 0 ? std::optional(interval) : std::nullopt;
  reference::FrameSet globals = reference::compute_global_indices(
      frames, c.n_first_frames, grid, reference::keyframe_offset(c.step, grid, c.rotate));
  // What 1.2 does not know or ignores.
  const bool is_1_3 = c.version == Version::k1_3;
  if (is_1_3) {
    globals.merge(reference::condition_frames_in_video(c.condition_frames, frames));
  }
  const bool expand = is_1_3 ? c.expand : true;

  std::vector<std::vector<std::int32_t>> lists;
  for (std::int64_t f = 0; f < frames; ++f) {
    const auto window = reference::get_window_bounds(f, c.window_frames, frames, expand, globals);
    const auto attended = reference::attended_frames(globals, window);
    lists.emplace_back(attended.begin(), attended.end());
  }
  return lists;
}

reference::AttentionProblem oracle_problem(const Case& c, const TensorView& q, const TensorView& k,
                                           const TensorView& v) {
  return {q, k, v, c.grid, 1.0 / std::sqrt(static_cast<double>(q.shape[3])), reference_lists(c)};
}

CaseProblem::CaseProblem(const Case& c, const AttentionTensors& tensors) {
  if (!tensors.q_scale.empty()) scaled_ = scaled_tensors(tensors);
  const AttentionTensors& used = scaled_ ? *scaled_ : tensors;
  problem_ = oracle_problem(c, used.q.view(), used.k.view(), used.v.view());
}

}  // namespace lvsa::analysis
