#include "tests/analysis/exact_row.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>

namespace lvsa::analysis {
namespace {

using Random = std::mt19937_64;

RowInputs normal_row(const char* name, std::int64_t keys, std::int64_t dim, Random& random) {
  std::normal_distribution<double> normal;
  RowInputs r{name, keys, dim, 1.0 / std::sqrt(static_cast<double>(dim)), {}, {}, {}};
  for (std::int64_t i = 0; i < dim; ++i) r.q.push_back(normal(random));
  for (std::int64_t i = 0; i < keys * dim; ++i) r.k.push_back(normal(random));
  for (std::int64_t i = 0; i < keys * dim; ++i) r.v.push_back(normal(random));
  return r;
}

// Gives key j the score `level(j)` plus what the noise of a normal key adds.
RowInputs levelled_row(const char* name, std::int64_t keys, double noise, Random& random,
                       const std::function<double(std::int64_t)>& level) {
  RowInputs r = normal_row(name, keys, 16, random);
  r.q[0] = 4.0;
  for (std::int64_t j = 0; j < keys; ++j) {
    double* key = &r.k[static_cast<std::size_t>(j * r.dim)];
    for (std::int64_t i = 0; i < r.dim; ++i) key[i] *= noise;
    key[0] = level(j) / (r.scale * r.q[0]);
  }
  return r;
}

// q.k and the values are sums of large numbers that cancel in pairs.
RowInputs cancelling_row(Random& random) {
  RowInputs r = normal_row("cancellation", 100, 32, random);
  for (std::int64_t i = 0; i < r.dim; i += 2) {
    r.q[static_cast<std::size_t>(i + 1)] = r.q[static_cast<std::size_t>(i)];
    for (std::int64_t j = 0; j < r.keys; ++j) {
      double* pair = &r.k[static_cast<std::size_t>(j * r.dim + i)];
      pair[0] *= 1000.0;
      pair[1] = -pair[0] + 0.1 * pair[1];
    }
  }
  for (std::size_t i = 0; i < r.v.size(); ++i) {
    r.v[i] = (i / 32 % 2 == 0 ? 1000.0 : -1000.0) + r.v[i];
  }
  return r;
}

}  // namespace

std::vector<RowInputs> hard_rows(std::uint64_t seed) {
  Random random(seed);
  std::vector<RowInputs> rows;
  rows.push_back(normal_row("normal", 200, 64, random));
  rows.push_back(normal_row("one key", 1, 8, random));
  rows.push_back(normal_row("two keys, one dimension", 2, 1, random));
  rows.push_back(cancelling_row(random));
  RowInputs equal = normal_row("equal scores", 130, 16, random);
  std::fill(equal.k.begin(), equal.k.end(), 0.25);
  for (double& v : equal.v) v = std::fabs(v);
  rows.push_back(equal);
  rows.push_back(levelled_row("far apart", 150, 1.0, random,
                              [](std::int64_t j) { return static_cast<double>(j % 13) * 40.0; }));
  rows.push_back(levelled_row("one key takes all", 90, 1.0, random,
                              [](std::int64_t j) { return j == 41 ? 60.0 : 0.0; }));
  rows.push_back(levelled_row("subnormal weights", 60, 0.01, random, [](std::int64_t j) {
    return j == 7 ? 0.0 : -715.0 - static_cast<double>(j) / 2.0;
  }));
  rows.push_back(levelled_row("large scores", 120, 0.5, random, [](std::int64_t) { return 1e4; }));
  rows.push_back(levelled_row("rising scores", 300, 0.01, random,
                              [](std::int64_t j) { return 0.01 * static_cast<double>(j); }));
  rows.push_back(normal_row("many keys", 3000, 8, random));
  return rows;
}

ExactRow exact_row(const RowInputs& inputs) {
  ExactRow row;
  for (std::int64_t j = 0; j < inputs.keys; ++j) {
    Real product;
    Real magnitude;
    for (std::int64_t i = 0; i < inputs.dim; ++i) {
      const Real term = Real(inputs.q[static_cast<std::size_t>(i)]) *
                        Real(inputs.k[static_cast<std::size_t>(j * inputs.dim + i)]);
      product += term;
      magnitude += abs(term);
    }
    row.score.push_back(Real(inputs.scale) * product);
    row.absolute.push_back(Real(inputs.scale) * magnitude);
    if (j == 0 || row.max < row.score.back()) row.max = row.score.back();
  }
  for (const Real& score : row.score) {
    row.p.push_back(exp(score - row.max));
    row.normaliser += row.p.back();
  }
  row.lse = row.max + log(row.normaliser);
  return row;
}

Real exact_eta(const ExactRow& row, const reference::ScoreErrorModel& errors, std::size_t j) {
  return Real(errors.dot) * row.absolute[j] +
         (Real(errors.score) * abs(row.score[j]) +
          Real(errors.exponent) * (row.max - row.score[j]) + Real(errors.constant)) *
             Real(errors.unit);
}

ExactColumn exact_column(const RowInputs& inputs, const ExactRow& row,
                         const reference::ScoreErrorModel& errors, std::int64_t column) {
  ExactColumn sums;
  const auto value = [&](std::size_t j) {
    return Real(
        inputs.v[j * static_cast<std::size_t>(inputs.dim) + static_cast<std::size_t>(column)]);
  };
  for (std::size_t j = 0; j < row.p.size(); ++j) {
    sums.out += row.p[j] * value(j);
    sums.magnitude += row.p[j] * abs(value(j));
    sums.value_sum += abs(value(j));
  }
  sums.out = sums.out / row.normaliser;
  for (std::size_t j = 0; j < row.p.size(); ++j) {
    const Real distance = row.p[j] * abs(value(j) - sums.out);
    sums.deviation += distance;
    sums.score_shift += distance * exact_eta(row, errors, j);
  }
  for (Real* sum : {&sums.magnitude, &sums.value_sum, &sums.deviation, &sums.score_shift}) {
    *sum = *sum / row.normaliser;
  }
  return sums;
}

OracleRow oracle_row(const RowInputs& inputs) {
  OracleRow made{Tensor(LVSA_F64, {1, inputs.keys, 1, inputs.dim}, Layout::kBSHD),
                 Tensor(LVSA_F64, {1, inputs.keys, 1, inputs.dim}, Layout::kBSHD),
                 Tensor(LVSA_F64, {1, inputs.keys, 1, inputs.dim}, Layout::kBSHD),
                 {}};
  std::memset(made.q.bytes(), 0, made.q.size_bytes());
  std::memcpy(made.q.bytes(), inputs.q.data(), inputs.q.size() * sizeof(double));
  std::memcpy(made.k.bytes(), inputs.k.data(), inputs.k.size() * sizeof(double));
  std::memcpy(made.v.bytes(), inputs.v.data(), inputs.v.size() * sizeof(double));
  made.problem.q = made.q.view();
  made.problem.k = made.k.view();
  made.problem.v = made.v.view();
  made.problem.grid = {1, inputs.keys, 0};
  made.problem.scale = inputs.scale;
  made.problem.attended = {{0}};
  return made;
}

}  // namespace lvsa::analysis
