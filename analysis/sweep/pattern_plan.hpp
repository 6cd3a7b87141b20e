#pragma once
// Patterns made ready to be evaluated: which of them give a query frame the same set of key frames
// is found once, for all rows and samples.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "analysis/sweep/frame_sets.hpp"
#include "core/pattern/frame_pattern.hpp"

namespace lvsa::analysis {

/// Latent frames of a video that patterns can be evaluated on: its plan takes some T^2 / 8 KiB.
inline constexpr std::int64_t kMaxSweepFrames = 2048;

class PatternPlan {
 public:
  /// For videos of T frames. Throws Error(kValue) unless T is 1 .. kMaxSweepFrames.
  explicit PatternPlan(std::int64_t frames);
  /// Throws Error(kValue) for a pattern of another number of frames.
  PatternPlan(std::int64_t frames, std::span<const FramePattern> patterns, int threads = 0);

  /// Adds a pattern and returns its number, counting from 0; the pattern itself is not kept. Throws
  /// Error(kValue) for a pattern of another number of frames.
  std::size_t add(const FramePattern& pattern);

  std::int64_t frames() const { return frames_; }
  std::size_t size() const { return size_; }

  /// The sets of a query frame over T + 1 cells, the last of which, the text, is in all of them;
  /// where there is no text it weighs nothing. Set 0 is that of dense attention.
  const FrameSets& sets(std::int64_t frame) const { return sets_[static_cast<std::size_t>(frame)]; }
  /// [size()] the set of a query frame under each pattern.
  std::span<const std::uint32_t> set_of(std::int64_t frame) const {
    return set_of_[static_cast<std::size_t>(frame)];
  }

 private:
  void add_row(const FramePattern& pattern, std::int64_t frame, std::vector<std::uint8_t>& bits);
  void check(const FramePattern& pattern) const;

  std::int64_t frames_;
  std::size_t size_ = 0;
  std::vector<FrameSets> sets_;                     // [T]
  std::vector<std::vector<std::uint32_t>> set_of_;  // [T][patterns]
};

}  // namespace lvsa::analysis
