#pragma once
// From settings to the pattern of one denoising step: configuration, frames and step in, the
// specification of the pattern out.

#include <cstdint>
#include <optional>
#include <span>

#include "core/config/behaviour.hpp"
#include "core/config/config.hpp"
#include "core/pattern/frame_pattern.hpp"
#include "core/pattern/keyframe_interval.hpp"

namespace lvsa {

/// The keyframe schedule of a video: fixed over the steps but for the rotation.
struct Schedule {
  std::optional<std::int64_t> interval;  ///< latent frames; unset: no keyframe grid
  IntervalTerms terms;                   ///< how the automatic interval came about (auto only)
  bool automatic = true;
  bool rotates = false;

  /// Offset of the keyframe grid at a step: step mod interval when it rotates, else 0.
  std::int64_t offset(std::int64_t step) const;
};

/// Interval from the settings for T latent frames. Throws Error(kValue) when T < 1 or when a
/// setting is negative, naming the variable.
Schedule make_schedule(const Config& config, std::int64_t frames);

/// The pattern's specification at a step. Condition frames count where the behaviour knows them.
PatternSpec pattern_spec(const Config& config, const Schedule& schedule, std::int64_t frames,
                         std::int64_t step, const Behaviour& behaviour,
                         std::span<const std::int64_t> condition_frames = {});

}  // namespace lvsa
