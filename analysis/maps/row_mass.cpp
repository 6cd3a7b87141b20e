#include "analysis/maps/row_mass.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <mutex>

#include "core/error.hpp"
#include "reference/attention/exact_log.hpp"
#include "reference/attention/oracle_loops.hpp"
#include "reference/attention/row_reader.hpp"

namespace lvsa::analysis {
namespace {

using reference::kOraclePanel;

constexpr std::int64_t kRowsTogether = 8;  // their scores of a frame stay in the cache

// The softmax of one row over the keys of one group alone: sums of e^(s - max).
struct Partial {
  double max = -std::numeric_limits<double>::infinity();
  double sum = 0.0;
  double weighted = 0.0;  // of e^(s - max) (s - max)
  double near = 0.0;      // of the keys near the query's place
};

struct KeyRange {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

KeyRange keys_of(const FrameGrid& grid, std::int64_t group) {
  if (group == grid.frames) return {grid.video_tokens(), grid.text_tokens};
  return {group * grid.patches_per_frame, grid.patches_per_frame};
}

std::int64_t panels_of(std::int64_t keys) { return (keys + kOraclePanel - 1) / kOraclePanel; }

std::vector<double> queries_of(const Sample& sample, std::span<const std::int64_t> tokens) {
  const auto dim = static_cast<std::size_t>(sample.q.shape[3]);
  std::vector<double> rows(tokens.size() * dim);
  for (std::size_t r = 0; r < tokens.size(); ++r) {
    sample.q.read_row(0, tokens[r], 0, rows.data() + r * dim);
  }
  return rows;
}

// The scores of some rows with the keys of one group at a time. One a thread.
class GroupScores {
 public:
  explicit GroupScores(const Sample& sample)
      : sample_(sample), dim_(sample.k.shape[3]), reader_(sample.k, 0, 0) {}

  void load(std::int64_t group) {
    range_ = keys_of(sample_.grid, group);
    const std::int64_t room = panels_of(range_.count) * kOraclePanel;
    pitch_ = room;
    keys_.assign(static_cast<std::size_t>(room * dim_), 0.0);
    rows_read_.resize(static_cast<std::size_t>(kOraclePanel * dim_));
    for (std::int64_t from = 0; from < range_.count; from += kOraclePanel) {
      const std::int64_t count = std::min<std::int64_t>(kOraclePanel, range_.count - from);
      const std::int64_t ahead = std::min<std::int64_t>(kOraclePanel, range_.count - from - count);
      reader_.read_run(range_.first + from, count, ahead, rows_read_.data(), dim_);
      double* const panel = keys_.data() + from * dim_;
      for (std::int64_t j = 0; j < count; ++j) {
        for (std::int64_t d = 0; d < dim_; ++d) {
          panel[d * kOraclePanel + j] = rows_read_[static_cast<std::size_t>(j * dim_ + d)];
        }
      }
    }
    products_.resize(static_cast<std::size_t>(kRowsTogether * pitch_));
    magnitudes_.resize(products_.size());
  }

  std::int64_t keys() const { return range_.count; }
  std::int64_t first() const { return range_.first; }
  /// Scaled scores of a row of the last score().
  double* row(std::int64_t r) { return products_.data() + r * pitch_; }
  /// Room for as many numbers.
  double* room(std::int64_t r) { return magnitudes_.data() + r * pitch_; }

  void score(const double* queries, std::int64_t rows) {
    const double* in[kRowsTogether];
    double* products[kRowsTogether];
    double* magnitudes[kRowsTogether];
    for (std::int64_t r = 0; r < rows; ++r) {
      in[r] = queries + r * dim_;
      products[r] = row(r);
      magnitudes[r] = room(r);
    }
    const reference::OracleScoreArgs args{in,   rows,     keys_.data(), panels_of(range_.count),
                                          dim_, products, magnitudes};
    loops_.score(&args);
    for (std::int64_t r = 0; r < rows; ++r) {
      double* const scores = row(r);
      for (std::int64_t j = 0; j < range_.count; ++j) scores[j] *= sample_.scale;
    }
  }

