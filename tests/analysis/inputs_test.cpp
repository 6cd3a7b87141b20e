// What each kind of input promises of its tensors.
#include "analysis/verify/inputs.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "analysis/verify/oracle_problem.hpp"
#include "core/numeric/small_floats.hpp"

namespace lvsa::analysis {
namespace {

Case case_of(const std::string& rest) {
  return parse_case("T=7 P=70 H=2 Hkv=1 D=16 W=1 ref=4 step=1 rows=0 " + rest);
}

std::vector<double> row_of(const Tensor& tensor, std::int64_t token) {
  std::vector<double> row(static_cast<std::size_t>(tensor.shape()[3]));
  tensor.view().read_row(0, token, 0, row.data());
  return row;
}

TEST(Inputs, EveryKindHasANameThatParsesBack) {
  std::set<std::string_view> names;
  for (const InputKind kind : all_inputs()) {
    EXPECT_EQ(parse_input(input_name(kind)), kind);
    names.insert(input_name(kind));
  }
  EXPECT_EQ(names.size(), all_inputs().size());
}

TEST(Inputs, BeaconsAreOneInEachTileOfAFrameAndFoundAtBothEnds) {
  const FrameGrid grid{40, 150, 30};
  std::map<std::int64_t, int> slots;
  for (std::int64_t f = 0; f <= grid.frames; ++f) {
    const std::int64_t size = f < grid.frames ? 150 : 30;
    for (std::int64_t start = 0; start < size; start += kInputTile) {
      const std::int64_t count = std::min(kInputTile, size - start);
      int found = 0;
      for (std::int64_t i = 0; i < count; ++i) {
        if (!is_beacon(grid, 3, f * 150 + start + i)) continue;
        ++found;
        ++slots[i == 0 ? 0 : i + 1 == count ? 2 : 1];
      }
      EXPECT_EQ(found, 1) << "frame " << f << " tile at " << start;
    }
  }
  for (const int kind : {0, 1, 2}) EXPECT_GT(slots[kind], 20) << kind;
}

TEST(Inputs, BeaconsHaveNearlyAllTheMass) {
  const Case c = case_of("dtype=f32 input=beacon seed=3");
  const AttentionTensors made = make_inputs(c);
  const auto problem = oracle_problem(c, made.q.view(), made.k.view(), made.v.view());
  // The largest score is a beacon's, and all others together weigh little beside it.
  const std::vector<double> q = row_of(made.q, 100);
  double beacons = 0;
  double all = 0;
  for (std::int64_t j = 0; j < c.grid.seq_len(); ++j) {
    const std::vector<double> k = row_of(made.k, j);
    double score = 0;
    for (std::size_t i = 0; i < q.size(); ++i) score += q[i] * k[i] * problem.scale;
    all += std::exp(score);
    if (is_beacon(c.grid, c.seed, j)) beacons += std::exp(score);
  }
  EXPECT_GT(beacons / all, 0.99);
}

TEST(Inputs, TiesShareTheirScoresAmongManyKeys) {
  const AttentionTensors made = make_inputs(case_of("dtype=bf16 input=ties seed=3"));
  std::map<std::vector<double>, int> rows;
  for (std::int64_t j = 0; j < 490; ++j) ++rows[row_of(made.k, j)];
  EXPECT_EQ(rows.size(), 4U);
}

TEST(Inputs, ASinkTakesNearlyAllTheMass) {
  const Case c = case_of("dtype=bf16 input=sink seed=3");
  const AttentionTensors made = make_inputs(c);
  const auto problem = oracle_problem(c, made.q.view(), made.k.view(), made.v.view());
  const auto row = reference::attend_row(problem, {0, 200, 1}, {});
  const std::vector<double> sink = row_of(made.v, 0);
  for (std::size_t i = 0; i < sink.size(); ++i) EXPECT_NEAR(row.out[i], sink[i], 0.05);
}

// In every type and for as many frames as need one and two dimensions a code.
TEST(Inputs, IntegersGiveWeightsOfExactlyZeroAndOne) {
  for (const char* sizes :
       {"T=7 P=9 text=5 D=16", "T=41 P=3 D=16", "T=9 P=1 D=64", "T=5 P=2 D=1"}) {
    for (const char* dtype : {"bf16", "f16", "f32"}) {
      const Case c =
          parse_case(std::string(sizes) + " H=1 Hkv=1 W=1 ref=4 step=1 rows=0 dtype=" + dtype +
                     " input=integers seed=3");
      const AttentionTensors made = make_inputs(c);
      const auto problem = oracle_problem(c, made.q.view(), made.k.view(), made.v.view());
      int gathers = 0;
      for (std::int64_t s = 0; s < c.grid.seq_len(); ++s) {
        const auto row = reference::attend_row(problem, {0, s, 0}, {});
        if (row.keys == 0) continue;
        ASSERT_EQ(row.normaliser, std::round(row.normaliser)) << to_line(c) << " token " << s;
        for (const double out : row.out) {
          const double sum = out * row.normaliser;
          ASSERT_NEAR(sum, std::round(sum), 1e-9);
        }
        gathers += row.normaliser == 1.0 ? 1 : 0;
      }
      if (c.head_dim > 1) {
        EXPECT_GT(gathers, c.grid.seq_len() / 8) << to_line(c);
      }
    }
  }
}

TEST(Inputs, IndicatorsMarkFramesTilesAndKeys) {
  const FrameGrid grid{7, 70, 5};
  EXPECT_EQ(indicator_class(InputKind::kIndicator, grid, 140, 16), 2);
  EXPECT_EQ(indicator_class(InputKind::kIndicator, grid, 494, 16), 7);
  EXPECT_EQ(indicator_class(InputKind::kIndicatorTile, grid, 140, 16), 2);
  EXPECT_EQ(indicator_class(InputKind::kIndicatorTile, grid, 127, 16), 1);
  EXPECT_EQ(indicator_class(InputKind::kIndicatorKey, grid, 140, 16), 12);
  // Two tiles a frame: the second of frame 1 is number 3.
  EXPECT_EQ(indicator_class(InputKind::kBeacon, grid, 70 + 64, 16), 3);
}

TEST(Inputs, SigmaReachesFromUniformToOneHot) {
  const auto share_of_largest = [](const char* sigma) {
    const Case c = case_of(std::string("dtype=f32 input=gauss seed=4 sigma=") + sigma);
    const AttentionTensors made = make_inputs(c);
    const auto problem = oracle_problem(c, made.q.view(), made.k.view(), made.v.view());
    return 1.0 / reference::attend_row(problem, {0, 33, 0}, {}).normaliser;
  };
  EXPECT_LT(share_of_largest("0"), 0.005);
  EXPECT_GT(share_of_largest("6"), 0.8);
}

}  // namespace
}  // namespace lvsa::analysis
