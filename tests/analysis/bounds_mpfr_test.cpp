// Right kernels pushed to the edge. An emulated kernel makes every rounding that docs/bounds.md
// allows, each as large as it may be and in the direction that hurts most; no output and no
// log-sum-exp may leave its bound, whose exact value comes from 220 bits. And each term must be
// needed: an attack on it alone comes near it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "analysis/verify/bounds.hpp"
#include "tests/analysis/exact_row.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kUnit = 0x1p-24;

// Which roundings an attack makes; the others are exact.
struct Sources {
  bool scores = true, rescales = true, p = true, underflow = true, sums = true, merges = true;
};

// +1 and -1 push the output that way; 0 draws each direction at random.
struct Attack {
  int direction = 1;
  bool on_lse = false;
  Sources sources;
};

struct Numbers {
  std::vector<double> score, absolute, value;
  double out = 0.0;  // exact
};

struct State {
  double max = -INFINITY, numerator = 0.0, denominator = 0.0;
};

// A kernel that does what `n` declares, on one column.
class Pushed {
 public:
  Pushed(const Numbers& row, const lvsa_numerics& n, std::int64_t dim, const Attack& attack)
      : row_(row), n_(n), dim_(dim), attack_(attack) {}

  std::pair<double, double> run() {
    const auto splits = std::max<std::int64_t>(1, n_.split_keys);
    const auto keys = static_cast<std::int64_t>(row_.score.size());
    const std::int64_t each = (keys + splits - 1) / splits;
    std::vector<std::pair<double, double>> parts;
    for (std::int64_t first = 0; first < keys; first += each) {
      parts.push_back(part(first, std::min(keys, first + each)));
    }
    return parts.size() == 1 ? parts.front() : merged(parts);
  }

 private:
  double sign(double towards) {
    if (attack_.direction == 0) return random_() % 2 == 0 ? 1.0 : -1.0;
    return attack_.direction * (towards < 0.0 ? -1.0 : 1.0);
  }
  double weight_sign(double value) { return sign(attack_.on_lse ? 1.0 : value - row_.out); }
  double push(double x, double error, double towards) { return x + sign(towards) * error; }
  // One step of the sums: the numerator is pushed along, the denominator against.
  double summed(double x, bool denominator) {
    if (!attack_.sources.sums) return x;
    const double towards = denominator && !attack_.on_lse ? -1.0 : 1.0;
    return push(x, n_.accumulator_roundoff * std::fabs(x), towards);
  }

  double score(std::size_t j) {
    const double s = row_.score[j];
    if (!attack_.sources.scores) return s;
    const double error = static_cast<double>(dim_) * n_.accumulator_roundoff * row_.absolute[j] +
                         kUnit * std::fabs(s);
    return s + weight_sign(row_.value[j]) * error;
  }

  double exponential(double x, double towards, bool wrong) {
    if (!wrong) return std::exp(x);
    const double s = sign(towards);
    return std::exp(x * (1.0 - s * 3.0 * kUnit)) * (1.0 + s * n_.exp_ulps * kUnit);
  }

  double rounded_p(double p, double value) {
    const double u = unit_roundoff(n_.p_dtype);
    const double scale = std::ldexp(1.0, n_.p_scale_log2);
    const double mu = underflow_error(n_.p_dtype) / scale;
    // Below mu / u numbers of the type are 2 mu apart, above that relatively 2 u.
    const double towards = attack_.on_lse ? 1.0 : n_.sum_rounded_p != 0 ? value - row_.out : value;
    if (p >= mu / u) return attack_.sources.p ? p * (1.0 + sign(towards) * u) : p;
    if (!attack_.sources.underflow) return p;
    return std::max(0.0, p + sign(towards) * std::min(p, mu));
  }

  std::pair<double, double> part(std::int64_t first, std::int64_t last) {
    std::vector<double> scores;
    for (std::int64_t j = first; j < last; ++j)
      scores.push_back(score(static_cast<std::size_t>(j)));
    State state;
    if (n_.max_rule == LVSA_MAX_FINAL) state.max = *std::max_element(scores.begin(), scores.end());
    for (std::int64_t j = first; j < last; j += n_.key_tile) {
      tile(state, std::span(scores).subspan(static_cast<std::size_t>(j - first)),
           static_cast<std::size_t>(j), std::min(n_.key_tile, last - j));
    }
    double out = state.numerator / state.denominator;
    if (attack_.sources.sums) out = push(out, 3.0 * kUnit * std::fabs(out), 1.0);
    double lse = state.max + std::log(state.denominator);
    if (attack_.sources.sums) {
      lse = push(lse, 3.0 * kUnit * (std::fabs(state.max) + std::log(state.denominator)), 1.0);
    }
    return {out, lse};
  }

