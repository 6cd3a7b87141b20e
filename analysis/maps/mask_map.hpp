#pragma once
// The pattern of one denoising step with what it costs.

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/maps/mask_settings.hpp"
#include "core/pattern/frame_pattern.hpp"
#include "core/pattern/schedule.hpp"

namespace lvsa::analysis {

struct MaskCounts {
  std::int64_t least_frames = 0;  ///< attended by the query frame that attends the fewest
  std::int64_t most_frames = 0;
  double average_frames = 0.0;
  std::int64_t frame_pairs = 0;
  double frame_density = 0.0;    ///< of all T x T frame pairs
  std::int64_t token_pairs = 0;  ///< query-key pairs of one head, text included
  std::int64_t dense_token_pairs = 0;
  double token_density = 0.0;

  /// An upper bound: what a kernel gains that is as efficient a pair as the dense one.
  double speedup_bound() const { return 1.0 / token_density; }
};

struct MaskMap {
  MaskSettings settings;
  Schedule schedule;
  PatternSpec spec;
  FramePattern pattern;
  MaskCounts counts;
};

/// Throws as make_schedule and build_frame_pattern do, and Error(kOverflow) when the pairs of
/// tokens do not fit in 64 bits.
MaskMap build_mask_map(const MaskSettings& settings);

/// Counts of a pattern. Joint text attends and is attended by everything; text in front of the keys
/// is attended by every video token and has no queries here.
MaskCounts count_mask(const FramePattern& pattern, const FrameGrid& grid, TextKind text);

}  // namespace lvsa::analysis
