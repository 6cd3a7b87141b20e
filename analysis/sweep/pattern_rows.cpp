#include "analysis/sweep/pattern_rows.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <exception>

#include "analysis/sweep/metric_totals.hpp"
#include "analysis/sweep/partials_pass.hpp"
#include "analysis/sweep/pattern_row_sums.hpp"
#include "core/error.hpp"
#include "reference/attention/row_reader.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::int64_t kKeysAtOnce = 256;  // of k in panels, which then lie in a near cache

std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

/// Runs `body(i)` for 0 .. count - 1 and throws what the first that failed threw.
template <typename Make>
void run_parallel(std::int64_t count, int threads, const Make& make) {
  std::exception_ptr failure;
  std::int64_t failed = count;
#pragma omp parallel num_threads(static_cast <int>(std::clamp <std::int64_t>(count, 1, threads)))
  {
    auto body = make();
#pragma omp for schedule(dynamic, 1)
    for (std::int64_t i = 0; i < count; ++i) {
      try {
        body(i);
      } catch (...) {  // must not leave the parallel region
#pragma omp critical(lvsa_pattern_rows_failure)
        if (i < failed) {
          failed = i;
          failure = std::current_exception();
        }
      }
    }
  }
  if (failure) std::rethrow_exception(failure);
}

void check_finite(const Sample& sample, const char* name, std::int64_t token,
                  std::span<const double> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    const auto dim = static_cast<std::size_t>(sample.q.shape[3]);
    refuse_sample(sample,
                  fmt::format("{} holds {} at token {}, element {}: finite values are due", name,
                              values[i], token + static_cast<std::int64_t>(i / dim), i % dim));
  }
}

class RowsRun {
 public:
  RowsRun(const Sample& sample, std::span<const HeadPattern* const> patterns,
          std::span<const std::int64_t> tokens, const PatternRowsOptions& options)
      : sample_(sample),
        patterns_(patterns),
        tokens_(tokens),
        threads_(options.threads > 0 ? options.threads : omp_get_max_threads()),
        loops_(partials_loops(options.level)),
        tiles_(sample.grid),
        pitch_(round_up(tiles_.tokens(), kPartialsPanel)),
        block_(std::max<std::int64_t>(
            kPartialsRows, std::min(round_up(rows(), kPartialsRows),
                                    options.bytes / (8 * pitch_) / kPartialsRows * kPartialsRows))),
        totals_(patterns.size()),
        recalls_(patterns.size()) {
    start_dense_totals(dense_);
  }

  std::vector<MetricValues> run() {
    read_values();
    scores_.resize(static_cast<std::size_t>(block_ * pitch_));
    for (std::int64_t first = 0; first < rows(); first += block_) {
      const std::int64_t count = std::min(block_, rows() - first);
      score(first, count);
      evaluate(first, count);
    }
    return finish();
  }

 private:
  std::int64_t rows() const { return static_cast<std::int64_t>(tokens_.size()); }
  std::int64_t dim() const { return sample_.q.shape[3]; }

  void read_values() {
    values_.dim = dim();
    values_.width = round_up(dim(), kPartialsPanel);
    values_.values.assign(static_cast<std::size_t>(tiles_.tokens() * values_.width), 0.0);
    run_parallel(static_cast<std::int64_t>(tiles_.count()), threads_, [&] {
      return [this, rows = std::vector<double>()](std::int64_t i) mutable {
        const KeyTile& tile = tiles_[static_cast<std::size_t>(i)];
        rows.resize(static_cast<std::size_t>(tile.size * dim()));
        reference::RowReader(sample_.v, 0, 0)
            .read_run(tile.begin, tile.size, 0, rows.data(), dim());
        check_finite(sample_, "v", tile.begin, rows);
        for (std::int64_t j = 0; j < tile.size; ++j) {
          std::copy_n(rows.data() + j * dim(), dim(),
                      values_.values.data() + (tile.begin + j) * values_.width);
        }
      };
    });
  }

  void read_queries(std::int64_t first, std::int64_t count) {
    queries_.assign(static_cast<std::size_t>(round_up(count, kPartialsRows) * dim()), 0.0);
    for (std::int64_t r = 0; r < count; ++r) {
      const std::int64_t token = tokens_[static_cast<std::size_t>(first + r)];
      double* const row = queries_.data() + r * dim();
      sample_.q.read_row(0, token, 0, row);
      check_finite(sample_, "q", token, std::span(row, static_cast<std::size_t>(dim())));
    }
  }

