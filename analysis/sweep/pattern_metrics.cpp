#include "analysis/sweep/pattern_metrics.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.hpp"
#include "reference/attention/exact_log.hpp"
#include "reference/attention/oracle_loops.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Merge {
  MergedRow row;
  double lse_top = -kInfinity;
  double lse_log = 0.0;
};

Merge merge(const FramePartials& p, std::size_t row, std::span<const std::int32_t> cells) {
  Merge made;
  const auto dim = static_cast<std::size_t>(p.head_dim);
  made.row.out.assign(dim, 0.0);
  if (cells.empty()) return made;
  const std::size_t base = row * static_cast<std::size_t>(p.cells);
  double top = -kInfinity;
  for (const std::int32_t c : cells)
    top = std::max(top, p.max_score[base + static_cast<std::size_t>(c)]);
  std::vector<double> below;
  for (const std::int32_t c : cells)
    below.push_back(p.max_score[base + static_cast<std::size_t>(c)] - top);
  std::vector<double> weight(below.size());
  reference::best_oracle_loops().exp_array(below.data(), weight.data(),
                                           static_cast<std::int64_t>(below.size()));
  double sum = 0.0;
  double logs = 0.0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const double l = p.normaliser[base + static_cast<std::size_t>(cells[i])];
    const double w = weight[i] * l;
    sum += w;
    logs += w * (below[i] + reference::exact_log(l));
    const auto out = p.output(row, cells[i]);
    for (std::size_t c = 0; c < dim; ++c) made.row.out[c] += w * out[c];
  }
  for (double& x : made.row.out) x /= sum;
  made.lse_top = top;
  made.lse_log = reference::exact_log(sum);
  made.row.entropy = std::max(0.0, made.lse_log - logs / sum);
  return made;
}

}  // namespace

MergedRow merge_cells(const FramePartials& partials, std::size_t row,
                      std::span<const std::int32_t> cells) {
  std::vector<std::int32_t> all(static_cast<std::size_t>(partials.cells));
  std::iota(all.begin(), all.end(), 0);
  const Merge dense = merge(partials, row, all);
  Merge made = merge(partials, row, cells);
  if (cells.empty()) {
    made.row.lse_shift = kInfinity;
    return made.row;
  }
  made.row.lse_shift = (dense.lse_top - made.lse_top) + (dense.lse_log - made.lse_log);
  const double minus = std::min(0.0, -made.row.lse_shift);
  reference::best_oracle_loops().exp_array(&minus, &made.row.recall, 1);
  return made.row;
}

struct PatternEvaluator::State {
  const PatternPlan& plan;
  FrameGrid grid;
  int threads;
  struct Sums {
    double l1 = 0, l2 = 0, dot = 0, norm = 0, recall = 0, shift = 0, entropy = 0;
    double recall_min = kInfinity, shift_max = -kInfinity, cosine_min = kInfinity;
    std::vector<double> recalls;
  };
  std::vector<Sums> sums;
  double l1 = 0, norm = 0, entropy = 0, least = kInfinity, most = -kInfinity;
  std::int64_t rows = 0;
  std::int64_t dim = 0;
};

PatternEvaluator::PatternEvaluator(const PatternPlan& plan, const FrameGrid& grid, int threads)
    : state_(new State{plan, grid, threads, {}}) {
  if (plan.frames() != grid.frames) {
    throw Error(ErrorKind::kValue, fmt::format("patterns of {} frames for a sample of {}",
                                               plan.frames(), grid.frames));
  }
  state_->sums.resize(plan.size());
}

PatternEvaluator::~PatternEvaluator() = default;

