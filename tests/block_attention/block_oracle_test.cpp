#include "reference/attention/blocks/block_oracle.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "reference/attention/blocks/cpu_blocks.hpp"
#include "tests/block_attention/block_case.hpp"

namespace block_test {
namespace {

using lvsa::BlockAxis;
using lvsa::HeadPattern;
using lvsa::SkipRule;
using lvsa::reference::BlockAttention;
using lvsa::reference::BlockOracle;
using lvsa::reference::BlockRowResult;
using lvsa::reference::RowId;
using lvsa::reference::ScoreErrorModel;
using lvsa::reference::SkipDecision;
using lvsa::reference::SkipState;

ScoreErrorModel model(const Shape& shape) {
  ScoreErrorModel errors;
  errors.dot = 2.0 * static_cast<double>(shape.dim) * 0x1p-24;
  return errors;
}

BlockAttention attention_of(const Case& c) {
  return {c.q.view(), c.k.view(), c.v.view(), c.shape.scale, c.patterns};
}

std::vector<RowId> all_rows(const Shape& s) {
  std::vector<RowId> rows;
  for (std::int64_t b = 0; b < s.batch; ++b)
    for (std::int64_t h = 0; h < s.heads; ++h)
      for (std::int64_t t = 0; t < s.queries; ++t) rows.push_back({b, t, h});
  return rows;
}

// q.k by its definition, in log2 units.
double score(const Case& c, std::int64_t b, std::int64_t q_token, std::int64_t k_token,
             std::int64_t h) {
  std::vector<double> q(static_cast<std::size_t>(c.shape.dim)), k(q.size());
  c.q.view().read_row(b, q_token, h, q.data());
  c.k.view().read_row(b, k_token, h / (c.shape.heads / c.shape.kv_heads), k.data());
  double sum = 0.0;
  for (std::size_t d = 0; d < q.size(); ++d) sum += q[d] * k[d];
  return c.shape.scale * sum / std::log(2.0);
}

// The rule as the interface states it, with maxima in a table.
std::vector<double> deltas(const Case& c, std::int64_t b, std::int64_t h, std::int64_t block) {
  const HeadPattern& p = c.pattern(b, h);
  const auto token = [&](std::int64_t place) { return p.order ? p.order->token(place) : place; };
  std::vector<double> before(static_cast<std::size_t>(p.map.rows.size(block)), -HUGE_VAL);
  std::vector<double> result;
  for (std::int64_t e = p.map.indptr[static_cast<std::size_t>(block)];
       e < p.map.indptr[static_cast<std::size_t>(block) + 1]; ++e) {
    const std::int32_t column = p.map.indices[static_cast<std::size_t>(e)];
    double delta = -HUGE_VAL;
    for (std::int64_t r = 0; r < p.map.rows.size(block); ++r) {
      double top = -HUGE_VAL;
      for (std::int64_t j = 0; j < p.map.columns.size(column); ++j) {
        if (!p.mask.attends(p.mask.mask_of(e), r, j)) continue;
        top = std::max(top, score(c, b, token(p.map.rows.begin(block) + r),
                                  token(p.map.columns.begin(column) + j), h));
      }
      double& seen = before[static_cast<std::size_t>(r)];
      if (top > -HUGE_VAL) delta = std::max(delta, top - seen);
      seen = std::max(seen, top);
    }
    result.push_back(delta);
  }
  return result;
}

Case sample(double threshold, unsigned seed, bool extras) {
  Shape shape;
  shape.batch = 2;
  shape.queries = shape.keys = 70;
  shape.heads = 2;
  shape.kv_heads = 1;
  shape.dim = 12;
  shape.scale = 0.6;
  std::vector<HeadPattern> patterns;
  for (unsigned h = 0; h < 2; ++h) {
    patterns.push_back(random_pattern(seed + h, BlockAxis::uniform(70, 4),
                                      BlockAxis::uniform(70, 16), extras, extras && h == 1));
    patterns.back().skip = SkipRule{threshold};
  }
  return Case(shape, patterns, seed);
}

TEST(BlockOracle, DecidesAsTheRuleIsWritten) {
  std::int64_t counts[3] = {};
  for (const double threshold : {0.0, 1.0, -1.5, 50.0}) {
    const Case c = sample(threshold, 11, true);
    BlockOracle oracle(attention_of(c), model(c.shape));
    for (std::int64_t b = 0; b < 2; ++b)
      for (std::int64_t h = 0; h < 2; ++h)
        for (std::int64_t block = 0; block < 18; ++block) {
          const std::vector<double> due = deltas(c, b, h, block);
          const std::vector<SkipDecision>& got = oracle.decisions(b, h, block);
          ASSERT_EQ(got.size(), due.size());
          for (std::size_t i = 0; i < due.size(); ++i) {
            EXPECT_LE(got[i].delta_low, due[i]);
            EXPECT_GE(got[i].delta_high, due[i]);
            const bool skipped = i + 1 < due.size() && due[i] + threshold <= 0.0;
            ++counts[static_cast<std::size_t>(got[i].state)];
            if (got[i].state == SkipState::kInDoubt) continue;
            EXPECT_EQ(got[i].state == SkipState::kSkipped, skipped) << threshold << " " << due[i];
          }
        }
  }
  EXPECT_GT(counts[0], 100);
  EXPECT_GT(counts[2], 20);
  EXPECT_LT(counts[1], 5);  // hardly any of random scores
}

TEST(BlockOracle, BoundsWhatTheKernelComputesWithSkip) {
  double skipped = 0.0;
  for (const double threshold : {0.0, 2.0, -2.0, 50.0}) {
    for (const bool extras : {false, true}) {
      Case c = sample(threshold, 21, extras);
      BlockOracle oracle(attention_of(c), model(c.shape));
      const auto rows = all_rows(c.shape);
      const auto due = oracle.attend_rows(rows);
      for (const auto* kernel : all_levels()) {
        ASSERT_NO_FATAL_FAILURE(c.run(*kernel));
        std::vector<double> out(12);
        for (std::size_t i = 0; i < rows.size(); ++i) {
          const RowId& r = rows[i];
          c.out.view().read_row(r.batch, r.token, r.head, out.data());
          for (std::size_t d = 0; d < out.size(); ++d) {
            ASSERT_LE(std::fabs(out[d] - due[i].row.out[d]), due[i].doubt[d] + 1e-4)
                << kernel->name << " row " << i << " threshold " << threshold;
          }
          const double lse = c.lse(r.batch, r.token, r.head);
          if (lse == due[i].row.lse) continue;
          ASSERT_LE(lse, due[i].row.lse + 1e-4);
          ASSERT_GE(lse, due[i].row.lse - due[i].doubt_lse - 1e-4);
        }
      }
      for (const BlockRowResult& row : due) skipped += row.skipped_mass;
    }
  }
  EXPECT_GT(skipped, 1.0);
}

// Two query rows, three blocks of equal keys: the second gains exactly nothing.
Case tie(double key, double threshold) {
  Shape shape;
  shape.queries = 2;
  shape.keys = 12;
  shape.dim = 4;
  HeadPattern p;
  p.map = lvsa::full_block_map(BlockAxis::uniform(2, 2), BlockAxis::uniform(12, 4));
  p.skip = SkipRule{threshold};
  Case c(shape, {p});
  for (std::int64_t i = 0; i < c.k.elements(); ++i) {
    lvsa::encode(LVSA_F32, key, c.k.bytes() + i * 4);
  }
  return c;
}

TEST(BlockOracle, IsInDoubtWhereRoundingDecides) {
  // Scores 0 have no error: nothing is in doubt.
  const Case zero = tie(0.0, 0.0);
  BlockOracle certain(attention_of(zero), model(zero.shape));
  EXPECT_EQ(certain.decisions(0, 0, 0)[0].state, SkipState::kKept);
  EXPECT_EQ(certain.decisions(0, 0, 0)[1].state, SkipState::kSkipped);
  EXPECT_EQ(certain.decisions(0, 0, 0)[2].state, SkipState::kKept);
  const auto row = certain.attend_rows(std::vector<RowId>{{0, 1, 0}}).front();
  EXPECT_NEAR(row.skipped_mass, 1.0 / 3.0, 1e-12);
  EXPECT_NEAR(row.row.lse, std::log(8.0), 1e-12);
  EXPECT_EQ(row.blocks_skipped, 1);

  const Case third = tie(1.0 / 3.0, 0.0);
  BlockOracle doubtful(attention_of(third), model(third.shape));
  EXPECT_EQ(doubtful.decisions(0, 0, 0)[1].state, SkipState::kInDoubt);
  const auto full = doubtful.attend_rows(std::vector<RowId>{{0, 1, 0}}).front();
  EXPECT_EQ(full.row.keys, 12);
  EXPECT_NEAR(full.doubt_mass, 1.0 / 3.0, 1e-6);
  EXPECT_NEAR(full.doubt_lse, std::log(1.5), 1e-6);
  // The result without the block in doubt, by means of its 8 other values, lies within.
  std::vector<double> v(4);
  for (std::size_t d = 0; d < 4; ++d) {
    double mean = 0.0;
    for (const std::int64_t t : {0, 1, 2, 3, 8, 9, 10, 11}) {
      third.v.view().read_row(0, t, 0, v.data());
      mean += v[d] / 8.0;
    }
    EXPECT_LE(std::fabs(mean - full.row.out[d]), full.doubt[d] * (1.0 + 1e-6));
    EXPECT_GT(full.doubt[d], 0.0);
  }
}

TEST(BlockOracle, HasTheSameBitsForARowAlone) {
  const Case c = sample(0.0, 31, true);
  BlockOracle together(attention_of(c), model(c.shape));
  const auto rows = all_rows(c.shape);
  const auto all = together.attend_rows(rows);
  for (std::size_t i = 0; i < rows.size(); i += 17) {
    BlockOracle alone(attention_of(c), model(c.shape));
    const auto one = alone.attend_rows(std::span(&rows[i], 1)).front();
    EXPECT_EQ(one.row.out, all[i].row.out);
    EXPECT_EQ(one.doubt, all[i].doubt);
    EXPECT_EQ(one.row.lse, all[i].row.lse);
    EXPECT_EQ(one.skipped_mass, all[i].skipped_mass);
  }
}

TEST(BlockOracle, RefusesPatternsOfAnotherSize) {
  const Case c = sample(0.0, 1, false);
  std::vector<HeadPattern> one(1, c.patterns.front());
  BlockAttention attention = attention_of(c);
  attention.patterns = one;
  EXPECT_ANY_THROW(BlockOracle(attention, {}));
  attention = attention_of(c);
  attention.q.shape[1] = 60;
  EXPECT_ANY_THROW(BlockOracle(attention, {}));
}

}  // namespace
}  // namespace block_test
