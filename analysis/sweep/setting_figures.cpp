// What a setting costs and covers. The definitions are in setting.hpp and docs/sweep.md.

#include <algorithm>

#include "analysis/sweep/setting.hpp"
#include "analysis/sweep/speedup.hpp"

namespace lvsa::analysis {
namespace {

/// When the frame pairs of a grid are visited in the course of a rotation.
class Visits {
 public:
  explicit Visits(std::int64_t frames)
      : frames_(static_cast<std::size_t>(frames)), pairs_(frames_ * frames_) {}

  void add(const FramePattern& pattern, std::int32_t step) {
    for (std::size_t f = 0; f < frames_; ++f) {
      for (const std::int32_t g : pattern.row(static_cast<std::int64_t>(f))) {
        Pair& pair = pairs_[f * frames_ + static_cast<std::size_t>(g)];
        if (pair.first < 0) {
          pair.first = step;
        } else {
          pair.gap = std::max(pair.gap, step - pair.last);
        }
        pair.last = step;
      }
    }
  }

  void summarise(std::int32_t steps, SettingFigures& figures) const {
    std::int64_t seen = 0;
    std::int32_t longest = 1;
    std::int32_t latest_first = 0;
    for (const Pair& pair : pairs_) {
      if (pair.first < 0) continue;
      ++seen;
      // The rotation begins anew behind its last step.
      longest = std::max({longest, pair.gap, pair.first + steps - pair.last});
      latest_first = std::max(latest_first, pair.first);
    }
    figures.union_coverage = static_cast<double>(seen) / static_cast<double>(pairs_.size());
    figures.oldest_unseen = longest - 1;
    figures.steps_to_cover = latest_first + 1;
  }

 private:
  struct Pair {
    std::int32_t first = -1;
    std::int32_t last = -1;
    std::int32_t gap = 0;
  };
  std::size_t frames_;
  std::vector<Pair> pairs_;
};

}  // namespace

SettingFigures setting_figures(const SweepSetting& setting, const FrameGrid& grid,
                               std::int64_t head_dim) {
  const std::vector<PatternSpec> specs = pattern_specs(setting, grid.frames);
  SettingFigures figures;
  figures.interval = *specs.front().interval;
  Visits visits(grid.frames);
  double frame_density = 0.0;
  double density = 0.0;
  std::int32_t step = 0;
  for (const PatternSpec& spec : specs) {
    const FramePattern pattern = build_frame_pattern(spec);
    frame_density += pattern.frame_density();
    density += token_density(pattern, grid);
    visits.add(pattern, step++);
  }
  const auto count = static_cast<double>(specs.size());
  figures.frame_density = frame_density / count;
  figures.token_density = density / count;
  figures.expected_speedup = expected_speedup(figures.token_density, head_dim, grid);
  visits.summarise(step, figures);
  return figures;
}

}  // namespace lvsa::analysis
