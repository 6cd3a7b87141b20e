// The sweep on one head of Wan 1.3B at six times its length (T 121, P 1560, D 128, bf16, 8 query
// rows a frame): the pass that makes frame partials, then 10,000 patterns from them, and beside it
// what one pattern costs when its attention is computed directly. bench_sweep with the filter
// "Heads" does the twelve heads of a layer one after the other.

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <vector>

#include "analysis/sweep/pattern_metrics.hpp"
#include "analysis/verify/case.hpp"
#include "analysis/verify/inputs.hpp"
#include "analysis/verify/oracle_problem.hpp"
#include "core/pattern/keyframe_interval.hpp"
#include "reference/attention/oracle.hpp"

namespace {

using namespace lvsa::analysis;  // NOLINT: everything here is about this room
using lvsa::FramePattern;
using lvsa::PatternSpec;

constexpr std::int64_t kFrames = 121;
constexpr std::size_t kPatterns = 10000;

struct Head {
  AttentionTensors tensors;
  Sample sample;
};

Head make_head(int seed) {
  const Case c = parse_case("T=121 P=1560 H=1 Hkv=1 D=128 dtype=bf16 ref=21 input=gauss seed=" +
                            std::to_string(seed));
  Head head{make_inputs(c), {}};
  head.sample.id.source = "bench";
  head.sample.grid = lvsa::make_frame_grid(kFrames, 1560, 0);
  head.sample.scale = 0x1.6a09e667f3bcdp-4;  // 1 / sqrt(128)
  head.sample.q = head.tensors.q.view();
  head.sample.k = head.tensors.k.view();
  head.sample.v = head.tensors.v.view();
  return head;
}

const Head& head() {
  static const Head made = make_head(1);
  return made;
}

// Settings as a random sweep draws them: window, leading frames, interval, offset, expansion.
PatternSpec some_spec(std::uint64_t number) {
  const auto draw = [&](std::uint64_t stream, std::uint64_t below) {
    return static_cast<std::int64_t>(random_bits(7, stream, number) % below);
  };
  PatternSpec spec{.frames = kFrames, .window_frames = draw(0, 13), .n_first_frames = draw(1, 5)};
  spec.interval = 1 + draw(2, 60);
  spec.offset = draw(3, static_cast<std::uint64_t>(*spec.interval));
  spec.expand_window = draw(4, 2) == 1;
  return spec;
}

const std::vector<FramePattern>& patterns() {
  static const std::vector<FramePattern> made = [] {
    std::vector<FramePattern> all;
    for (std::size_t i = 0; i < kPatterns; ++i) all.push_back(build_frame_pattern(some_spec(i)));
    return all;
  }();
  return made;
}

const PatternPlan& plan() {
  static const PatternPlan made(kFrames, patterns());
  return made;
}

const FramePartials& partials() {
  static const FramePartials made =
      compute_partials(head().sample, choose_rows(head().sample.grid, {}));
  return made;
}

double megabytes_at_most() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

void BM_Pass(benchmark::State& state) {
  const auto level = static_cast<lvsa::reference::SimdLevel>(state.range(1));
  if (!lvsa::reference::machine_has(level)) return state.SkipWithError("not on this machine");
  const std::vector<std::int64_t> tokens = choose_rows(head().sample.grid, {});
  const PartialsOptions options{
      .outputs = true, .threads = static_cast<int>(state.range(0)), .level = level};
  for (auto _ : state) {
    benchmark::DoNotOptimize(compute_partials(head().sample, tokens, options).out.data());
  }
  const double products = 2.0 * static_cast<double>(tokens.size()) * kFrames * 1560 * 128;
  state.counters["GFLOP/s"] = benchmark::Counter(
      2e-9 * products * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_Pass)
    ->ArgNames({"threads", "level"})
    ->Args({1, 0})
    ->Args({1, 1})
    ->Args({1, 2})
    ->Args({2, 2})
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

void BM_Plan(benchmark::State& state) {
  patterns();
  for (auto _ : state) {
    const PatternPlan made(kFrames, patterns(), static_cast<int>(state.range(0)));
    benchmark::DoNotOptimize(made.size());
  }
  double sets = 0.0;
  double adds = 0.0;
  for (std::int64_t f = 0; f < kFrames; ++f) {
    sets += static_cast<double>(plan().sets(f).sets().size());
    adds += static_cast<double>(plan().sets(f).adds().size());
  }
  state.counters["sets/frame"] = sets / kFrames;
  state.counters["adds/frame"] = adds / kFrames;
}
BENCHMARK(BM_Plan)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

void BM_Sweep(benchmark::State& state) {
  const auto level = static_cast<lvsa::reference::SimdLevel>(state.range(1));
  if (!lvsa::reference::machine_has(level)) return state.SkipWithError("not on this machine");
  plan();
  const FramePartials& from = partials();
  for (auto _ : state) {
    PatternEvaluator evaluator(plan(), head().sample.grid, static_cast<std::int64_t>(from.rows()),
                               {.threads = static_cast<int>(state.range(0)), .level = level});
    evaluator.add(from);
    benchmark::DoNotOptimize(evaluator.finish().data());
  }
  state.counters["ns/row/pattern"] =
      benchmark::Counter(1e-9 * static_cast<double>(from.rows() * kPatterns *
                                                    static_cast<std::size_t>(state.iterations())),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(BM_Sweep)
    ->ArgNames({"threads", "level"})
    ->Args({1, 0})
    ->Args({1, 1})
    ->Args({1, 2})
    ->Args({2, 2})
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

// One pattern, its attention from the oracle on the same rows: what 10,000 patterns would cost
// each.
void BM_OnePatternDirectly(benchmark::State& state) {
  const std::vector<std::int64_t> tokens = choose_rows(head().sample.grid, {});
  std::vector<lvsa::reference::RowId> rows;
  for (const std::int64_t token : tokens) rows.push_back({0, token, 0});
  lvsa::reference::AttentionProblem problem{head().sample.q,     head().sample.k,
                                            head().sample.v,     head().sample.grid,
                                            head().sample.scale, {}};
  double density = 0.0;
  std::size_t number = 0;
  for (auto _ : state) {
    const FramePattern& pattern = patterns()[number++ * 997 % kPatterns];
    problem.attended.clear();
    for (std::int64_t f = 0; f < kFrames; ++f) {
      problem.attended.emplace_back(pattern.row(f).begin(), pattern.row(f).end());
    }
    density += pattern.frame_density();
    benchmark::DoNotOptimize(lvsa::reference::attend_rows(problem, rows, {}).data());
  }
  state.counters["density"] = density / static_cast<double>(state.iterations());
}
BENCHMARK(BM_OnePatternDirectly)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(4)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

void BM_TwelveHeads(benchmark::State& state) {
  patterns();
  for (auto _ : state) {
    const PatternPlan made(kFrames, patterns());
    for (int h = 0; h < 12; ++h) {
      state.PauseTiming();
      const Head one = make_head(h + 1);
      state.ResumeTiming();
      benchmark::DoNotOptimize(evaluate_patterns(one.sample, made).data());
    }
  }
  state.counters["MiB at most"] = megabytes_at_most();
}
BENCHMARK(BM_TwelveHeads)
    ->Unit(benchmark::kSecond)
    ->Iterations(1)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

}  // namespace
