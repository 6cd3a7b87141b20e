#include "reference/attention/oracle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>

#include "core/error.hpp"

namespace lvsa::reference {
namespace {

constexpr int kLanes = 8;

struct Dot {
  double product;
  double magnitude;
};

// sum q_i k_i and sum |q_i k_i| in eight partial sums, added in a fixed order at the end: wide
// enough for any vector unit, and the same on all of them.
Dot dot(const double* q, const double* k, std::int64_t dim) {
  double product[kLanes] = {};
  double magnitude[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) {
      const double term = q[i + lane] * k[i + lane];
      product[lane] += term;
      magnitude[lane] += std::fabs(term);
    }
  }
  for (; i < dim; ++i) {
    const double term = q[i] * k[i];
    product[i % kLanes] += term;
    magnitude[i % kLanes] += std::fabs(term);
  }
  Dot sum{0.0, 0.0};
  for (int lane = 0; lane < kLanes; ++lane) {
    sum.product += product[lane];
    sum.magnitude += magnitude[lane];
  }
  return sum;
}

void require(bool holds, const std::string& message) {
  if (!holds) throw Error(ErrorKind::kValue, message);
}

std::string shape_text(const TensorView& view) {
  return fmt::format("[{}, {}, {}, {}]", view.shape[0], view.shape[1], view.shape[2],
                     view.shape[3]);
}

void check_lists(const AttentionProblem& problem) {
  const std::int64_t frames = problem.grid.frames;
  require(static_cast<std::int64_t>(problem.attended.size()) == frames,
          fmt::format("attended lists: {} rows for {} frames", problem.attended.size(), frames));
  for (std::size_t f = 0; f < problem.attended.size(); ++f) {
    const auto& list = problem.attended[f];
    for (std::size_t i = 0; i < list.size(); ++i) {
      require(list[i] >= 0 && list[i] < frames && (i == 0 || list[i] > list[i - 1]),
              fmt::format("attended list of frame {}: entry {} is {}; ascending frames in 0 .. {} "
                          "are due",
                          f, i, list[i], frames - 1));
    }
  }
}

template <typename Visit>
void for_each_key(const std::vector<std::pair<std::int64_t, std::int64_t>>& ranges, Visit visit) {
  std::size_t j = 0;
  for (const auto& [begin, end] : ranges) {
    for (std::int64_t token = begin; token < end; ++token) visit(token, j++);
  }
}

}  // namespace

void check_problem(const AttentionProblem& p) {
  require(p.grid.frames >= 1 && p.grid.patches_per_frame >= 1 && p.grid.text_tokens >= 0,
          fmt::format("grid of {} frames x {} patches + {} text tokens: positive sizes are due",
                      p.grid.frames, p.grid.patches_per_frame, p.grid.text_tokens));
  for (const TensorView* view : {&p.q, &p.k, &p.v}) {
    require(view->data != nullptr && view->shape[0] == p.q.shape[0] &&
                view->shape[1] == p.grid.seq_len() && view->shape[3] == p.q.shape[3],
            fmt::format("tensor of shape {}: [{}, {}, heads, {}] is due", shape_text(*view),
                        p.q.shape[0], p.grid.seq_len(), p.q.shape[3]));
  }
  require(p.k.shape == p.v.shape, fmt::format("k has shape {}, v {}: they must be the same",
                                              shape_text(p.k), shape_text(p.v)));
  require(p.q.shape[2] % p.k.shape[2] == 0,
          fmt::format("{} query heads are no multiple of {} key/value heads", p.q.shape[2],
                      p.k.shape[2]));
  check_lists(p);
}

std::vector<std::pair<std::int64_t, std::int64_t>> visible_ranges(const AttentionProblem& problem,
                                                                  std::int64_t query_token) {
  const FrameGrid& grid = problem.grid;
  if (query_token >= grid.video_tokens()) return {{0, grid.seq_len()}};
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
  const auto add = [&](std::int64_t begin, std::int64_t end) {
    if (begin == end) return;
    if (!ranges.empty() && ranges.back().second == begin) {
      ranges.back().second = end;
    } else {
      ranges.emplace_back(begin, end);
    }
  };
  const std::int64_t frame = query_token / grid.patches_per_frame;
  for (const std::int64_t f : problem.attended[static_cast<std::size_t>(frame)]) {
    add(f * grid.patches_per_frame, (f + 1) * grid.patches_per_frame);
  }
  add(grid.video_tokens(), grid.seq_len());
  return ranges;
}

