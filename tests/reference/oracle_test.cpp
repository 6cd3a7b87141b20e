// The oracle against a brute force over every (query, key) pair in long double.
#include "reference/attention/oracle.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "core/error.hpp"

namespace lvsa::reference {
namespace {

struct Sample {
  Tensor q, k, v;
  AttentionProblem problem;
};

Sample make_setup(Layout layout, FrameGrid grid, std::int64_t batch, std::int64_t heads,
                  std::int64_t kv_heads, std::int64_t dim, double spread = 1.0) {
  const std::int64_t tokens = grid.seq_len();
  Sample s{Tensor(LVSA_F64, {batch, tokens, heads, dim}, layout),
           Tensor(LVSA_F64, {batch, tokens, kv_heads, dim}, layout),
           Tensor(LVSA_F64, {batch, tokens, kv_heads, dim}, layout),
           {}};
  std::mt19937_64 random(42);
  std::normal_distribution<double> normal(0.0, spread);
  for (Tensor* tensor : {&s.q, &s.k, &s.v}) {
    auto* values = reinterpret_cast<double*>(tensor->bytes());
    for (std::int64_t i = 0; i < tensor->elements(); ++i) values[i] = normal(random);
  }
  s.problem = {s.q.view(), s.k.view(), s.v.view(), grid, 0.3, {}};
  for (std::int64_t f = 0; f < grid.frames; ++f) {
    std::vector<std::int32_t> list;
    for (std::int64_t g = 0; g < grid.frames; ++g) {
      if (g == 0 || (g + f) % 3 != 1) list.push_back(static_cast<std::int32_t>(g));
    }
    s.problem.attended.push_back(list);
  }
  return s;
}

double at(const TensorView& t, std::int64_t b, std::int64_t s, std::int64_t h, std::int64_t c) {
  return static_cast<const double*>(
      t.data)[b * t.strides[0] + s * t.strides[1] + h * t.strides[2] + c * t.strides[3]];
}

bool attends(const AttentionProblem& p, std::int64_t query, std::int64_t key) {
  if (query >= p.grid.video_tokens() || key >= p.grid.video_tokens()) return true;
  const auto& list = p.attended[static_cast<std::size_t>(query / p.grid.patches_per_frame)];
  for (const std::int32_t f : list) {
    if (f == key / p.grid.patches_per_frame) return true;
  }
  return false;
}

// Output column c and the log-sum-exp by the definition.
std::pair<long double, long double> brute(const AttentionProblem& p, const RowId& row,
                                          std::int64_t c) {
  const std::int64_t kv = row.head / (p.q.shape[2] / p.k.shape[2]);
  long double sum = 0;
  long double weighted = 0;
  for (std::int64_t key = 0; key < p.grid.seq_len(); ++key) {
    if (!attends(p, row.token, key)) continue;
    long double score = 0;
    for (std::int64_t i = 0; i < p.q.shape[3]; ++i) {
      score += static_cast<long double>(at(p.q, row.batch, row.token, row.head, i)) *
               at(p.k, row.batch, key, kv, i);
    }
    const long double weight = std::exp(score * static_cast<long double>(p.scale));
    sum += weight;
    weighted += weight * at(p.v, row.batch, key, kv, c);
  }
  return {weighted / sum, std::log(sum)};
}

void expect_equal_to_brute(const Sample& s) {
  std::vector<RowId> rows;
  for (std::int64_t b = 0; b < s.q.shape()[0]; ++b) {
    for (std::int64_t t = 0; t < s.problem.grid.seq_len(); ++t) {
      for (std::int64_t h = 0; h < s.q.shape()[2]; ++h) rows.push_back({b, t, h});
    }
  }
  const auto results = attend_rows(s.problem, rows, {});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::int64_t c = 0; c < s.q.shape()[3]; ++c) {
      const auto [out, lse] = brute(s.problem, rows[i], c);
      ASSERT_NEAR(results[i].out[static_cast<std::size_t>(c)], static_cast<double>(out), 1e-13);
      ASSERT_NEAR(results[i].lse, static_cast<double>(lse), 1e-13);
    }
  }
}

TEST(Oracle, EqualsTheDefinitionWithTextAndGroups) {
  expect_equal_to_brute(make_setup(Layout::kBSHD, {5, 3, 4}, 2, 4, 2, 6));
}

TEST(Oracle, EqualsTheDefinitionInTheOtherLayoutWithoutText) {
  expect_equal_to_brute(make_setup(Layout::kBHSD, {6, 2, 0}, 1, 3, 3, 11));
}

TEST(Oracle, StaysExactForScoresFarApart) {
  const Sample s = make_setup(Layout::kBSHD, {4, 3, 2}, 1, 1, 1, 8, 12.0);
  const RowResult row = attend_row(s.problem, {0, 4, 0}, {});
  EXPECT_NEAR(row.lse, static_cast<double>(brute(s.problem, {0, 4, 0}, 0).second), 1e-10);
  EXPECT_TRUE(std::isfinite(row.out[0]));
}

TEST(Oracle, GivesTheSameBitsForAnyThreadCount) {
  const Sample s = make_setup(Layout::kBSHD, {7, 9, 5}, 1, 2, 1, 33);
  std::vector<RowId> rows;
  for (std::int64_t t = 0; t < s.problem.grid.seq_len(); ++t) rows.push_back({0, t, t % 2});
  omp_set_num_threads(1);
  const auto one = attend_rows(s.problem, rows, {.dot = 1e-6});
  omp_set_num_threads(5);
  const auto five = attend_rows(s.problem, rows, {.dot = 1e-6});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(one[i].out, five[i].out);
    EXPECT_EQ(one[i].score_shift, five[i].score_shift);
    EXPECT_EQ(one[i].lse, five[i].lse);
  }
}

