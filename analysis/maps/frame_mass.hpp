#pragma once
// The softmax mass that the query frames of one head give to key frames, and what a pattern leaves
// of it.

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/maps/row_mass.hpp"
#include "core/pattern/frame_pattern.hpp"

namespace lvsa::analysis {

/// Means over the rows of a query frame, T = grid.frames.
struct FrameMass {
  FrameGrid grid;
  std::int64_t rows_per_frame = 0;  ///< of which these are the means
  std::vector<double> mass;         ///< [T, T]: query frame, key frame
  std::vector<double> text;         ///< [T]; empty without text

  double at(std::int64_t query, std::int64_t key) const {
    return mass[static_cast<std::size_t>(query * grid.frames + key)];
  }
  double on_text(std::int64_t query) const {
    return text.empty() ? 0.0 : text[static_cast<std::size_t>(query)];
  }
};

/// What one head does, as means over all rows; shares of the mass except where said.
struct HeadStatistics {
  double own_frame = 0.0;         ///< on the query's own frame
  double same_place = 0.0;        ///< near the query's place in other frames (kNearTokens)
  double first_frame = 0.0;       ///< on frame 0, of queries of other frames
  double anchor = 0.0;            ///< on the key frame that queries of other frames give the most
  std::int64_t anchor_frame = 0;  ///< that frame
  double text = 0.0;              ///< on the text
  double distance = 0.0;          ///< mean |f - k| in frames, over the mass on the video
  double entropy = 0.0;           ///< nats, over all keys
  double spread = 0.0;            ///< entropy / ln S; 1 for S = 1
};

/// Adds rows up, in their order.
class FrameMassSum {
 public:
  explicit FrameMassSum(const FrameGrid& grid);

  void add(std::span<const RowMass> rows);
  /// Throws Error(kValue) unless each frame has the same number of rows, at least one.
  FrameMass mass() const;
  HeadStatistics statistics() const;

 private:
  FrameGrid grid_;
  std::vector<std::int64_t> rows_;  // [T]
  std::vector<double> mass_;        // [T, T + text]
  double near_ = 0.0;
  double entropy_ = 0.0;
};

/// What a pattern leaves of the mass; it attends the text always.
struct PatternMass {
  std::vector<double> lost;  ///< [T]: mass of query frame f on frames that f does not attend
  double lost_mean = 0.0;    ///< over the query frames
  double recall = 1.0;       ///< mean mass on what is attended; 1 - lost_mean up to rounding
  double recall_min = 1.0;   ///< of a query frame
};

/// Throws Error(kValue) for a pattern of another length.
PatternMass apply_pattern(const FrameMass& mass, const FramePattern& pattern);

/// Mass, statistics of the sample's head from these query rows, some at a time so that memory stays
/// bounded.
struct HeadMass {
  FrameMass mass;
  HeadStatistics statistics;
};
HeadMass head_mass(const Sample& sample, const LatentSize& size,
                   std::span<const std::int64_t> tokens);

}  // namespace lvsa::analysis
