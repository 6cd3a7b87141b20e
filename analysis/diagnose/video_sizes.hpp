#pragma once
// Video sizes that people generate at, beside those that a model's preset names.

#include <span>

#include "core/config/presets.hpp"

namespace lvsa::analysis {

/// Landscape and square; the portrait form of each has as many tokens a frame.
std::span<const VideoSize> common_video_sizes();

}  // namespace lvsa::analysis
