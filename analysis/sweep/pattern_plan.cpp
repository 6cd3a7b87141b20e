#include "analysis/sweep/pattern_plan.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace lvsa::analysis {

PatternPlan::PatternPlan(std::int64_t frames) : frames_(frames) {
  if (frames < 1) {
    throw Error(ErrorKind::kValue, fmt::format("{} frames: 1 or more are due", frames));
  }
}

PatternPlan::PatternPlan(std::int64_t frames, std::span<const FramePattern> patterns)
    : PatternPlan(frames) {
  for (const FramePattern& pattern : patterns) add(pattern);
}

std::size_t PatternPlan::add(const FramePattern& pattern) {
  if (pattern.frames() != frames_) {
    throw Error(ErrorKind::kValue,
                fmt::format("pattern of {} frames: {} are due", pattern.frames(), frames_));
  }
  patterns_.push_back(pattern);
  return size_++;
}

}  // namespace lvsa::analysis