TEST(Oracle, DefinesARowWithoutKeys) {
  Sample s = make_setup(Layout::kBSHD, {3, 2, 0}, 1, 1, 1, 4);
  s.problem.attended[1].clear();
  const RowResult row = attend_row(s.problem, {0, 2, 0}, {});
  EXPECT_EQ(row.keys, 0);
  EXPECT_EQ(row.out, std::vector<double>(4, 0.0));
  EXPECT_EQ(row.lse, -INFINITY);
}

TEST(Oracle, DoesNotReadFramesThatAreNotAttended) {
  Sample s = make_setup(Layout::kBSHD, {5, 2, 0}, 1, 1, 1, 4);
  const RowResult before = attend_row(s.problem, {0, 0, 0}, {});
  // Frame 0 does not attend frame 1.
  auto* k = reinterpret_cast<double*>(s.k.bytes());
  auto* v = reinterpret_cast<double*>(s.v.bytes());
  for (std::int64_t i = 2 * 4; i < 4 * 4; ++i) k[i] = v[i] = NAN;
  EXPECT_EQ(attend_row(s.problem, {0, 0, 0}, {}).out, before.out);
}

TEST(Oracle, JoinsNeighbouringFramesIntoOneRange) {
  Sample s = make_setup(Layout::kBSHD, {5, 2, 3}, 1, 1, 1, 4);
  s.problem.attended[0] = {0, 1, 3};
  using Ranges = std::vector<std::pair<std::int64_t, std::int64_t>>;
  EXPECT_EQ(visible_ranges(s.problem, 1), (Ranges{{0, 4}, {6, 8}, {10, 13}}));
  EXPECT_EQ(visible_ranges(s.problem, 11), (Ranges{{0, 13}}));
  s.problem.attended[0] = {4};
  EXPECT_EQ(visible_ranges(s.problem, 0), (Ranges{{8, 13}}));
}

TEST(Oracle, NamesAProblemThatDoesNotFit) {
  const Sample good = make_setup(Layout::kBSHD, {5, 2, 3}, 1, 4, 2, 4);
  AttentionProblem bad = good.problem;
  bad.attended[2] = {3, 3};
  EXPECT_THROW(check_problem(bad), Error);
  bad = good.problem;
  bad.attended[2] = {5};
  EXPECT_THROW(check_problem(bad), Error);
  bad = good.problem;
  bad.grid.text_tokens = 4;
  EXPECT_THROW(check_problem(bad), Error);
  bad = good.problem;
  bad.k.shape[2] = 3;
  bad.v.shape[2] = 3;
  EXPECT_THROW(check_problem(bad), Error);
  EXPECT_THROW(attend_rows(good.problem, std::vector<RowId>{{0, 13, 0}}, {}), Error);
}

// The terms of the bounds, by their definitions.
TEST(Oracle, GivesTheTermsOfTheBounds) {
  const Sample s = make_setup(Layout::kBSHD, {4, 3, 2}, 1, 1, 1, 5);
  const AttentionProblem& p = s.problem;
  const RowId row{0, 4, 0};
  const ScoreErrorModel model{.dot = 1e-3, .exponent = 2.0, .constant = 4.0, .unit = 0x1p-24};
  const RowResult result = attend_row(p, row, model);
  std::vector<double> score;
  std::vector<double> magnitude;
  std::vector<std::int64_t> keys;
  for (std::int64_t key = 0; key < p.grid.seq_len(); ++key) {
    if (!attends(p, row.token, key)) continue;
    double dot = 0;
    double absolute = 0;
    for (std::int64_t i = 0; i < 5; ++i) {
      const double term = at(p.q, 0, row.token, 0, i) * at(p.k, 0, key, 0, i);
      dot += term;
      absolute += std::fabs(term);
    }
    keys.push_back(key);
    score.push_back(p.scale * dot);
    magnitude.push_back(p.scale * absolute);
  }
  const double m = *std::max_element(score.begin(), score.end());
  double normaliser = 0, shift = 0, abs_out = 0, score_shift = 0, value_sum = 0, lse_shift = 0,
         worst = 0, deviation = 0;
  for (const double value : score) normaliser += std::exp(value - m);
  for (std::size_t j = 0; j < keys.size(); ++j) {
    const double weight = std::exp(score[j] - m) / normaliser;
    const double eta =
        1e-3 * magnitude[j] + (std::fabs(score[j]) + 2 * (m - score[j]) + 4) * 0x1p-24;
    const double value = at(p.v, 0, keys[j], 0, 2);
    shift += weight * value;
    abs_out += weight * std::fabs(value);
    value_sum += std::fabs(value) / normaliser;
    deviation += weight * std::fabs(value - result.out[2]);
    lse_shift += weight * eta;
    worst = std::max(worst, eta);
    score_shift += weight * eta * std::fabs(value - result.out[2]);
  }
  EXPECT_NEAR(result.out[2], shift, 1e-14);
  EXPECT_NEAR(result.magnitude[2], abs_out, 1e-14);
  EXPECT_NEAR(result.deviation[2], deviation, 1e-14);
  EXPECT_NEAR(result.score_shift[2], score_shift, 1e-14);
  EXPECT_NEAR(result.value_sum[2], value_sum, 1e-12);
  EXPECT_NEAR(result.lse_shift, lse_shift, 1e-14);
  EXPECT_NEAR(result.max_eta, worst, 1e-14);
}

}  // namespace
}  // namespace lvsa::reference