RowResult attend_row(const AttentionProblem& problem, const RowId& row,
                     const ScoreErrorModel& errors) {
  const std::int64_t dim = problem.q.shape[3];
  const auto width = static_cast<std::size_t>(dim);
  const std::int64_t kv_head = row.head / (problem.q.shape[2] / problem.k.shape[2]);
  const auto ranges = visible_ranges(problem, row.token);

  RowResult result;
  result.out.assign(width, 0.0);
  result.magnitude.assign(width, 0.0);
  result.score_shift.assign(width, 0.0);
  result.value_sum.assign(width, 0.0);
  for (const auto& [begin, end] : ranges) result.keys += end - begin;
  if (result.keys == 0) {
    result.lse = result.max_score = -std::numeric_limits<double>::infinity();
    return result;
  }

  std::vector<double> query(width);
  std::vector<double> other(width);
  problem.q.read_row(row.batch, row.token, row.head, query.data());

  // p_j starts as the score; eta_j starts as scale * sum |q_i k_ji|.
  std::vector<double> p(static_cast<std::size_t>(result.keys));
  std::vector<double> eta(p.size());
  result.max_score = -std::numeric_limits<double>::infinity();
  for_each_key(ranges, [&](std::int64_t token, std::size_t j) {
    problem.k.read_row(row.batch, token, kv_head, other.data());
    const Dot d = dot(query.data(), other.data(), dim);
    p[j] = problem.scale * d.product;
    eta[j] = std::fabs(problem.scale) * d.magnitude;
    result.max_score = std::max(result.max_score, p[j]);
  });

  double weighted_eta = 0.0;
  for (std::size_t j = 0; j < p.size(); ++j) {
    const double score = p[j];
    const double below = result.max_score - score;
    eta[j] = errors.dot * eta[j] +
             (std::fabs(score) + errors.exponent * below + errors.constant) * errors.unit;
    p[j] = std::exp(-below);
    result.normaliser += p[j];
    weighted_eta += p[j] * eta[j];
    result.max_eta = std::max(result.max_eta, eta[j]);
  }
  result.lse = result.max_score + std::log(result.normaliser);
  result.lse_shift = weighted_eta / result.normaliser;

  for_each_key(ranges, [&](std::int64_t token, std::size_t j) {
    problem.v.read_row(row.batch, token, kv_head, other.data());
    for (std::size_t c = 0; c < width; ++c) {
      result.out[c] += p[j] * other[c];
      result.magnitude[c] += p[j] * std::fabs(other[c]);
      result.value_sum[c] += std::fabs(other[c]);
    }
  });
  for (std::size_t c = 0; c < width; ++c) {
    result.out[c] /= result.normaliser;
    result.magnitude[c] /= result.normaliser;
    result.value_sum[c] /= result.normaliser;
  }
  // Centred at the result, which is why it takes a second pass over V.
  for_each_key(ranges, [&](std::int64_t token, std::size_t j) {
    problem.v.read_row(row.batch, token, kv_head, other.data());
    const double weight = p[j] * eta[j];
    for (std::size_t c = 0; c < width; ++c) {
      result.score_shift[c] += weight * std::fabs(other[c] - result.out[c]);
    }
  });
  for (std::size_t c = 0; c < width; ++c) result.score_shift[c] /= result.normaliser;
  return result;
}

std::vector<RowResult> attend_rows(const AttentionProblem& problem, std::span<const RowId> rows,
                                   const ScoreErrorModel& errors,
                                   const std::function<void()>& done) {
  check_problem(problem);
  for (const RowId& row : rows) {
    require(row.batch >= 0 && row.batch < problem.q.shape[0] && row.token >= 0 &&
                row.token < problem.q.shape[1] && row.head >= 0 && row.head < problem.q.shape[2],
            fmt::format("row (batch {}, token {}, head {}) is outside q of shape {}", row.batch,
                        row.token, row.head, shape_text(problem.q)));
  }
  std::vector<RowResult> results(rows.size());
  std::exception_ptr failure;
  const auto count = static_cast<std::int64_t>(rows.size());
#pragma omp parallel for schedule(dynamic, 1)
  for (std::int64_t i = 0; i < count; ++i) {
    const auto index = static_cast<std::size_t>(i);
    try {
      results[index] = attend_row(problem, rows[index], errors);
      if (done) {
#pragma omp critical(lvsa_oracle_done)
        done();
      }
    } catch (...) {  // must not leave the parallel region
#pragma omp critical(lvsa_oracle_failure)
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
  return results;
}

}  // namespace lvsa::reference
