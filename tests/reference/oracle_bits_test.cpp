// The oracle gives a row the same bits whatever it is computed with and beside.
#include <gtest/gtest.h>
#include <omp.h>
#include <rapidcheck.h>

#include <cmath>
#include <cstring>
#include <random>

#include "core/error.hpp"
#include "reference/attention/oracle.hpp"

namespace lvsa::reference {
namespace {

struct Sample {
  Tensor q, k, v;
  AttentionProblem problem;
  std::vector<RowId> rows;
};

void fill(Tensor& tensor, std::mt19937_64& random, double spread) {
  std::normal_distribution<double> normal(0.0, spread);
  const std::size_t width = dtype_bytes(tensor.dtype());
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    encode(tensor.dtype(), normal(random), tensor.bytes() + static_cast<std::size_t>(i) * width);
  }
}

struct Shape {
  FrameGrid grid;
  std::int64_t batch, kv_heads, group, dim;
  DType dtype;
  double spread;
};

// Lists of every kind: full, empty, one frame, neighbours that share theirs.
Sample make_sample(const Shape& shape, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto [grid, batch, kv_heads, group, dim, dtype, spread] = shape;
  const std::int64_t heads = kv_heads * group;
  Sample s{Tensor(dtype, {batch, grid.seq_len(), heads, dim}, Layout::kBSHD),
           Tensor(dtype, {batch, grid.seq_len(), kv_heads, dim}, Layout::kBHSD),
           Tensor(dtype, {batch, grid.seq_len(), kv_heads, dim}, Layout::kBSHD),
           {},
           {}};
  fill(s.q, random, spread);
  fill(s.k, random, 1.0);
  fill(s.v, random, 1.0);
  s.problem = {s.q.view(), s.k.view(), s.v.view(), grid, 1.0 / std::sqrt(double(dim)), {}};
  for (std::int64_t f = 0; f < grid.frames; ++f) {
    std::vector<std::int32_t> list;
    const std::uint64_t kind = random() % 4;
    for (std::int64_t g = 0; g < grid.frames && kind > 0; ++g) {
      if (kind == 1 || random() % 2 == 0) list.push_back(static_cast<std::int32_t>(g));
    }
    if (kind == 3 && f > 0) list = s.problem.attended.back();
    s.problem.attended.push_back(list);
  }
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t t = 0; t < grid.seq_len(); ++t) {
      for (std::int64_t h = 0; h < heads; ++h) {
        if (random() % 3 == 0) s.rows.push_back({b, t, h});
      }
    }
  }
  std::shuffle(s.rows.begin(), s.rows.end(), random);
  return s;
}

constexpr ScoreErrorModel kErrors{.dot = 1e-4, .exponent = 2.0, .constant = 4.0, .unit = 0x1p-24};