  void tile(State& state, std::span<const double> scores, std::size_t first, std::int64_t count) {
    double max = state.max;
    for (std::int64_t j = 0; j < count; ++j)
      max = std::max(max, scores[static_cast<std::size_t>(j)]);
    if (max != state.max && state.denominator != 0.0) {
      const double towards = attack_.on_lse ? 1.0 : state.numerator - row_.out * state.denominator;
      const double factor = exponential(state.max - max, towards, attack_.sources.rescales);
      state.numerator = summed(state.numerator * factor, false);
      state.denominator = summed(state.denominator * factor, true);
    }
    state.max = max;
    for (std::int64_t j = 0; j < count; j += n_.sum_step) {
      double numerator = 0.0;
      double denominator = 0.0;
      for (std::int64_t i = j; i < std::min(count, j + n_.sum_step); ++i) {
        const double v = row_.value[first + static_cast<std::size_t>(i)];
        const double x = scores[static_cast<std::size_t>(i)] - max;
        const double p = exponential(x, weight_sign(v) * sign(1.0), attack_.sources.scores);
        const double rounded = rounded_p(p, v);
        numerator = summed(numerator + rounded * v, false);
        denominator = summed(denominator + (n_.sum_rounded_p != 0 ? rounded : p), true);
      }
      state.numerator = summed(state.numerator + numerator, false);
      state.denominator = summed(state.denominator + denominator, true);
    }
  }

  std::pair<double, double> merged(std::vector<std::pair<double, double>> parts) {
    std::pair<double, double> sum = parts.front();
    for (std::size_t i = 1; i < parts.size(); ++i) {
      const auto [out, lse] = parts[i];
      const double max = std::max(sum.second, lse);
      const bool wrong = attack_.sources.merges;
      const double rounding = wrong ? kUnit : 0.0;
      const double a = exponential(sum.second * (1.0 + sign(1.0) * rounding) - max,
                                   attack_.on_lse ? 1.0 : sum.first - row_.out, wrong);
      const double b = exponential(lse - max, attack_.on_lse ? 1.0 : out - row_.out, wrong);
      sum = {(a * sum.first + b * out) / (a + b), max + std::log(a + b)};
      if (wrong) sum.first = push(sum.first, 3.0 * kUnit * std::fabs(sum.first), 1.0);
    }
    return sum;
  }

  const Numbers& row_;
  const lvsa_numerics& n_;
  std::int64_t dim_;
  Attack attack_;
  std::mt19937_64 random_{7};
};

lvsa_numerics schedule(std::int64_t tile, std::int64_t step, DType p, double u_a) {
  lvsa_numerics n{};
  n.struct_size = sizeof n;
  n.key_tile = tile;
  n.tiles_cross_frames = 1;
  n.p_dtype = p;
  n.accumulator_roundoff = u_a;
  n.exp_ulps = 4.0;
  n.key_order = LVSA_KEYS_ASCENDING;
  n.max_rule = LVSA_MAX_RUNNING;
  n.rescale_exact = 1;
  n.sum_step = static_cast<std::int32_t>(step);
  return n;
}

std::vector<lvsa_numerics> legal_schedules() {
  std::vector<lvsa_numerics> all;
  for (const DType p : {LVSA_F32, LVSA_BF16, LVSA_F16, LVSA_E4M3}) {
    for (const auto& [tile, step] : std::vector<std::pair<std::int64_t, std::int64_t>>{
             {1, 1}, {16, 16}, {64, 1}, {64, 16}, {128, 128}, {100, 16}}) {
      for (const int kind : {0, 1, 2, 3}) {
        lvsa_numerics n = schedule(tile, step, p, kind == 1 ? 0x1p-20 : kUnit);
        n.sum_rounded_p = kind == 1 || kind == 3 ? 1 : 0;
        n.max_rule = kind == 2 ? LVSA_MAX_FINAL : LVSA_MAX_RUNNING;
        n.split_keys = kind == 3 ? 3 : 0;
        n.p_scale_log2 = p == LVSA_E4M3 ? 8 : 0;
        all.push_back(n);
      }
    }
  }
  return all;
}

