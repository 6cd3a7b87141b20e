#include "analysis/sweep/metric_totals.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/sweep/partials_pass.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double psnr(double range, double rmse) {
  if (rmse == 0.0) return kInfinity;
  if (range == 0.0) return -kInfinity;
  double log = 0.0;
  const double ratio = range / rmse;
  if (!(ratio >= std::numeric_limits<double>::min()) || !(ratio < kInfinity)) return kNan;
  best_partials_loops().log_array(&ratio, &log, 1);
  return log * 0x1.15f2ced384f29p+3;  // 20 / ln 10
}

}  // namespace

void MetricTotals::add(const SetFigures& row) {
  l1 += row.l1;
  l2 += row.l2;
  dot += row.dot;
  norm += row.norm;
  recall += row.recall;
  lse_shift += row.lse_shift;
  entropy += row.entropy;
  most_shift = std::max(most_shift, row.lse_shift);
  least_cosine = std::min(least_cosine, row.cosine);
}

void start_dense_totals(DenseFigures& total) {
  total = DenseFigures{};
  total.least = kInfinity;
  total.most = -kInfinity;
}

void add_dense_figures(DenseFigures& total, const DenseFigures& row) {
  total.l1 += row.l1;
  total.norm += row.norm;
  total.entropy += row.entropy;
  total.least = std::min(total.least, row.least);
  total.most = std::max(total.most, row.most);
}

MetricValues metric_values(const MetricTotals& totals, const DenseFigures& dense, std::int64_t rows,
                           std::int64_t head_dim, double recall_p01, double recall_min) {
  const auto count = static_cast<double>(rows);
  const double rmse = std::sqrt(totals.l2 / (count * static_cast<double>(head_dim)));
  MetricValues made{};
  const auto set = [&](Metric metric, double value) {
    made[static_cast<std::size_t>(metric)] = value;
  };
  set(Metric::kRelativeL1, dense.l1 > 0.0 ? totals.l1 / dense.l1 : kNan);
  set(Metric::kRelativeL2, dense.norm > 0.0 ? std::sqrt(totals.l2) / std::sqrt(dense.norm) : kNan);
  const bool directed = dense.norm > 0.0 && totals.norm > 0.0;
  set(Metric::kCosinePooled,
      directed
          ? std::clamp(totals.dot / (std::sqrt(totals.norm) * std::sqrt(dense.norm)), -1.0, 1.0)
          : kNan);
  set(Metric::kCosineMin, totals.least_cosine < kInfinity ? totals.least_cosine : kNan);
  set(Metric::kRmse, rmse);
  set(Metric::kPsnr, psnr(dense.most - dense.least, rmse));
  set(Metric::kRecallMean, totals.recall / count);
  set(Metric::kRecallP01, recall_p01);
  set(Metric::kRecallMin, recall_min);
  set(Metric::kLseShiftMean, totals.lse_shift / count);
  set(Metric::kLseShiftMax, totals.most_shift);
  set(Metric::kEntropyDense, dense.entropy / count);
  set(Metric::kEntropySparse, totals.entropy / count);
  return made;
}

}  // namespace lvsa::analysis
