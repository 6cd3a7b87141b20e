#pragma once
// The keyframe interval that LVSA chooses so that a frame attends no more than its budget.
// Source: published LVSA behaviour, keyframe interval. The published tuning guide describes the
// strict interval alone; the published code takes the larger of it and the fallback, as here.

#include <cstdint>

namespace lvsa {

/// Inputs of the automatic interval, all in latent frames.
struct IntervalInputs {
  std::int64_t frames = 1;             ///< T
  std::int64_t window_frames = 3;      ///< W, on each side
  std::int64_t n_first_frames = 1;     ///< always global
  std::int64_t reference_frames = 21;  ///< training horizon of the model
  double sparsity_scale = 1.0;
};

/// The steps on the way to the interval, kept so that a tool can explain it.
struct IntervalTerms {
  std::int64_t budget = 0;    ///< max(n_first + 1, trunc(reference * scale))
  bool dense = false;         ///< T <= budget: every frame is global, the interval is 1
  std::int64_t target = 0;    ///< global frames that fit beside the window
  std::int64_t strict = 1;    ///< the largest interval with at least `target` global frames
  std::int64_t fallback = 1;  ///< from the frames that must be attended anyway
  std::int64_t interval = 1;  ///< max(strict, fallback)
};

/// Throws Error(kValue) for a scale that is NaN and Error(kOverflow) for one that makes the budget
/// infinite, as the published code does, and for frames beyond 2^60.
IntervalTerms keyframe_interval_terms(const IntervalInputs& inputs);

/// The interval alone.
std::int64_t keyframe_interval(const IntervalInputs& inputs);

}  // namespace lvsa
