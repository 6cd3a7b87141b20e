#pragma once
// What rows add up to, and the metrics of the sum: the formulas of docs/sweep_metrics.md, once.

#include <cstdint>
#include <limits>

#include "analysis/sweep/metrics.hpp"
#include "analysis/sweep/row_evaluator.hpp"

namespace lvsa::analysis {

/// Sums over the rows of one sample under one pattern, in the order of the rows.
struct MetricTotals {
  double l1 = 0.0, l2 = 0.0, dot = 0.0, norm = 0.0;
  double recall = 0.0, lse_shift = 0.0, entropy = 0.0;
  double most_shift = 0.0;
  double least_cosine = std::numeric_limits<double>::infinity();  ///< infinity: no row had one

  void add(const SetFigures& row);
};

/// The same of the dense output; least and most are those of all rows.
void start_dense_totals(DenseFigures& total);
void add_dense_figures(DenseFigures& total, const DenseFigures& row);

/// `recall_p01`: the ceil(rows / 100)-th smallest recall; `recall_min`: the smallest.
MetricValues metric_values(const MetricTotals& totals, const DenseFigures& dense, std::int64_t rows,
                           std::int64_t head_dim, double recall_p01, double recall_min);

}  // namespace lvsa::analysis