void PatternEvaluator::add(const FramePartials& p) {
  State& s = *state_;
  std::vector<std::int32_t> all(static_cast<std::size_t>(p.cells));
  std::iota(all.begin(), all.end(), 0);
  s.dim = p.head_dim;
  for (std::size_t r = 0; r < p.rows(); ++r) {
    const MergedRow dense = merge_cells(p, r, all);
    double norm = 0.0;
    for (const double x : dense.out) {
      s.l1 += std::fabs(x);
      norm += x * x;
      s.least = std::min(s.least, x);
      s.most = std::max(s.most, x);
    }
    s.norm += norm;
    s.entropy += dense.entropy;
    ++s.rows;
    const std::int64_t frame = p.tokens[r] / s.grid.patches_per_frame;
    const auto count = static_cast<std::int64_t>(s.sums.size());
#pragma omp parallel for schedule(dynamic, 16) \
    num_threads(s.threads > 0 ? s.threads : omp_get_max_threads())
    for (std::int64_t i = 0; i < count; ++i) {
      State::Sums& sum = s.sums[static_cast<std::size_t>(i)];
      const auto list = s.plan.patterns_[static_cast<std::size_t>(i)].row(frame);
      std::vector<std::int32_t> cells(list.begin(), list.end());
      if (s.grid.text_tokens > 0) cells.push_back(static_cast<std::int32_t>(s.grid.frames));
      const MergedRow sparse = merge_cells(p, r, cells);
      double dot = 0.0;
      double own = 0.0;
      for (std::size_t c = 0; c < sparse.out.size(); ++c) {
        const double diff = sparse.out[c] - dense.out[c];
        sum.l1 += std::fabs(diff);
        sum.l2 += diff * diff;
        dot += sparse.out[c] * dense.out[c];
        own += sparse.out[c] * sparse.out[c];
      }
      sum.dot += dot;
      sum.norm += own;
      if (norm > 0.0 && own > 0.0) {
        sum.cosine_min = std::min(sum.cosine_min, dot / (std::sqrt(own) * std::sqrt(norm)));
      }
      sum.recall += sparse.recall;
      sum.recalls.push_back(sparse.recall);
      sum.recall_min = std::min(sum.recall_min, sparse.recall);
      sum.shift += sparse.lse_shift;
      sum.shift_max = std::max(sum.shift_max, sparse.lse_shift);
      sum.entropy += sparse.entropy;
    }
  }
}

std::vector<MetricValues> PatternEvaluator::finish() {
  State& s = *state_;
  std::vector<MetricValues> made(s.sums.size());
  const auto rows = static_cast<double>(s.rows);
  for (std::size_t i = 0; i < made.size(); ++i) {
    State::Sums& sum = s.sums[i];
    const auto set = [&](Metric metric, double value) {
      made[i][static_cast<std::size_t>(metric)] = value;
    };
    set(Metric::kRelativeL1, s.l1 > 0.0 ? sum.l1 / s.l1 : kNan);
    set(Metric::kRelativeL2, s.norm > 0.0 ? std::sqrt(sum.l2) / std::sqrt(s.norm) : kNan);
    set(Metric::kCosinePooled, s.norm > 0.0 && sum.norm > 0.0
                                   ? sum.dot / (std::sqrt(sum.norm) * std::sqrt(s.norm))
                                   : kNan);
    set(Metric::kCosineMin, sum.cosine_min < kInfinity ? sum.cosine_min : kNan);
    const double rmse = std::sqrt(sum.l2 / (rows * static_cast<double>(s.dim)));
    set(Metric::kRmse, rmse);
    set(Metric::kPsnr,
        rmse > 0.0 ? 20.0 / 0x1.26bb1bbb55516p+1 * reference::exact_log((s.most - s.least) / rmse)
                   : kInfinity);
    const auto place = static_cast<std::ptrdiff_t>((sum.recalls.size() + 99) / 100) - 1;
    std::nth_element(sum.recalls.begin(), sum.recalls.begin() + place, sum.recalls.end());
    set(Metric::kRecallMean, sum.recall / rows);
    set(Metric::kRecallP01, sum.recalls[static_cast<std::size_t>(place)]);
    set(Metric::kRecallMin, sum.recall_min);
    set(Metric::kLseShiftMean, sum.shift / rows);
    set(Metric::kLseShiftMax, sum.shift_max);
    set(Metric::kEntropyDense, s.entropy / rows);
    set(Metric::kEntropySparse, sum.entropy / rows);
  }
  return made;
}

std::vector<MetricValues> evaluate_patterns(const Sample& sample, const PatternPlan& plan,
                                            const RowChoice& rows, int threads) {
  PatternEvaluator evaluator(plan, sample.grid, threads);
  constexpr std::int64_t kBytes = std::int64_t{256} << 20;
  stream_partials(sample, choose_rows(sample.grid, rows), {.outputs = true, .threads = threads},
                  kBytes, [&](const FramePartials& block) { evaluator.add(block); });
  return evaluator.finish();
}

std::vector<MetricValues> evaluate_patterns(const Sample& sample,
                                            std::span<const FramePattern> patterns,
                                            const RowChoice& rows, int threads) {
  return evaluate_patterns(sample, PatternPlan(sample.grid.frames, patterns), rows, threads);
}

}  // namespace lvsa::analysis
