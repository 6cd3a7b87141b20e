#pragma once
// One point of a sweep: the settings of a pattern, in latent frames.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/geometry/frame_grid.hpp"
#include "core/pattern/frame_pattern.hpp"

namespace lvsa::analysis {

struct SweepSetting {
  double scale = 1.0;                    ///< sparsity scale
  std::int64_t window = 3;               ///< W, latent frames on each side
  std::int64_t n_first = 1;              ///< latent frames
  std::optional<std::int64_t> interval;  ///< unset: automatic; 0: no keyframe grid
  std::int64_t reference = 21;           ///< latent frames
  std::optional<std::int64_t> budget;    ///< frames; stands for reference * scale where it is set
  bool expand = true;
  bool rotate = false;      ///< figures are means over a full rotation
  std::int64_t offset = 0;  ///< of the grid, without rotation
  bool operator==(const SweepSetting&) const = default;
};

/// "W=3 n_first=1 interval=auto ref=21 scale=1 expand=1 rotate=0 offset=0", the words in this order
/// and always all of them ("budget=12" in place of ref and scale where it is set): the key that
/// joins tables.
std::string setting_words(const SweepSetting& setting);
/// The reverse; words may be missing (default) and in any order. Throws Error(kValue) that names
/// the word and what would be right.
SweepSetting parse_setting(const std::string& words);

/// The interval in force for T latent frames: given, or automatic.
std::int64_t interval_in_force(const SweepSetting& setting, std::int64_t frames);
/// One pattern for each offset that the setting goes through: interval_in_force() of them when it
/// rotates (one without a keyframe grid), else one.
std::vector<PatternSpec> pattern_specs(const SweepSetting& setting, std::int64_t frames);

/// What a setting costs and covers; independent of the tensors.
struct SettingFigures {
  std::int64_t interval = 1;      ///< in force; 0: no keyframe grid
  double frame_density = 1.0;     ///< mean over the rotation
  double token_density = 1.0;     ///< text included
  double expected_speedup = 1.0;  ///< over dense, from measured kernel rates
  double union_coverage = 1.0;    ///< share of frame pairs seen at least once in a full rotation
  /// Steps: the age of the oldest frame pair that is due, over a rotation that goes on for ever:
  /// for a pair seen at some offsets, the largest distance between two of them in turn, less one.
  /// Pairs that are never seen count in union_coverage alone. 0: what is seen is seen at every
  /// step.
  std::int64_t oldest_unseen = 0;
  /// Steps, from the first one on, until every pair that is ever seen has been seen; 1: at once.
  std::int64_t steps_to_cover = 1;
};

/// Those of a setting on a grid. Throws what build_frame_pattern() throws.
SettingFigures setting_figures(const SweepSetting& setting, const FrameGrid& grid,
                               std::int64_t head_dim);

}  // namespace lvsa::analysis