  // q.k of `count` rows with all keys, in the order of the elements.
  void score(std::int64_t first, std::int64_t count) {
    read_queries(first, count);
    const std::int64_t pieces = (tiles_.tokens() + kKeysAtOnce - 1) / kKeysAtOnce;
    run_parallel(pieces, threads_, [&] {
      return [this, count, rows = std::vector<double>(),
              panels = std::vector<double>()](std::int64_t i) mutable {
        const std::int64_t begin = i * kKeysAtOnce;
        const std::int64_t keys = std::min(kKeysAtOnce, tiles_.tokens() - begin);
        rows.resize(static_cast<std::size_t>(keys * dim()));
        reference::RowReader(sample_.k, 0, 0).read_run(begin, keys, 0, rows.data(), dim());
        check_finite(sample_, "k", begin, rows);
        panels.assign(static_cast<std::size_t>(round_up(keys, kPartialsPanel) * dim()), 0.0);
        for (std::int64_t j = 0; j < keys; ++j) {
          double* const to =
              panels.data() + j / kPartialsPanel * kPartialsPanel * dim() + j % kPartialsPanel;
          for (std::int64_t c = 0; c < dim(); ++c)
            to[c * kPartialsPanel] = rows[static_cast<std::size_t>(j * dim() + c)];
        }
        PartialsProduct product{queries_.data(),
                                dim(),
                                nullptr,
                                dim(),
                                nullptr,
                                pitch_,
                                round_up(count, kPartialsRows),
                                true};
        for (std::int64_t j = 0; j < keys; j += kPartialsPanel) {
          product.b = panels.data() + j * dim();
          product.c = scores_.data() + begin + j;
          loops_.multiply(&product);
        }
      };
    });
  }

  void evaluate(std::int64_t first, std::int64_t count) {
    const std::size_t patterns = patterns_.size();
    std::vector<SetFigures> figures(static_cast<std::size_t>(count) * patterns);
    std::vector<DenseFigures> dense(static_cast<std::size_t>(count));
    run_parallel(count, threads_, [&] {
      return
          [this, first, patterns, &figures, &dense,
           sums = PatternRowSums(tiles_, values_, loops_, patterns),
           words = std::vector<std::uint64_t>(patterns * tiles_.count())](std::int64_t r) mutable {
            const std::int64_t token = tokens_[static_cast<std::size_t>(first + r)];
            const std::span<double> scores = scaled_scores(r, token);
            for (std::size_t p = 0; p < patterns; ++p) {
              mark_visible(*patterns_[p], token, tiles_,
                           std::span(words).subspan(p * tiles_.count(), tiles_.count()));
            }
            const auto at = static_cast<std::size_t>(r);
            dense[at] =
                sums.evaluate(scores, words, std::span(figures).subspan(at * patterns, patterns));
          };
    });
    for (std::size_t r = 0; r < static_cast<std::size_t>(count); ++r) {
      add_dense_figures(dense_, dense[r]);
      for (std::size_t p = 0; p < patterns; ++p) {
        totals_[p].add(figures[r * patterns + p]);
        recalls_[p].push_back(figures[r * patterns + p].recall);
      }
    }
  }

  std::span<double> scaled_scores(std::int64_t r, std::int64_t token) {
    const std::span<double> scores(scores_.data() + r * pitch_,
                                   static_cast<std::size_t>(tiles_.tokens()));
    for (double& s : scores) {
      s *= sample_.scale;
      if (std::isfinite(s)) continue;
      refuse_sample(sample_, fmt::format("a score of query token {} is {}: scores within the range "
                                         "of fp64 are due",
                                         token, s));
    }
    return scores;
  }

  std::vector<MetricValues> finish() {
    std::vector<MetricValues> made;
    for (std::size_t p = 0; p < patterns_.size(); ++p) {
      std::vector<double>& recalls = recalls_[p];
      std::sort(recalls.begin(), recalls.end());
      made.push_back(metric_values(totals_[p], dense_, rows(), dim(),
                                   recalls[(recalls.size() + 99) / 100 - 1], recalls.front()));
    }
    return made;
  }

  const Sample& sample_;
  const std::span<const HeadPattern* const> patterns_;
  const std::span<const std::int64_t> tokens_;
  const int threads_;
  const PartialsLoops& loops_;
  const KeyTiles tiles_;
  const std::int64_t pitch_;
  const std::int64_t block_;  // rows at a time
  ValueTable values_;
  std::vector<double> queries_;
  std::vector<double> scores_;  // [block_][pitch_]
  DenseFigures dense_;
  std::vector<MetricTotals> totals_;
  std::vector<std::vector<double>> recalls_;
};

void check_input(const Sample& sample, std::span<const HeadPattern* const> patterns,
                 std::span<const std::int64_t> tokens) {
  const std::int64_t length = sample.grid.seq_len();
  if (tokens.empty()) throw Error(ErrorKind::kValue, "no query rows: 1 or more are due");
  for (const HeadPattern* pattern : patterns) {
    const std::int64_t rows = pattern->map.rows.tokens();
    const std::int64_t keys = pattern->map.columns.tokens();
    if (rows == length && keys == length) continue;
    refuse_sample(sample, fmt::format("a pattern of {} queries and {} keys: {} of each are due",
                                      rows, keys, length));
  }
}

}  // namespace

std::vector<MetricValues> evaluate_head_patterns(const Sample& sample,
                                                 std::span<const HeadPattern* const> patterns,
                                                 std::span<const std::int64_t> tokens,
                                                 const PatternRowsOptions& options) {
  check_sample(sample, tokens);
  check_input(sample, patterns, tokens);
  return RowsRun(sample, patterns, tokens, options).run();
}

}  // namespace lvsa::analysis
