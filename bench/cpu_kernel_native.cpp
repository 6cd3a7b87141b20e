// The tiled attention kernel beside Eigen's own fp32 matrix product: same threads, same process, in
// turns, so that a disturbance of the machine hits both. Compiled for this very machine, which is
// what Eigen's rate is to be measured with; the kernel chooses its instructions at run time.
//
// Rates count 4 * head_dim floating point operations for each attended pair of tokens (two products
// and two sums for q.k and for p.v), nothing for the softmax.

#include <benchmark/benchmark.h>
#include <omp.h>
#include <time.h>

// gcc 12 takes its own _mm512_undefined_ps(), behind Eigen's AVX-512 code, for a mistake.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

#include "core/config/behaviour.hpp"
#include "core/config/config.hpp"
#include "core/numeric/small_floats.hpp"
#include "core/pattern/schedule.hpp"
#include "reference/attention/tiled/cpu_kernel.hpp"

namespace {

constexpr std::int64_t kHeadDim = 128;
constexpr Eigen::Index kProductSize = 2048;

// One thread: its processor time, which other processes on the machine hardly touch. Several
// threads: the clock on the wall, since threads that wait for each other burn processor time.
double seconds_of(int threads, const auto& work) {
  const clockid_t clock = threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
  timespec start{};
  timespec end{};
  clock_gettime(clock, &start);
  work();
  clock_gettime(clock, &end);
  return static_cast<double>(end.tv_sec - start.tv_sec) +
         1e-9 * static_cast<double>(end.tv_nsec - start.tv_nsec);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Wan 1.3B in bf16, [B, S, H, D], with the published pattern. Of the query frames only every
// `stride`-th is computed (the others attend nothing, which costs nothing): the work of a frame is
// the same, and a full pass at T = 41 takes seconds.
class Attention {
 public:
  Attention(std::int64_t frames, std::int64_t patches, std::int64_t heads, std::int64_t stride,
            int threads) {
    const std::int64_t tokens = frames * patches;
    const auto elements = static_cast<std::size_t>(tokens * heads * kHeadDim);
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (auto* tensor : {&q_, &k_, &v_}) {
      tensor->resize(elements);
      for (auto& x : *tensor) x = lvsa::float_to_bf16(normal(random));
    }
    out_.resize(elements);
    make_lists(frames, stride);
    pairs_ = static_cast<double>(list_.size()) * static_cast<double>(patches * patches * heads);
    problem_.struct_size = sizeof(problem_);
    problem_.batch = 1;
    problem_.frames = frames;
    problem_.patches_per_frame = patches;
    problem_.heads = heads;
    problem_.kv_heads = heads;
    problem_.head_dim = kHeadDim;
    problem_.scale = 1.0 / std::sqrt(static_cast<double>(kHeadDim));
    problem_.dtype = LVSA_BF16;
    problem_.out_dtype = LVSA_BF16;
    problem_.memory = LVSA_HOST;
    problem_.threads = threads;
    const auto view = [&](std::vector<std::uint16_t>& tensor) {
      return lvsa_tensor{tensor.data(), {tokens * heads * kHeadDim, heads * kHeadDim, kHeadDim, 1}};
    };
    problem_.q = view(q_);
    problem_.k = view(k_);
    problem_.v = view(v_);
    problem_.out = view(out_);
    problem_.frame_lists = {offsets_.data(), list_.data()};
    std::size_t bytes = 0;
    lvsa::reference::cpu_kernel().workspace(&problem_, &bytes);
    workspace_.resize(bytes);
  }

  void run() {
    char message[256] = "";
    if (lvsa::reference::cpu_kernel().run(&problem_, workspace_.data(), workspace_.size(), nullptr,
                                          message, sizeof(message)) != LVSA_OK) {
      throw std::runtime_error(message);
    }
    benchmark::ClobberMemory();
  }

  double operations() const { return 4.0 * static_cast<double>(kHeadDim) * pairs_; }
  std::size_t workspace_bytes() const { return workspace_.size(); }

 private:
  void make_lists(std::int64_t frames, std::int64_t stride) {
    const lvsa::Config settings;  // the published defaults
    const lvsa::FramePattern pattern = lvsa::build_frame_pattern(
        lvsa::pattern_spec(settings, lvsa::make_schedule(settings, frames), frames, 0,
                           lvsa::behaviour(lvsa::Version::k1_3)));
    offsets_.push_back(0);
    for (std::int64_t f = 0; f < frames; ++f) {
      const auto row = pattern.row(f);
      if (f % stride == 0) list_.insert(list_.end(), row.begin(), row.end());
      offsets_.push_back(static_cast<std::int64_t>(list_.size()));
    }
  }

  std::vector<std::uint16_t> q_, k_, v_, out_;
  std::vector<std::int64_t> offsets_;
  std::vector<std::int32_t> list_;
  std::vector<unsigned char> workspace_;
  double pairs_ = 0.0;
  lvsa_problem problem_{};
};

class Product {
 public:
  Product()
      : a_(Eigen::MatrixXf::Random(kProductSize, kProductSize)),
        b_(Eigen::MatrixXf::Random(kProductSize, kProductSize)),
        c_(kProductSize, kProductSize) {}

  void run() {
    c_.noalias() = a_ * b_;
    benchmark::DoNotOptimize(c_.data());
    benchmark::ClobberMemory();
  }
  static double operations() { return 2.0 * std::pow(static_cast<double>(kProductSize), 3.0); }

 private:
  Eigen::MatrixXf a_, b_, c_;
};

// Arguments: T, P, heads, stride of the query frames, threads (0: all).
void attention_over_product(benchmark::State& state) {
  const int threads = state.range(4) > 0 ? static_cast<int>(state.range(4)) : omp_get_num_procs();
  omp_set_num_threads(threads);
  Attention attention(state.range(0), state.range(1), state.range(2), state.range(3), threads);
  Product product;
  product.run();
  attention.run();
  std::vector<double> product_rate, attention_rate, ratio;
  for ([[maybe_unused]] auto iteration : state) {
    // The product before and after: their mean meets the kernel's own moment.
    const double before = seconds_of(threads, [&] { product.run(); });
    const double during = seconds_of(threads, [&] { attention.run(); });
    const double after = seconds_of(threads, [&] { product.run(); });
    state.SetIterationTime(during);
    product_rate.push_back(2.0 * Product::operations() / (before + after));
    attention_rate.push_back(attention.operations() / during);
    ratio.push_back(attention_rate.back() / product_rate.back());
  }
  state.counters["eigen_GFLOP/s"] = median(product_rate) * 1e-9;
  state.counters["cpu_GFLOP/s"] = median(attention_rate) * 1e-9;
  state.counters["ratio"] = median(ratio);
  state.counters["ratio_min"] = *std::min_element(ratio.begin(), ratio.end());
  state.counters["ratio_max"] = *std::max_element(ratio.begin(), ratio.end());
  state.counters["workspace_KiB"] = static_cast<double>(attention.workspace_bytes()) / 1024.0;
  state.counters["threads"] = threads;
  state.SetLabel(lvsa::reference::cpu_kernel().description);
}

// The figure that is held to 0.6: T 41, P 1560; one thread and all; then heads, then the growth in
// P and in T.
BENCHMARK(attention_over_product)
    ->ArgNames({"T", "P", "heads", "stride", "threads"})
    ->Args({41, 1560, 1, 8, 1})
    ->Args({41, 1560, 1, 8, 0})
    ->Args({41, 1560, 4, 40, 0})
    ->Args({41, 195, 4, 4, 0})
    ->Args({41, 390, 2, 4, 0})
    ->Args({41, 780, 1, 4, 0})
    ->Args({21, 1560, 1, 8, 0})
    ->Args({81, 1560, 1, 16, 0})
    ->Iterations(5)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
