// The oracle on one head of Wan 1.3B at six times its length (T 121, P 1560, D 128, bf16; 32,760
// keys a row), a row at a time as it was first written, and rows together on each set of
// instructions. Processor time is what to compare where other programs run beside.

#include "reference/attention/oracle.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "analysis/verify/case.hpp"
#include "analysis/verify/inputs.hpp"
#include "analysis/verify/oracle_problem.hpp"

namespace {

using lvsa::reference::AttentionProblem;
using lvsa::reference::RowId;
using lvsa::reference::RowResult;
using lvsa::reference::ScoreErrorModel;
using lvsa::reference::SimdLevel;

constexpr ScoreErrorModel kErrors{.dot = 0x1p-15};

struct Sample {
  lvsa::analysis::AttentionTensors tensors;
  AttentionProblem problem;
};

const Sample& sample() {
  static const Sample made = [] {
    const auto c = lvsa::analysis::parse_case(
        "T=121 P=1560 H=1 Hkv=1 D=128 dtype=bf16 ref=21 input=gauss seed=1 rows=8");
    Sample s{lvsa::analysis::make_inputs(c), {}};
    s.problem = lvsa::analysis::oracle_problem(c, s.tensors.q.view(), s.tensors.k.view(),
                                               s.tensors.v.view());
    return s;
  }();
  return made;
}

// `frames` frames spread over the video, `each` rows in each.
std::vector<RowId> some_rows(std::int64_t frames, std::int64_t each) {
  std::vector<RowId> rows;
  for (std::int64_t f = 0; f < frames; ++f) {
    for (std::int64_t r = 0; r < each; ++r) {
      rows.push_back({0, f * 120 / std::max<std::int64_t>(1, frames - 1) * 1560 + r * 190, 0});
    }
  }
  return rows;
}

// The oracle as it was: one row, one key at a time, K and V read anew in each of three passes.
double attend_alone(const AttentionProblem& problem, const RowId& row) {
  const auto dim = static_cast<std::size_t>(problem.q.shape[3]);
  std::vector<double> query(dim), other(dim), out(dim), magnitude(dim), shift(dim), sum(dim);
  std::vector<double> p, eta;
  problem.q.read_row(row.batch, row.token, row.head, query.data());
  const auto ranges = visible_ranges(problem, row.token);
  const auto for_each_key = [&](auto visit) {
    std::size_t j = 0;
    for (const auto& [begin, end] : ranges) {
      for (std::int64_t token = begin; token < end; ++token) visit(token, j++);
    }
  };
  double most = -INFINITY;
  for_each_key([&](std::int64_t token, std::size_t) {
    problem.k.read_row(row.batch, token, 0, other.data());
    double product[8] = {};
    double absolute[8] = {};
    for (std::size_t i = 0; i < dim; i += 8) {
      for (std::size_t lane = 0; lane < 8; ++lane) {
        const double term = query[i + lane] * other[i + lane];
        product[lane] += term;
        absolute[lane] += std::fabs(term);
      }
    }
    double score = 0.0;
    double spread = 0.0;
    for (std::size_t lane = 0; lane < 8; ++lane) {
      score += product[lane];
      spread += absolute[lane];
    }
    p.push_back(problem.scale * score);
    eta.push_back(problem.scale * spread);
    most = std::max(most, p.back());
  });
  double normaliser = 0.0;
  for (std::size_t j = 0; j < p.size(); ++j) {
    const double below = most - p[j];
    eta[j] = kErrors.dot * eta[j] + (std::fabs(p[j]) + 2.0 * below + 4.0) * 0x1p-24;
    p[j] = std::exp(-below);
    normaliser += p[j];
  }
  for_each_key([&](std::int64_t token, std::size_t j) {
    problem.v.read_row(row.batch, token, 0, other.data());
    for (std::size_t c = 0; c < dim; ++c) {
      out[c] += p[j] * other[c];
      magnitude[c] += p[j] * std::fabs(other[c]);
      sum[c] += std::fabs(other[c]);
    }
  });
  for (double& o : out) o /= normaliser;
  for_each_key([&](std::int64_t token, std::size_t j) {
    problem.v.read_row(row.batch, token, 0, other.data());
    const double weight = p[j] * eta[j];
    for (std::size_t c = 0; c < dim; ++c) shift[c] += weight * std::fabs(other[c] - out[c]);
  });
  return out[0] + magnitude[0] + sum[0] + shift[0];
}

void row_at_a_time(benchmark::State& state) {
  const auto rows = some_rows(state.range(0), state.range(1));
  const auto count = static_cast<std::int64_t>(rows.size());
  for (auto _ : state) {
    double total = 0.0;
#pragma omp parallel for schedule(dynamic, 1) reduction(+ : total)
    for (std::int64_t i = 0; i < count; ++i) {
      total += attend_alone(sample().problem, rows[static_cast<std::size_t>(i)]);
    }
    benchmark::DoNotOptimize(total);
  }
  state.counters["rows/s"] =
      benchmark::Counter(static_cast<double>(count), benchmark::Counter::kIsIterationInvariantRate);
}

template <SimdLevel kLevel>
void rows_together(benchmark::State& state) {
  if (!machine_has(kLevel)) {
    state.SkipWithError("this machine lacks the instructions");
    return;
  }
  const auto rows = some_rows(state.range(0), state.range(1));
  for (auto _ : state) {
    benchmark::DoNotOptimize(attend_rows_at(kLevel, sample().problem, rows, kErrors).size());
  }
  state.counters["rows/s"] = benchmark::Counter(static_cast<double>(rows.size()),
                                                benchmark::Counter::kIsIterationInvariantRate);
}

// Rows of 81 frames, one of each, as a sample of 968 rows over 12 heads has them; rows of 16
// frames, 8 of each.
void sizes(benchmark::internal::Benchmark* b) {
  b->Args({81, 1})->Args({16, 8})->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();
  b->Iterations(1)->Repetitions(3)->ReportAggregatesOnly(true);
}

BENCHMARK(row_at_a_time)->Apply(sizes);
BENCHMARK(rows_together<SimdLevel::kBaseline>)->Apply(sizes);
BENCHMARK(rows_together<SimdLevel::kAvx2>)->Apply(sizes);
BENCHMARK(rows_together<SimdLevel::kAvx512>)->Apply(sizes);

}  // namespace
