#pragma once
// The metrics of many patterns from frame partials. A pattern's values have the same bits whichever
// patterns are evaluated beside it, however the rows are cut into blocks, on any number of threads
// and any set of instructions.

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/sweep/metric_totals.hpp"
#include "analysis/sweep/metrics.hpp"
#include "analysis/sweep/partials.hpp"
#include "analysis/sweep/pattern_plan.hpp"
#include "analysis/sweep/row_choice.hpp"
#include "analysis/sweep/row_evaluator.hpp"

namespace lvsa::analysis {

/// Takes a sample's partials and gives the metrics of every pattern of a plan.
class PatternEvaluator {
 public:
  /// For `rows` rows in all, of videos of this grid. The plan must outlive it. `threads` 0: as many
  /// as OpenMP has. Throws Error(kValue) when the plan is for another number of frames.
  PatternEvaluator(const PatternPlan& plan, const FrameGrid& grid, std::int64_t rows,
                   const PartialsOptions& options = {});

  /// Rows of video queries, ascending and behind those of the calls before. Throws Error(kValue)
  /// for a row of the text, and for more rows than were announced.
  void add(const FramePartials& partials);
  /// [plan.size()]; throws Error(kValue) when rows are missing.
  std::vector<MetricValues> finish() const;

 private:
  struct Sums {
    MetricTotals totals;
    double bar;  // the largest of the `kept_` smallest recalls
  };
  void check_rows(const FramePartials& partials) const;
  void add_pattern(std::size_t pattern, const SetFigures& figures);
  MetricValues values(std::size_t pattern) const;

  const PatternPlan& plan_;
  const FrameGrid grid_;
  const std::int64_t rows_;
  const PartialsOptions options_;
  std::int64_t seen_ = 0;
  std::int64_t head_dim_ = 0;
  DenseFigures dense_;
  std::vector<Sums> sums_;        // [patterns]
  std::size_t kept_;              // recalls kept for the percentile: ceil(rows / 100)
  std::vector<double> smallest_;  // [patterns][kept_], a heap each
};

/// One pass over the sample's tensors, then all patterns. Memory: partials of at most 256 MiB, and
/// per thread the sums of one row's sets (some 8 (D + 12) bytes a set). Throws what
/// compute_partials() throws.
std::vector<MetricValues> evaluate_patterns(const Sample& sample, const PatternPlan& plan,
                                            const RowChoice& rows = {}, int threads = 0);
std::vector<MetricValues> evaluate_patterns(const Sample& sample,
                                            std::span<const FramePattern> patterns,
                                            const RowChoice& rows = {}, int threads = 0);

/// One row under a set of attended cells, as evaluate_patterns() sees it.
struct MergedRow {
  std::vector<double> out;  ///< [D]; 0 without keys
  SetFigures figures;
};
/// `cells` ascending; the text, if any, must be among them where it is attended.
MergedRow merge_cells(const FramePartials& partials, std::size_t row,
                      std::span<const std::int32_t> cells);

}  // namespace lvsa::analysis
