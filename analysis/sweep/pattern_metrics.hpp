#pragma once
// The metrics of many patterns from frame partials. A pattern's values have the same bits whichever
// patterns are evaluated beside it, however the rows are cut into blocks, on any number of threads
// and any set of instructions.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "analysis/sweep/metrics.hpp"
#include "analysis/sweep/partials.hpp"
#include "analysis/sweep/pattern_plan.hpp"
#include "analysis/sweep/row_choice.hpp"

namespace lvsa::analysis {

/// Takes a sample's partials and gives the metrics of every pattern of a plan.
class PatternEvaluator {
 public:
  /// The plan must outlive it. Throws Error(kValue) when the plan is for another number of frames.
  PatternEvaluator(const PatternPlan& plan, const FrameGrid& grid, int threads = 0);
  ~PatternEvaluator();

  /// Rows of video queries in ascending order; rows behind those of the calls before.
  void add(const FramePartials& partials);
  /// [plan.size()]; nothing may be added afterwards.
  std::vector<MetricValues> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// One pass over the sample's tensors, then all patterns. Memory: see stream_partials(); at most
/// some 512 MiB beside the tensors and the plan. Throws what compute_partials() throws.
std::vector<MetricValues> evaluate_patterns(const Sample& sample, const PatternPlan& plan,
                                            const RowChoice& rows = {}, int threads = 0);
std::vector<MetricValues> evaluate_patterns(const Sample& sample,
                                            std::span<const FramePattern> patterns,
                                            const RowChoice& rows = {}, int threads = 0);

/// The output of one row under a set of attended cells (ascending cells of `partials`; the text, if
/// any, must be among them when it is attended). A row without keys: 0.
struct MergedRow {
  std::vector<double> out;  ///< [D]
  double recall = 0.0;      ///< mass of the dense softmax on the cells
  double lse_shift = 0.0;   ///< dense log-sum-exp minus this one
  double entropy = 0.0;     ///< nats, of the softmax over the cells
};
MergedRow merge_cells(const FramePartials& partials, std::size_t row,
                      std::span<const std::int32_t> cells);

}  // namespace lvsa::analysis
