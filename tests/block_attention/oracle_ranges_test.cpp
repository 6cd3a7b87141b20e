// The oracle on keys given row by row, against sums of its own and against the path over frames.

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/error.hpp"
#include "reference/attention/oracle.hpp"

namespace lvsa::reference {
namespace {

struct Sample {
  Sample(std::int64_t queries, std::int64_t keys, std::int64_t heads, std::int64_t kv_heads,
         std::int64_t dim)
      : q(LVSA_F32, {2, queries, heads, dim}, Layout::kBSHD),
        k(LVSA_BF16, {2, keys, kv_heads, dim}, Layout::kBHSD),
        v(LVSA_F32, {2, keys, kv_heads, dim}, Layout::kBSHD) {
    std::mt19937 random(5);
    std::normal_distribution<double> normal;
    for (Tensor* t : {&q, &k, &v}) {
      const auto bytes = static_cast<std::int64_t>(dtype_bytes(t->dtype()));
      for (std::int64_t i = 0; i < t->elements(); ++i) {
        encode(t->dtype(), normal(random), t->bytes() + i * bytes);
      }
    }
    problem.q = q.view();
    problem.k = k.view();
    problem.v = v.view();
    problem.scale = 0.3;
  }
  Tensor q, k, v;
  AttentionProblem problem;
};

std::vector<RowId> all_rows(const Sample& s) {
  std::vector<RowId> rows;
  for (std::int64_t b = 0; b < 2; ++b)
    for (std::int64_t t = 0; t < s.q.shape()[1]; ++t)
      for (std::int64_t h = 0; h < s.q.shape()[2]; ++h) rows.push_back({b, t, h});
  return rows;
}

// Keys that differ between rows, batch elements and heads; row 0 has none.
TokenRanges some_keys(const RowId& row) {
  TokenRanges ranges;
  for (std::int64_t begin = row.head + row.batch; begin < 150; begin += 7 + row.token % 3) {
    if (row.token > 0) ranges.emplace_back(begin, begin + 1 + row.token % 5);
  }
  return ranges;
}

TEST(OracleRanges, AgreesWithSumsWrittenDownPlainly) {
  Sample s(9, 160, 2, 1, 6);
  s.problem.key_ranges = some_keys;
  const auto rows = all_rows(s);
  const auto results = attend_rows(s.problem, rows, {});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const RowId& row = rows[i];
    double q[6], k[6], v[6];
    s.problem.q.read_row(row.batch, row.token, row.head, q);
    double sum = 0.0, out[6] = {}, value_sum[6] = {};
    std::int64_t keys = 0;
    for (const auto& [begin, end] : some_keys(row)) {
      for (std::int64_t t = begin; t < end; ++t, ++keys) {
        s.problem.k.read_row(row.batch, t, 0, k);
        s.problem.v.read_row(row.batch, t, 0, v);
        double score = 0.0;
        for (int d = 0; d < 6; ++d) score += q[d] * k[d];
        const double p = std::exp(0.3 * score);
        sum += p;
        for (int d = 0; d < 6; ++d) out[d] += p * v[d];
        for (int d = 0; d < 6; ++d) value_sum[d] += std::fabs(v[d]);
      }
    }
    ASSERT_EQ(results[i].keys, keys);
    if (keys == 0) {
      EXPECT_EQ(results[i].lse, -HUGE_VAL);
      EXPECT_EQ(results[i].out[3], 0.0);
      continue;
    }
    EXPECT_NEAR(results[i].lse, std::log(sum), 1e-12);
    for (std::size_t d = 0; d < 6; ++d) {
      EXPECT_NEAR(results[i].out[d], out[d] / sum, 1e-12);
      EXPECT_NEAR(results[i].value_sum[d] * results[i].normaliser, value_sum[d], 1e-10);
    }
  }
}

bool same(const RowResult& a, const RowResult& b, bool with_value_sum = true) {
  return a.out == b.out && a.magnitude == b.magnitude && a.deviation == b.deviation &&
         a.score_shift == b.score_shift && a.lse == b.lse && a.lse_shift == b.lse_shift &&
         a.max_eta == b.max_eta && a.keys == b.keys &&
         (!with_value_sum || a.value_sum == b.value_sum);
}

TEST(OracleRanges, HasTheSameBitsWhicheverRowsAreComputedBeside) {
  Sample s(9, 160, 2, 1, 6);
  s.problem.key_ranges = some_keys;
  const auto rows = all_rows(s);
  const auto results = attend_rows(s.problem, rows, {});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_TRUE(same(attend_row(s.problem, rows[i], {}), results[i])) << i;
  }
  for (const SimdLevel level : {SimdLevel::kBaseline, SimdLevel::kAvx2, SimdLevel::kAvx512}) {
    if (!machine_has(level)) continue;
    const auto others = attend_rows_at(level, s.problem, rows, {});
    for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_TRUE(same(others[i], results[i])) << i;
  }
}

TEST(OracleRanges, GivesTheBitsOfThePathOverFrames) {
  Sample s(43, 43, 2, 2, 6);
  s.problem.grid = {4, 10, 3};
  s.problem.attended = {{0, 1}, {0, 1, 3}, {2}, {0, 3}};
  AttentionProblem ranged = s.problem;
  ranged.key_ranges = [&](const RowId& row) { return visible_ranges(s.problem, row.token); };
  ranged.grid = {};
  const auto rows = all_rows(s);
  const auto by_frames = attend_rows(s.problem, rows, {});
  const auto by_ranges = attend_rows(ranged, rows, {});
  // sum |v| alone runs frame by frame there.
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_TRUE(same(by_frames[i], by_ranges[i], false)) << i;
    EXPECT_NEAR(by_frames[i].value_sum[0], by_ranges[i].value_sum[0], 1e-12);
  }
}

TEST(OracleRanges, ListsTheKeysOfARow) {
  Sample s(9, 160, 2, 1, 6);
  s.problem.key_ranges = some_keys;
  const RowId row{1, 4, 1};
  const auto terms = attend_keys(s.problem, row, {});
  std::size_t i = 0;
  for (const auto& [begin, end] : some_keys(row)) {
    for (std::int64_t t = begin; t < end; ++t) EXPECT_EQ(terms.at(i++).token, t);
  }
  EXPECT_EQ(i, terms.size());
}

TEST(OracleRanges, RefusesRangesThatDoNotAscend) {
  Sample s(9, 160, 2, 1, 6);
  for (const TokenRanges& wrong : {TokenRanges{{3, 3}}, TokenRanges{{4, 6}, {6, 8}},
                                   TokenRanges{{0, 161}}, TokenRanges{{-1, 2}}}) {
    s.problem.key_ranges = [&](const RowId&) { return wrong; };
    EXPECT_THROW(attend_rows(s.problem, all_rows(s), {}), Error);
  }
}

}  // namespace
}  // namespace lvsa::reference
