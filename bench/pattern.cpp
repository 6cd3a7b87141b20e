// The pattern with all its index structures: interval, global frames, windows, lists, and for rank
// 0 of a world of 1 the window context, the attended table and the block rows with their copy
// lists.

#include <benchmark/benchmark.h>

#include "core/config/config.hpp"
#include "core/pattern/index_structures.hpp"
#include "core/pattern/schedule.hpp"

namespace {

void build_everything(benchmark::State& state) {
  const std::int64_t frames = state.range(0);
  const std::int64_t patches = state.range(1);
  lvsa::Config config;
  config.rotate_keyframes = true;
  const lvsa::Behaviour& rules = lvsa::behaviour(lvsa::Version::k1_3);
  std::int64_t step = 0;
  for ([[maybe_unused]] auto iteration : state) {
    const lvsa::Schedule schedule = lvsa::make_schedule(config, frames);
    const lvsa::FramePattern pattern =
        lvsa::build_frame_pattern(lvsa::pattern_spec(config, schedule, frames, step++, rules));
    lvsa::RankIndex index = lvsa::build_rank_index(pattern, patches, 0, 1);
    benchmark::DoNotOptimize(index.blocks.indices.data());
    benchmark::DoNotOptimize(index.window_tokens.data());
  }
  state.SetComplexityN(frames);
}

BENCHMARK(build_everything)
    ->ArgNames({"T", "P"})
    ->Args({49, 1560})
    ->Args({81, 1560})
    ->Args({121, 1560})
    ->Args({250, 1560})
    ->Args({1000, 1560})
    ->Args({2500, 1560})
    ->Args({10000, 1560})
    ->Unit(benchmark::kMicrosecond)
    ->Complexity();

// The same for one of eight ranks, boundary guards included.
void build_for_a_rank(benchmark::State& state) {
  const std::int64_t frames = state.range(0);
  constexpr std::int64_t kPatches = 1560;
  constexpr std::int64_t kWorld = 8;
  lvsa::PatternSpec spec;
  spec.frames = frames;
  spec.window_frames = 3;
  spec.n_first_frames = 1;
  spec.interval = 9;
  for (std::int64_t rank = 1; rank < kWorld; ++rank) {
    const std::int64_t border = rank * frames / kWorld;
    for (std::int64_t f = border - 3; f <= border + 3; ++f) spec.extra_globals.push_back(f);
  }
  for ([[maybe_unused]] auto iteration : state) {
    const lvsa::FramePattern pattern = lvsa::build_frame_pattern(spec);
    lvsa::RankIndex index = lvsa::build_rank_index(pattern, kPatches, 3, kWorld);
    benchmark::DoNotOptimize(index.blocks.indices.data());
  }
}
BENCHMARK(build_for_a_rank)->ArgName("T")->Arg(121)->Arg(1001)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
