#include "core/sparse/sparse_videogen_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "core/error.hpp"
#include "core/sparse/tensor_rows.hpp"

namespace lvsa::sparse {
namespace {

std::uint64_t splitmix64(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  std::uint64_t x = state;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// The sampled rows' softmax under one mask: weights that are not divided by their sums yet.
struct Weights {
  std::vector<double> of;    // [rows][keys]
  std::vector<double> sums;  // [rows]
};

template <typename Attends>
Weights weigh(const std::vector<double>& scores, const std::vector<std::int64_t>& rows,
              std::int64_t keys, Attends attends) {
  Weights weights;
  weights.of.resize(scores.size());
  std::vector<double> line(static_cast<std::size_t>(keys));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double* from = scores.data() + static_cast<std::int64_t>(i) * keys;
    double* to = weights.of.data() + static_cast<std::int64_t>(i) * keys;
    double highest = -std::numeric_limits<double>::infinity();
    for (std::int64_t j = 0; j < keys; ++j) {
      // Where it is left out the score is far below; the weight is taken away after.
      line[static_cast<std::size_t>(j)] = attends(rows[i], j) ? from[j] : -1e300;
      highest = std::max(highest, line[static_cast<std::size_t>(j)]);
    }
    exp_differences(line.data(), highest, keys, to);
    double sum = 0.0;
    for (std::int64_t j = 0; j < keys; ++j) {
      if (line[static_cast<std::size_t>(j)] == -1e300) to[j] = 0.0;
      sum += to[j];
    }
    weights.sums.push_back(sum);
  }
  return weights;
}

float result(double weighted, double sum) {
  return sum == 0.0 ? 0.0F : static_cast<float>(weighted / sum);
}

// Mean squared difference of results [rows][width] that are weighted sums.
float error_of(const std::vector<double>& full, const std::vector<double>& full_sums,
               const std::vector<double>& part, const std::vector<double>& part_sums) {
  const std::size_t width = full.size() / full_sums.size();
  double sum = 0.0;
  for (std::size_t i = 0; i < full_sums.size(); ++i) {
    for (std::size_t d = i * width; d < (i + 1) * width; ++d) {
      const double difference = static_cast<double>(result(part[d], part_sums[i])) -
                                static_cast<double>(result(full[d], full_sums[i]));
      sum += difference * difference;
    }
  }
  return static_cast<float>(sum / static_cast<double>(full.size()));
}

// Sums of weights times rows of v, in ascending order of keys: [rows][D].
std::vector<double> weighted_values(const Weights& weights, const TensorView& v) {
  const auto dim = static_cast<std::size_t>(v.shape[3]);
  const std::int64_t keys = v.shape[1];
  std::vector<double> sums(weights.sums.size() * dim, 0.0);
  std::vector<double> row(dim);
  for (std::int64_t j = 0; j < keys; ++j) {
    v.read_row(0, j, 0, row.data());
    for (std::size_t i = 0; i < weights.sums.size(); ++i) {
      const double weight =
          weights.of[i * static_cast<std::size_t>(keys) + static_cast<std::size_t>(j)];
      if (weight == 0.0) continue;
      for (std::size_t d = 0; d < dim; ++d) sums[i * dim + d] += weight * row[d];
    }
  }
  return sums;
}

std::vector<double> scores_of(const PatternInput& input, const std::vector<std::int64_t>& rows) {
  const std::int64_t dim = input.q.shape[3];
  const std::int64_t keys = input.k.shape[1];
  const double scale = 1.0 / std::sqrt(static_cast<double>(dim));
  const std::vector<double> q = read_rows(input.q, rows);
  std::vector<double> scores(rows.size() * static_cast<std::size_t>(keys));
  std::vector<double> key(static_cast<std::size_t>(dim));
  for (std::int64_t j = 0; j < keys; ++j) {
    input.k.read_row(0, j, 0, key.data());
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(rows.size()); ++i) {
      const double score = dot(q.data() + i * dim, key.data(), dim) * scale;
      if (!std::isfinite(score)) {
        throw Error(ErrorKind::kValue,
                    fmt::format("svg: the score of tokens {} and {} is not finite",
                                rows[static_cast<std::size_t>(i)], j));
      }
      scores[static_cast<std::size_t>(i * keys + j)] = score;
    }
  }
  return scores;
}

}  // namespace

bool SampledMasks::spatial(std::int64_t query, std::int64_t key) const {
  if (std::max(query, key) >= grid.video_tokens()) return true;
  return std::llabs(query / unit - key / unit) < blocks || (sink && key < grid.patches_per_frame);
}

bool SampledMasks::temporal(std::int64_t query, std::int64_t key) const {
  if (std::max(query, key) >= grid.video_tokens()) return true;
  const std::int64_t patches = grid.patches_per_frame;
  const auto place = [&](std::int64_t token) {
    return token % patches * grid.frames + token / patches;
  };
  if (std::llabs(place(query) / unit - place(key) / unit) < blocks) return true;
  return sink && (sink_before_reorder ? place(key) : key) < patches;
}

std::vector<std::int64_t> sampled_rows(const FrameGrid& grid, std::int64_t count,
                                       std::uint64_t seed) {
  std::vector<std::int64_t> rows;
  __extension__ using Wide = unsigned __int128;
  for (std::int64_t i = 0; i < count; ++i) {
    const Wide product = Wide{splitmix64(seed)} * static_cast<std::uint64_t>(grid.video_tokens());
    rows.push_back(static_cast<std::int64_t>(product >> 64));
  }
  return rows;
}

SampledErrors sampled_errors(const PatternInput& input, const SampledMasks& masks,
                             const std::vector<std::int64_t>& rows) {
  const std::int64_t keys = input.k.shape[1];
  const std::vector<double> scores = scores_of(input, rows);
  const std::array<Weights, 3> weights = {
      weigh(scores, rows, keys, [](std::int64_t, std::int64_t) { return true; }),
      weigh(scores, rows, keys,
            [&](std::int64_t q, std::int64_t k) { return masks.spatial(q, k); }),
      weigh(scores, rows, keys,
            [&](std::int64_t q, std::int64_t k) { return masks.temporal(q, k); })};
  std::array<std::vector<double>, 3> sums;
  for (std::size_t i = 0; i < 3; ++i) {
    sums[i] = input.v.data == nullptr ? weights[i].of : weighted_values(weights[i], input.v);
  }
  return {error_of(sums[0], weights[0].sums, sums[1], weights[1].sums),
          error_of(sums[0], weights[0].sums, sums[2], weights[2].sums)};
}

}  // namespace lvsa::sparse
