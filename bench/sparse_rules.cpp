// Finding the sparse pattern of one head from q and k, on one core, and how much it keeps. Rows are
// noise around directions that neighbours share.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/blocks/pattern_rule.hpp"

namespace {

std::uint64_t next(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  std::uint64_t x = state;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

double noise(std::uint64_t& state) {
  return (static_cast<double>(next(state) >> 11) * 0x1p-53 - 0.5) * 3.0;
}

lvsa::Tensor rows(std::int64_t tokens, std::int64_t dim, std::uint64_t seed) {
  lvsa::Tensor tensor(LVSA_BF16, {1, tokens, 1, dim}, lvsa::Layout::kBSHD);
  std::byte* to = tensor.bytes();
  std::vector<double> shared(static_cast<std::size_t>(dim));
  for (std::int64_t s = 0; s < tokens; ++s) {
    if (s % 50 == 0) {
      for (double& x : shared) x = noise(seed);
    }
    for (const double x : shared) {
      lvsa::encode(LVSA_BF16, 0.7 * x + noise(seed), to);
      to += 2;
    }
  }
  return tensor;
}

// 6,630, 12,870 and 29,700 tokens of heads of 128 elements.
void find_pattern(benchmark::State& state, const std::string& words, std::int64_t frames,
                  std::int64_t height, std::int64_t width) {
  lvsa::PatternInput input;
  input.video = {lvsa::make_frame_grid(frames, height * width, 0), height, width};
  const std::int64_t tokens = input.video.grid.seq_len();
  const lvsa::Tensor q = rows(tokens, 128, 1);
  const lvsa::Tensor k = rows(tokens, 128, 2);
  input.q = q.view();
  input.k = k.view();
  input.v = k.view();
  const auto rule = lvsa::make_rule(words);
  lvsa::HeadPattern pattern;
  for ([[maybe_unused]] auto iteration : state) {
    pattern = rule->make(input);
    benchmark::DoNotOptimize(pattern.map.indices.data());
  }
  const auto blocks = static_cast<double>(pattern.map.columns.blocks());
  state.counters["tokens"] = static_cast<double>(tokens);
  // Of a row in the middle: the first are dense in some patterns, the last in others.
  const std::int64_t middle = pattern.map.rows.blocks() / 2;
  state.counters["middle_row"] = static_cast<double>(pattern.map.row(middle).size()) / blocks;
  state.counters["kept_blocks"] = lvsa::block_density(pattern.map);
  state.counters["kept_pairs"] = lvsa::token_density(pattern);
}

const int kRegistered = [] {
  for (const std::string words :
       {"sparge topk=0.5", "sparge topk=0.3", "sparge topk=0.2", "sparge topk=0.3 partial_kept=0",
        "sparge cdfthreshd=0.98 simthreshd1=-0.1", "rainfusion local_recall=1", "rainfusion2",
        "svg", "svg profile=wan", "svg profile=wan sink_before_reorder=0"}) {
    for (const std::int64_t frames : {17, 33}) {
      benchmark::RegisterBenchmark((words + "/390x" + std::to_string(frames)).c_str(), find_pattern,
                                   words, frames, 15, 26)
          ->Unit(benchmark::kMillisecond);
    }
    benchmark::RegisterBenchmark((words + "/1485x20").c_str(), find_pattern, words, 20, 27, 55)
        ->Unit(benchmark::kMillisecond);
  }
  return 0;
}();

}  // namespace