bool same(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

bool same_bits(const RowResult& a, const RowResult& b) {
  return same(a.out, b.out) && same(a.magnitude, b.magnitude) && same(a.deviation, b.deviation) &&
         same(a.score_shift, b.score_shift) && same(a.value_sum, b.value_sum) &&
         same({a.lse, a.max_score, a.normaliser, a.lse_shift, a.max_eta},
              {b.lse, b.max_score, b.normaliser, b.lse_shift, b.max_eta}) &&
         a.keys == b.keys;
}

Shape any_shape() {
  const auto in = [](int low, int high) { return *rc::gen::inRange<std::int64_t>(low, high + 1); };
  Shape shape{};
  shape.grid = {in(1, 6), *rc::gen::element<std::int64_t>(1, 2, 7, 15, 16, 17, 65), in(0, 20)};
  shape.batch = in(1, 2);
  shape.kv_heads = in(1, 2);
  shape.group = in(1, 3);
  shape.dim = *rc::gen::element<std::int64_t>(1, 5, 16, 33, 64);
  shape.dtype = *rc::gen::element(LVSA_BF16, LVSA_F16, LVSA_F32, LVSA_F64);
  shape.spread = *rc::gen::element(0.5, 30.0, 3000.0);
  return shape;
}

TEST(OracleBits, OfARowDoNotDependOnTheRowsBesideIt) {
  EXPECT_TRUE(rc::check([] {
    const Sample s = make_sample(any_shape(), *rc::gen::arbitrary<std::uint64_t>());
    omp_set_num_threads(static_cast<int>(*rc::gen::inRange(1, 4)));
    const auto together = attend_rows(s.problem, s.rows, kErrors);
    for (std::size_t i = 0; i < s.rows.size(); ++i) {
      RC_ASSERT(same_bits(together[i], attend_row(s.problem, s.rows[i], kErrors)));
    }
  }));
}

TEST(OracleBits, AreTheSameOnEverySetOfInstructions) {
  int levels = 0;
  for (const SimdLevel level : {SimdLevel::kAvx2, SimdLevel::kAvx512}) {
    if (!machine_has(level)) continue;
    ++levels;
    for (std::uint64_t seed = 0; seed < 24; ++seed) {
      const DType dtype = seed % 2 == 0 ? LVSA_BF16 : LVSA_F64;
      const double spread = seed % 3 == 0 ? 400.0 : 1.0;
      const Sample s = make_sample(
          {{5, 70 + static_cast<std::int64_t>(seed), 3}, 1, 1, 3, 37, dtype, spread}, seed);
      const auto plain = attend_rows_at(SimdLevel::kBaseline, s.problem, s.rows, kErrors);
      const auto wide = attend_rows_at(level, s.problem, s.rows, kErrors);
      for (std::size_t i = 0; i < s.rows.size(); ++i) {
        ASSERT_TRUE(same_bits(plain[i], wide[i])) << "seed " << seed << " row " << i;
      }
    }
  }
  if (levels == 0) GTEST_SKIP() << "this machine has the baseline only";
}

TEST(OracleBits, NameALevelThatTheMachineLacks) {
  const Sample s = make_sample({{2, 2, 0}, 1, 1, 1, 4, LVSA_F32, 1.0}, 1);
  for (const SimdLevel level : {SimdLevel::kAvx2, SimdLevel::kAvx512}) {
    if (machine_has(level)) continue;
    EXPECT_THROW(attend_rows_at(level, s.problem, s.rows, kErrors), Error);
  }
  EXPECT_TRUE(machine_has(SimdLevel::kBaseline));
}

TEST(OracleKeys, AddUpToTheRow) {
  const Sample s = make_sample({{4, 9, 5}, 1, 2, 2, 20, LVSA_F32, 3.0}, 5);
  for (const RowId& row : s.rows) {
    const RowResult whole = attend_row(s.problem, row, kErrors);
    const auto keys = attend_keys(s.problem, row, kErrors);
    ASSERT_EQ(static_cast<std::int64_t>(keys.size()), whole.keys);
    double normaliser = 0.0;
    double weighted = 0.0;
    double worst = 0.0;
    std::vector<double> value(20);
    double out = 0.0;
    for (const KeyTerm& key : keys) {
      EXPECT_LE(key.score, whole.max_score);
      EXPECT_NEAR(key.p, std::exp(key.score - whole.max_score), 1e-15);
      normaliser += key.p;
      weighted += key.p * key.eta;
      worst = std::max(worst, key.eta);
      s.problem.v.read_row(row.batch, key.token, row.head / 2, value.data());
      out += key.p * value[3];
    }
    EXPECT_EQ(worst, whole.max_eta);
    if (keys.empty()) continue;
    EXPECT_NEAR(normaliser, whole.normaliser, 1e-13 * normaliser);
    EXPECT_NEAR(weighted / normaliser, whole.lse_shift, 1e-13 * whole.lse_shift);
    EXPECT_NEAR(out / normaliser, whole.out[3], 1e-13);
  }
}

}  // namespace
}  // namespace lvsa::reference
