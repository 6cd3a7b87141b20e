#pragma once
// One query row under many sets of key frames, from its frame partials.

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/sweep/frame_sets.hpp"
#include "analysis/sweep/partials.hpp"
#include "analysis/sweep/partials_loops.hpp"

namespace lvsa::analysis {

/// What a set of cells makes of a row; o the output under it, o* the dense one.
struct SetFigures {
  double l1;         ///< sum |o - o*|
  double l2;         ///< sum (o - o*)^2
  double dot;        ///< sum o o*
  double norm;       ///< sum o^2
  double recall;     ///< mass of the dense softmax on the set
  double lse_shift;  ///< dense log-sum-exp minus that of the set; infinity for a set without keys
  double entropy;    ///< nats, of the softmax over the cells of the set; 0 for one without keys
  double cosine;     ///< of o and o*; infinity where it is not defined
};

/// The same of the dense output itself.
struct DenseFigures {
  double l1 = 0.0;    ///< sum |o*|
  double norm = 0.0;  ///< sum o*^2
  double entropy = 0.0;
  double least = 0.0;  ///< min o*
  double most = 0.0;   ///< max o*
};

/// A thread's working memory. Figures of a set do not depend on the other sets.
class RowEvaluator {
 public:
  /// For rows of D columns and at most `slots` slots and `sets` sets.
  RowEvaluator(std::int64_t head_dim, std::size_t slots, std::size_t sets,
               const PartialsLoops& loops);

  /// figures[s] for set s of `sets`, which has one more cell than there are frames (the text; it
  /// weighs nothing where the partials have none) and the set of all cells as set 0.
  DenseFigures evaluate(const FramePartials& partials, std::size_t row, const FrameSets& sets,
                        std::span<SetFigures> figures);

  /// Output [D] under a set of the row last evaluated.
  std::vector<double> output(std::uint32_t set);

 private:
  void weigh_cells();
  void add_totals();
  void fill_strip(std::size_t column);
  DenseFigures dense_figures() const;
  void fill_figures(std::span<SetFigures> figures);
  SetFigures faint_figures(std::uint32_t set) const;
  std::vector<double> faint_output(std::uint32_t set, SetFigures& figures) const;

  const PartialsLoops& loops_;
  const std::size_t dim_;
  const std::size_t width_;  // dim_ up to a multiple of kPartialsSums
  const FramePartials* partials_ = nullptr;
  const FrameSets* sets_ = nullptr;
  std::size_t row_ = 0;
  double top_ = 0.0;  // the largest score of the row
  double dense_norm_ = 0.0;
  std::vector<double> table_;   // [slots][kPartialsSums] sums of some columns
  std::vector<double> totals_;  // [slots][2] sums of the weights w and of w ln w
  std::vector<double> dense_;   // [width]
  std::vector<double> weight_;  // [cells]
  std::vector<double> log_weight_;
  std::vector<double> mass_, logs_, log_mass_, factor_, l1_, l2_, dot_, norm_;  // [sets]
};

}  // namespace lvsa::analysis
