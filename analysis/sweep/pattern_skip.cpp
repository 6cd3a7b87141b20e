#include "analysis/sweep/pattern_skip.hpp"

#include <omp.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "analysis/sweep/partials_pass.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLog2e = 1.4426950408889634;
constexpr double kOff = 50.0;
constexpr std::int64_t kBlocks = 4;

std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

double exp_of(double x) {
  double result = 0.0;
  best_partials_loops().exp_array(&x, &result, 1);
  return result;
}

// One query block's rows; sums relative to each row's largest score so far.
class SkipReplay {
 public:
  SkipReplay(const Sample& sample, const HeadPattern& pattern, std::int64_t block)
      : sample_(sample),
        pattern_(pattern),
        block_(block),
        dim_(sample.q.shape[3]),
        rows_(pattern.map.rows.size(block)),
        rows_state_(static_cast<std::size_t>(rows_)) {
    queries_.assign(static_cast<std::size_t>(round_up(rows_, kPartialsRows) * dim_), 0.0);
    for (std::int64_t r = 0; r < rows_; ++r) {
      sample.q.read_row(0, token(pattern.map.rows.begin(block) + r), 0, queries_.data() + r * dim_);
    }
  }

  void run() {
    const std::int64_t first = pattern_.map.indptr[static_cast<std::size_t>(block_)];
    const std::int64_t last = pattern_.map.indptr[static_cast<std::size_t>(block_) + 1];
    for (std::int64_t entry = first; entry < last; ++entry) {
      score(pattern_.map.indices[static_cast<std::size_t>(entry)]);
      take(entry, entry + 1 < last);
    }
  }

  std::int64_t pairs = 0;    // attended
  std::int64_t skipped = 0;  // of them
  std::int64_t rows() const { return rows_; }
  // Sum over the rows.
  double lost_mass() const {
    double lost = 0.0;
    for (const Row& row : rows_state_) {
      if (row.sum > 0.0) lost += row.lost / row.sum;
    }
    return lost;
  }

 private:
  struct Row {
    double most = -kInfinity;
    double sum = 0.0;
    double lost = 0.0;
  };

  std::int64_t token(std::int64_t place) const {
    return pattern_.order ? pattern_.order->token(place) : place;
  }

  void score(std::int64_t column) {
    first_key_ = pattern_.map.columns.begin(column);
    keys_ = pattern_.map.columns.size(column);
    pitch_ = round_up(keys_, kPartialsPanel);
    panels_.assign(static_cast<std::size_t>(pitch_ * dim_), 0.0);
    std::vector<double> key(static_cast<std::size_t>(dim_));
    for (std::int64_t j = 0; j < keys_; ++j) {
      sample_.k.read_row(0, token(first_key_ + j), 0, key.data());
      double* const to =
          panels_.data() + j / kPartialsPanel * kPartialsPanel * dim_ + j % kPartialsPanel;
      for (std::int64_t c = 0; c < dim_; ++c) {
        to[c * kPartialsPanel] = key[static_cast<std::size_t>(c)];
      }
    }
    const std::int64_t padded = round_up(rows_, kPartialsRows);
    scores_.resize(static_cast<std::size_t>(padded * pitch_));
    PartialsProduct product{queries_.data(), dim_, nullptr, dim_, nullptr, pitch_, padded, true};
    for (std::int64_t j = 0; j < pitch_; j += kPartialsPanel) {
      product.b = panels_.data() + j * dim_;
      product.c = scores_.data() + j;
      best_partials_loops().multiply(&product);
    }
  }

  void take(std::int64_t entry, bool may_skip) {
    const std::int32_t mask = pattern_.mask.mask_of(entry);
    std::vector<double> most(static_cast<std::size_t>(rows_), -kInfinity);
    double delta = -kInfinity;
    std::int64_t here = 0;
    for (std::int64_t r = 0; r < rows_; ++r) {
      double& top = most[static_cast<std::size_t>(r)];
      for (std::int64_t j = 0; j < keys_; ++j) {
        if (!pattern_.mask.attends(mask, r, j)) continue;
        top = std::max(top, scores_[static_cast<std::size_t>(r * pitch_ + j)] * sample_.scale);
        ++here;
      }
      const double before = rows_state_[static_cast<std::size_t>(r)].most;
      if (top > -kInfinity) delta = std::max(delta, (top - before) * kLog2e);
    }
    const bool skip = may_skip && delta + pattern_.skip->threshold_log2 <= 0.0;
    pairs += here;
    if (skip) skipped += here;
    for (std::int64_t r = 0; r < rows_; ++r) add(r, most[static_cast<std::size_t>(r)], mask, skip);
  }

  void add(std::int64_t r, double top, std::int32_t mask, bool skip) {
    Row& row = rows_state_[static_cast<std::size_t>(r)];
    if (!(top > -kInfinity)) return;
    if (top > row.most) {
      const double factor = row.sum > 0.0 ? exp_of(row.most - top) : 0.0;
      row.sum *= factor;
      row.lost *= factor;
      row.most = top;
    }
    double mass = 0.0;
    for (std::int64_t j = 0; j < keys_; ++j) {
      if (!pattern_.mask.attends(mask, r, j)) continue;
      mass += exp_of(scores_[static_cast<std::size_t>(r * pitch_ + j)] * sample_.scale - row.most);
    }
    row.sum += mass;
    if (skip) row.lost += mass;
  }

  const Sample& sample_;
  const HeadPattern& pattern_;
  const std::int64_t block_;
  const std::int64_t dim_;
  const std::int64_t rows_;
  std::int64_t first_key_ = 0;
  std::int64_t keys_ = 0;
  std::int64_t pitch_ = 0;
  std::vector<Row> rows_state_;
  std::vector<double> queries_;
  std::vector<double> panels_;
  std::vector<double> scores_;
};

}  // namespace

bool skips_blocks(const HeadPattern& pattern) {
  return pattern.skip && pattern.skip->threshold_log2 < kOff;
}

SkipFigures measure_skip(const Sample& sample, const HeadPattern& pattern, int threads) {
  const std::int64_t all = pattern.map.rows.blocks();
  const std::int64_t count = std::min(kBlocks, all);
  std::vector<SkipReplay> replays;
  for (std::int64_t i = 0; i < count; ++i) {
    replays.emplace_back(sample, pattern, (2 * i + 1) * all / (2 * count));
  }
  const int wanted = threads > 0 ? threads : omp_get_max_threads();
#pragma omp parallel for schedule(dynamic, 1) num_threads(wanted)
  for (std::int64_t i = 0; i < count; ++i) replays[static_cast<std::size_t>(i)].run();
  double pairs = 0.0, skipped = 0.0, lost = 0.0, rows = 0.0;
  for (const SkipReplay& replay : replays) {
    pairs += static_cast<double>(replay.pairs);
    skipped += static_cast<double>(replay.skipped);
    lost += replay.lost_mass();
    rows += static_cast<double>(replay.rows());
  }
  return {pairs > 0.0 ? 1.0 - skipped / pairs : 1.0, lost / rows};
}

}  // namespace lvsa::analysis
