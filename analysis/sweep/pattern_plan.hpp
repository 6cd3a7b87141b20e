#pragma once
// Patterns made ready to be evaluated: equal sets of attended frames are found once, for all rows
// and samples.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/pattern/frame_pattern.hpp"

namespace lvsa::analysis {

class PatternPlan {
 public:
  /// For videos of T frames. Throws Error(kValue) unless T >= 1.
  explicit PatternPlan(std::int64_t frames);
  PatternPlan(std::int64_t frames, std::span<const FramePattern> patterns);

  /// Returns the pattern's number, counting from 0. Throws Error(kValue) for a pattern of another
  /// number of frames.
  std::size_t add(const FramePattern& pattern);

  std::int64_t frames() const { return frames_; }
  std::size_t size() const { return size_; }

 private:
  friend class PatternEvaluator;
  std::int64_t frames_;
  std::size_t size_ = 0;
  std::vector<FramePattern> patterns_;
};

}  // namespace lvsa::analysis