  const reference::OracleLoops& loops() const { return loops_; }

 private:
  const Sample& sample_;
  const reference::OracleLoops& loops_ = reference::best_oracle_loops();
  std::int64_t dim_;
  reference::RowReader reader_;
  KeyRange range_;
  std::int64_t pitch_ = 0;
  std::vector<double> keys_;  // panels
  std::vector<double> rows_read_;
  std::vector<double> products_;
  std::vector<double> magnitudes_;
};

// e^(s - max) of the keys whose rows and columns differ by at most kNearTokens.
double near_sum(const double* weights, const LatentSize& size, std::int64_t place) {
  const std::int64_t y = place / size.width;
  const std::int64_t x = place % size.width;
  double sum = 0.0;
  for (std::int64_t v = std::max<std::int64_t>(0, y - kNearTokens);
       v <= std::min(size.height - 1, y + kNearTokens); ++v) {
    for (std::int64_t u = std::max<std::int64_t>(0, x - kNearTokens);
         u <= std::min(size.width - 1, x + kNearTokens); ++u) {
      sum += weights[v * size.width + u];
    }
  }
  return sum;
}

// Scores into a partial; `weights` has room for as many.
Partial soften(const reference::OracleLoops& loops, double* scores, double* weights,
               std::int64_t keys) {
  Partial partial;
  partial.max = *std::max_element(scores, scores + keys);
  for (std::int64_t j = 0; j < keys; ++j) scores[j] -= partial.max;
  loops.exp_array(scores, weights, keys);
  for (std::int64_t j = 0; j < keys; ++j) {
    partial.sum += weights[j];
    partial.weighted += weights[j] * scores[j];
  }
  return partial;
}

void fill_group(const Sample& sample, const LatentSize& size, std::span<const std::int64_t> tokens,
                const std::vector<double>& queries, std::int64_t group, GroupScores& scores,
                Partial* column, std::int64_t pitch) {
  const std::int64_t dim = sample.q.shape[3];
  const auto rows = static_cast<std::int64_t>(tokens.size());
  scores.load(group);
  for (std::int64_t from = 0; from < rows; from += kRowsTogether) {
    const std::int64_t count = std::min(kRowsTogether, rows - from);
    scores.score(queries.data() + from * dim, count);
    for (std::int64_t r = 0; r < count; ++r) {
      double* const weights = scores.room(r);
      Partial partial = soften(scores.loops(), scores.row(r), weights, scores.keys());
      if (group < sample.grid.frames) {
        const std::int64_t token = tokens[static_cast<std::size_t>(from + r)];
        partial.near = near_sum(weights, size, token % sample.grid.patches_per_frame);
      }
      column[(from + r) * pitch] = partial;
    }
  }
}

RowMass merge(std::int64_t token, const Partial* partials, std::int64_t groups,
              std::int64_t frames) {
  double max = -std::numeric_limits<double>::infinity();
  for (std::int64_t g = 0; g < groups; ++g) max = std::max(max, partials[g].max);
  std::vector<double> factors(static_cast<std::size_t>(groups));
  for (std::int64_t g = 0; g < groups; ++g) {
    factors[static_cast<std::size_t>(g)] = partials[g].max - max;
  }
  const std::vector<double> shifts = factors;
  reference::best_oracle_loops().exp_array(shifts.data(), factors.data(), groups);
  double sum = 0.0;
  double weighted = 0.0;
  for (std::int64_t g = 0; g < groups; ++g) {
    const auto at = static_cast<std::size_t>(g);
    sum += factors[at] * partials[g].sum;
    // A factor of 0 beside a shift of -inf would be no number.
    if (factors[at] > 0.0) {
      weighted += factors[at] * (partials[g].weighted + shifts[at] * partials[g].sum);
    }
  }
  RowMass row;
  row.token = token;
  for (std::int64_t g = 0; g < groups; ++g) {
    const double factor = factors[static_cast<std::size_t>(g)];
    row.mass.push_back(factor * partials[g].sum / sum);
    if (g < frames) row.near_mass.push_back(factor * partials[g].near / sum);
  }
  const double log_sum = reference::exact_log(sum);
  row.lse = max + log_sum;
  row.entropy = std::max(0.0, log_sum - weighted / sum);
  return row;
}

void check(const Sample& sample, std::span<const std::int64_t> tokens) {
  const FrameGrid& grid = sample.grid;
  for (const std::int64_t token : tokens) {
    if (token >= 0 && token < grid.video_tokens()) continue;
    throw Error(ErrorKind::kValue,
                fmt::format("query token {}: a token of the video, 0 .. {}, is due", token,
                            grid.video_tokens() - 1));
  }
  for (const TensorView* view : {&sample.q, &sample.k}) {
    if (view->shape[1] == grid.seq_len() && view->shape[3] == sample.q.shape[3]) continue;
    throw Error(ErrorKind::kValue,
                fmt::format("a tensor of {} tokens x {}: {} x {} are due", view->shape[1],
                            view->shape[3], grid.seq_len(), sample.q.shape[3]));
  }
}

}  // namespace

std::vector<RowMass> row_masses(const Sample& sample, const LatentSize& size,
                                std::span<const std::int64_t> tokens) {
  check(sample, tokens);
  if (size.tokens() != sample.grid.patches_per_frame) {
    throw Error(ErrorKind::kValue,
                fmt::format("frames of {} x {} tokens: P = {} are due", size.height, size.width,
                            sample.grid.patches_per_frame));
  }
  const std::int64_t groups = key_groups(sample.grid);
  const std::vector<double> queries = queries_of(sample, tokens);
  std::vector<Partial> partials(tokens.size() * static_cast<std::size_t>(groups));
  std::exception_ptr failure;
  std::mutex failing;
#pragma omp parallel
  {
    GroupScores scores(sample);
#pragma omp for schedule(dynamic)
    for (std::int64_t g = 0; g < groups; ++g) {
      try {
        fill_group(sample, size, tokens, queries, g, scores, partials.data() + g, groups);
      } catch (...) {
        const std::lock_guard lock(failing);
        failure = std::current_exception();
      }
    }
  }
  if (failure) std::rethrow_exception(failure);
  std::vector<RowMass> rows;
  rows.reserve(tokens.size());
  for (std::size_t r = 0; r < tokens.size(); ++r) {
    rows.push_back(merge(tokens[r], partials.data() + r * static_cast<std::size_t>(groups), groups,
                         sample.grid.frames));
  }
  return rows;
}

std::vector<double> row_weights(const Sample& sample, std::int64_t token) {
  const std::int64_t tokens[] = {token};
  check(sample, tokens);
  const std::int64_t groups = key_groups(sample.grid);
  const std::vector<double> query = queries_of(sample, tokens);
  std::vector<double> weights(static_cast<std::size_t>(sample.grid.seq_len()));
  std::vector<Partial> partials(static_cast<std::size_t>(groups));
  GroupScores scores(sample);
  for (std::int64_t g = 0; g < groups; ++g) {
    scores.load(g);
    scores.score(query.data(), 1);
    partials[static_cast<std::size_t>(g)] =
        soften(scores.loops(), scores.row(0), weights.data() + scores.first(), scores.keys());
  }
  const RowMass row = merge(token, partials.data(), groups, sample.grid.frames);
  for (std::int64_t g = 0; g < groups; ++g) {
    const KeyRange range = keys_of(sample.grid, g);
    const auto at = static_cast<std::size_t>(g);
    const double factor = partials[at].sum > 0.0 ? row.mass[at] / partials[at].sum : 0.0;
    for (std::int64_t j = 0; j < range.count; ++j) {
      weights[static_cast<std::size_t>(range.first + j)] *= factor;
    }
  }
  return weights;
}

}  // namespace lvsa::analysis