// A row prepared once: inputs and exact sums.
struct Prepared {
  RowInputs inputs;
  OracleRow tensors;
  Numbers numbers;
  double lse = 0.0;

  explicit Prepared(RowInputs made) : inputs(std::move(made)), tensors(oracle_row(inputs)) {
    const ExactRow exact = exact_row(inputs);
    for (std::size_t j = 0; j < exact.p.size(); ++j) {
      numbers.score.push_back(exact.score[j].value());
      numbers.absolute.push_back(exact.absolute[j].value());
      numbers.value.push_back(inputs.v[j * static_cast<std::size_t>(inputs.dim)]);
    }
    numbers.out = exact_column(inputs, exact, {}, 0).out.value();
    lse = exact.lse.value();
  }
};

struct Judged {
  BoundModel model;
  reference::RowResult row;
  RowSteps steps;
  Tolerance tolerance;
  LseTolerance lse;
  Judged(const Prepared& p, const lvsa_numerics& n)
      : model(make_bound_model(&n, LVSA_BF16, p.inputs.dim)),
        row(attend_row(p.tensors.problem, {0, 0, 0}, model.scores)),
        steps(row_steps(model, row.keys, count_tiles(model, p.tensors.problem.grid, 1, row.keys))),
        tolerance(output_tolerance(model, row, 0, steps)),
        lse(lse_terms(model, row, steps)) {}
};

TEST(BoundsHold, ForEveryRightKernelHoweverItIsPushed) {
  int judged = 0;
  int weak = 0;
  for (RowInputs& inputs : hard_rows(3)) {
    const Prepared prepared(std::move(inputs));
    for (const lvsa_numerics& n : legal_schedules()) {
      const Judged bound(prepared, n);
      if (scores_are_weak(bound.row)) {
        ++weak;
        continue;
      }
      ++judged;
      for (const int direction : {1, -1, 0}) {
        for (const bool on_lse : {false, true}) {
          const Attack attack{direction, on_lse, {}};
          const auto [out, lse] = Pushed(prepared.numbers, n, prepared.inputs.dim, attack).run();
          ASSERT_LE(std::fabs(out - prepared.numbers.out), bound.tolerance.total)
              << prepared.inputs.name << ": tile " << n.key_tile << " step " << n.sum_step << " P "
              << dtype_name(n.p_dtype) << " splits " << n.split_keys << " direction " << direction
              << " on lse " << on_lse;
          ASSERT_LE(std::fabs(lse - prepared.lse), bound.lse.total)
              << prepared.inputs.name << ": tile " << n.key_tile << " step " << n.sum_step << " P "
              << dtype_name(n.p_dtype) << " splits " << n.split_keys << " direction " << direction
              << " on lse " << on_lse;
        }
      }
    }
  }
  EXPECT_GT(judged, 2 * weak) << "most rows must be judged";
}

// Largest share of a term that an attack with the given roundings alone reaches.
double reached(const Sources& sources, bool on_lse, const std::vector<RowInputs>& rows,
               const std::vector<lvsa_numerics>& schedules,
               const std::function<double(const Judged&)>& term) {
  double most = 0.0;
  for (const RowInputs& inputs : rows) {
    const Prepared prepared(inputs);
    for (const lvsa_numerics& n : schedules) {
      const Judged bound(prepared, n);
      if (scores_are_weak(bound.row) || term(bound) <= 0.0) continue;
      for (const int direction : {1, -1}) {
        const auto [out, lse] =
            Pushed(prepared.numbers, n, prepared.inputs.dim, {direction, on_lse, sources}).run();
        const double error =
            on_lse ? std::fabs(lse - prepared.lse) : std::fabs(out - prepared.numbers.out);
        most = std::max(most, error / term(bound));
      }
    }
  }
  return most;
}

constexpr Sources kNothing{false, false, false, false, false, false};

