#include "analysis/sweep/pattern_metrics.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <limits>

#include "analysis/sweep/partials_pass.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Rows whose figures are kept until they are added to the patterns' sums.
constexpr std::int64_t kRowsAtOnce = 8;  // a thread

std::size_t most_sets(const PatternPlan& plan) {
  std::size_t most = 0;
  for (std::int64_t f = 0; f < plan.frames(); ++f) {
    most = std::max(most, plan.sets(f).sets().size());
  }
  return most;
}

std::size_t most_slots(const PatternPlan& plan) {
  std::size_t most = 0;
  for (std::int64_t f = 0; f < plan.frames(); ++f) most = std::max(most, plan.sets(f).slots());
  return most;
}

}  // namespace

PatternEvaluator::PatternEvaluator(const PatternPlan& plan, const FrameGrid& grid,
                                   std::int64_t rows, const PartialsOptions& options)
    : plan_(plan),
      grid_(grid),
      rows_(rows),
      options_(options),
      sums_(plan.size(), {.totals = {}, .bar = kInfinity}),
      kept_(static_cast<std::size_t>((rows + 99) / 100)),
      smallest_(plan.size() * kept_, kInfinity) {
  if (plan.frames() != grid.frames) {
    throw Error(ErrorKind::kValue, fmt::format("patterns of {} frames for a sample of {}",
                                               plan.frames(), grid.frames));
  }
  start_dense_totals(dense_);
}

void PatternEvaluator::check_rows(const FramePartials& partials) const {
  for (const std::int64_t token : partials.tokens) {
    if (token < 0 || token >= grid_.video_tokens()) {
      throw Error(ErrorKind::kValue, fmt::format("query token {}: 0 .. {} are the video's", token,
                                                 grid_.video_tokens() - 1));
    }
  }
  if (seen_ + static_cast<std::int64_t>(partials.rows()) > rows_) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} rows, {} were announced",
                            seen_ + static_cast<std::int64_t>(partials.rows()), rows_));
  }
}

void PatternEvaluator::add(const FramePartials& partials) {
  check_rows(partials);
  head_dim_ = partials.head_dim;
  const auto rows = static_cast<std::int64_t>(partials.rows());
  if (rows == 0) return;
  const int wanted = options_.threads > 0 ? options_.threads : omp_get_max_threads();
  const int threads = static_cast<int>(std::min<std::int64_t>(wanted, rows));
  const std::int64_t batch = std::min(rows, kRowsAtOnce * threads);
  const std::size_t sets = most_sets(plan_);
  std::vector<SetFigures> figures(static_cast<std::size_t>(batch) * sets);
  std::vector<DenseFigures> dense(static_cast<std::size_t>(batch));
  std::vector<RowEvaluator> evaluators(
      static_cast<std::size_t>(threads),
      RowEvaluator(partials.head_dim, most_slots(plan_), sets, partials_loops(options_.level)));
  const auto patterns = static_cast<std::int64_t>(plan_.size());
  const auto frame_of = [&](std::int64_t row) {
    return partials.tokens[static_cast<std::size_t>(row)] / grid_.patches_per_frame;
  };
#pragma omp parallel num_threads(threads)
  for (std::int64_t first = 0; first < rows; first += batch) {
    const std::int64_t count = std::min(batch, rows - first);
    RowEvaluator& evaluator = evaluators[static_cast<std::size_t>(omp_get_thread_num())];
#pragma omp for schedule(dynamic, 1)
    for (std::int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      dense[at] = evaluator.evaluate(partials, static_cast<std::size_t>(first + i),
                                     plan_.sets(frame_of(first + i)),
                                     std::span(figures).subspan(at * sets, sets));
    }
#pragma omp single nowait
    for (std::int64_t i = 0; i < count; ++i) {
      add_dense_figures(dense_, dense[static_cast<std::size_t>(i)]);
    }
    // Row by row in ascending order, so that blocks and threads leave no trace in the sums.
#pragma omp for schedule(static)
    for (std::int64_t p = 0; p < patterns; ++p) {
      const auto pattern = static_cast<std::size_t>(p);
      for (std::int64_t i = 0; i < count; ++i) {
        const std::uint32_t set = plan_.set_of(frame_of(first + i))[pattern];
        add_pattern(pattern, figures[static_cast<std::size_t>(i) * sets + set]);
      }
    }
  }
  seen_ += rows;
}

void PatternEvaluator::add_pattern(std::size_t pattern, const SetFigures& figures) {
  Sums& sum = sums_[pattern];
  sum.totals.add(figures);
  if (figures.recall >= sum.bar) return;
  const auto heap = smallest_.begin() + static_cast<std::ptrdiff_t>(pattern * kept_);
  const auto end = heap + static_cast<std::ptrdiff_t>(kept_);
  std::pop_heap(heap, end);
  *(end - 1) = figures.recall;
  std::push_heap(heap, end);
  sum.bar = *heap;
}

MetricValues PatternEvaluator::values(std::size_t pattern) const {
  const auto heap = smallest_.begin() + static_cast<std::ptrdiff_t>(pattern * kept_);
  return metric_values(sums_[pattern].totals, dense_, rows_, head_dim_, sums_[pattern].bar,
                       *std::min_element(heap, heap + static_cast<std::ptrdiff_t>(kept_)));
}

std::vector<MetricValues> PatternEvaluator::finish() const {
  if (seen_ != rows_ || rows_ < 1) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} rows of {} announced, 1 or more are due", seen_, rows_));
  }
  std::vector<MetricValues> made;
  for (std::size_t p = 0; p < plan_.size(); ++p) made.push_back(values(p));
  return made;
}

std::vector<MetricValues> evaluate_patterns(const Sample& sample, const PatternPlan& plan,
                                            const RowChoice& rows, int threads) {
  constexpr std::int64_t kBytes = std::int64_t{256} << 20;
  const std::vector<std::int64_t> tokens = choose_rows(sample.grid, rows);
  const PartialsOptions options{.outputs = true, .threads = threads};
  PatternEvaluator evaluator(plan, sample.grid, static_cast<std::int64_t>(tokens.size()), options);
  stream_partials(sample, tokens, options, kBytes,
                  [&](const FramePartials& block) { evaluator.add(block); });
  return evaluator.finish();
}

std::vector<MetricValues> evaluate_patterns(const Sample& sample,
                                            std::span<const FramePattern> patterns,
                                            const RowChoice& rows, int threads) {
  return evaluate_patterns(sample, PatternPlan(sample.grid.frames, patterns, threads), rows,
                           threads);
}

MergedRow merge_cells(const FramePartials& partials, std::size_t row,
                      std::span<const std::int32_t> cells) {
  FrameSets sets(partials.cells);
  const auto bits_of = [&](const auto& wanted) {
    std::vector<std::uint8_t> bits(sets.bytes(), 0);
    for (const auto c : wanted) {
      const auto cell = static_cast<std::size_t>(c);
      bits[cell / 8] = static_cast<std::uint8_t>(bits[cell / 8] | (1U << (cell % 8)));
    }
    return bits;
  };
  std::vector<std::int32_t> all;
  for (std::int32_t c = 0; c < partials.cells; ++c) all.push_back(c);
  sets.add(bits_of(all));
  const std::uint32_t set = sets.add(bits_of(cells));
  RowEvaluator evaluator(partials.head_dim, sets.slots(), sets.sets().size(),
                         best_partials_loops());
  std::vector<SetFigures> figures(sets.sets().size());
  evaluator.evaluate(partials, row, sets, figures);
  return {evaluator.output(set), figures[set]};
}

}  // namespace lvsa::analysis