TEST(BoundsAreNeeded, ForTheRoundingOfP) {
  Sources sources = kNothing;
  sources.p = true;
  const auto term = [](const Judged& b) { return b.tolerance.p_rounding; };
  lvsa_numerics n = schedule(64, 64, LVSA_BF16, kUnit);
  EXPECT_GT(reached(sources, false, hard_rows(4), {n}, term), 0.98);
  n.sum_rounded_p = 1;
  EXPECT_GT(reached(sources, false, hard_rows(4), {n}, term), 0.98);
  EXPECT_GT(
      reached(sources, true, hard_rows(4), {n}, [](const Judged& b) { return b.lse.p_rounding; }),
      0.98);
}

TEST(BoundsAreNeeded, ForTheScores) {
  Sources sources = kNothing;
  sources.scores = true;
  const lvsa_numerics n = schedule(64, 64, LVSA_F32, kUnit);
  const auto term = [](const Judged& b) { return b.row.score_shift[0]; };
  EXPECT_GT(reached(sources, false, hard_rows(5), {n}, term), 0.5);
  EXPECT_GT(
      reached(sources, true, hard_rows(5), {n}, [](const Judged& b) { return b.row.lse_shift; }),
      0.5);
}

TEST(BoundsAreNeeded, ForTheRescales) {
  Sources sources = kNothing;
  sources.rescales = true;
  // Scores that rise a little with every key: the maximum moves with every tile.
  const lvsa_numerics n = schedule(1, 1, LVSA_F32, kUnit);
  const auto term = [](const Judged& b) { return rescale_error(b.model, b.row, b.steps); };
  EXPECT_GT(reached(sources, true, hard_rows(6), {n}, term), 0.2);
}

// The first key holds nearly all of the sums, which every later step may spoil again.
RowInputs dominated_row() {
  RowInputs row{"first key dominates", 3000, 1, 1.0, {1.0}, {}, {}};
  for (std::int64_t j = 0; j < row.keys; ++j) {
    row.k.push_back(j == 0 ? 0.0 : -16.0);
    row.v.push_back(1.0);
  }
  return row;
}

TEST(BoundsAreNeeded, ForTheAccumulation) {
  Sources sources = kNothing;
  sources.sums = true;
  const auto term = [](const Judged& b) { return b.tolerance.accumulation; };
  const auto share = [&](std::int64_t tile, std::int64_t step) {
    return reached(sources, false, {dominated_row()}, {schedule(tile, step, LVSA_F32, kUnit)},
                   term);
  };
  EXPECT_GT(share(64, 1), 0.9);
  EXPECT_GT(share(64, 16), 0.65);
  EXPECT_GT(share(64, 64), 0.3) << "rescales are counted for every tile, here there is none";
  EXPECT_GT(share(1, 1), 0.3);
}

TEST(BoundsAreNeeded, ForTheUnderflowOfP) {
  Sources sources = kNothing;
  sources.underflow = true;
  // One key with value 0 above all others, whose weights are just below what fp16 rounds to 0.
  RowInputs row{"underflow", 40, 1, 1.0, {1.0}, {}, {}};
  for (std::int64_t j = 0; j < row.keys; ++j) {
    row.k.push_back(j == 3 ? 0.0 : -17.34);
    row.v.push_back(j == 3 ? 0.0 : 1.0);
  }
  EXPECT_GT(reached(sources, false, {row}, {schedule(64, 64, LVSA_F16, kUnit)},
                    [](const Judged& b) { return b.tolerance.underflow; }),
            0.9);
}

// A kernel that carries its accumulator from tile to tile may err by more than (B + 2N + 4) u_a: it
// has to declare its step, or counts as adding one by one.
TEST(BoundsAreNeeded, ForAccumulatorsThatAreCarriedFromTileToTile) {
  Sources sources = kNothing;
  sources.sums = true;
  const auto fresh = [](const Judged& b) {
    BoundModel model = b.model;
    model.sum_step = model.key_tile;
    const auto tiles = static_cast<std::int64_t>(b.steps.tiles);
    return output_tolerance(model, b.row, 0, row_steps(model, b.row.keys, tiles)).accumulation;
  };
  EXPECT_GT(reached(sources, false, {dominated_row()}, {schedule(64, 1, LVSA_F32, kUnit)}, fresh),
            10.0);
}

}  // namespace
}  // namespace lvsa::analysis
