// Device time of the pattern kernels, by events around graph replays, so that the launch overhead
// of the host is not in it. One JSON object a line on stdout: name, unit, and all samples.

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <vector>

#include "cuda/error.hpp"
#include "cuda/launch/device.hpp"
#include "cuda/pattern/pattern.hpp"

namespace {

using lvsa::cuda::check;

constexpr int kSamples = 50;

template <typename T>
T* allocate(std::size_t count) {
  void* data = nullptr;
  check(cudaMalloc(&data, count * sizeof(T)), "cudaMalloc");
  check(cudaMemset(data, 0, count * sizeof(T)), "cudaMemset");
  return static_cast<T*>(data);
}

lvsa::cuda::PatternSettings wan(std::int32_t frames, std::int64_t step) {
  lvsa::cuda::PatternSettings s{};
  s.frames = frames;
  s.window_frames = 3;
  s.n_first_frames = 1;
  s.interval = lvsa::cuda::kAutoInterval;
  s.reference_frames = 21;
  s.expand_window = 1;
  s.offset_is_step = 1;
  s.sparsity_scale = 1.0;
  s.offset = step;
  return s;
}

lvsa::cuda::PatternSettings* upload(const std::vector<lvsa::cuda::PatternSettings>& settings) {
  auto* data = allocate<lvsa::cuda::PatternSettings>(settings.size());
  check(cudaMemcpy(data, settings.data(), settings.size() * sizeof(settings[0]),
                   cudaMemcpyHostToDevice),
        "copy to the device");
  return data;
}

// Microseconds of one `work`, `repeats` of them captured in a graph a sample.
void measure(const char* name, int repeats, const std::function<void(cudaStream_t)>& work) {
  cudaStream_t stream = nullptr;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  cudaEvent_t start = nullptr;
  cudaEvent_t stop = nullptr;
  check(cudaStreamCreate(&stream), "cudaStreamCreate");
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), "begin capture");
  for (int i = 0; i < repeats; ++i) work(stream);
  check(cudaStreamEndCapture(stream, &graph), "end capture");
  check(cudaGraphInstantiate(&executable, graph, 0), "cudaGraphInstantiate");
  check(cudaEventCreate(&start), "cudaEventCreate");
  check(cudaEventCreate(&stop), "cudaEventCreate");
  std::vector<float> samples;
  for (int i = 0; i < kSamples + 5; ++i) {
    check(cudaEventRecord(start, stream), "cudaEventRecord");
    check(cudaGraphLaunch(executable, stream), "cudaGraphLaunch");
    check(cudaEventRecord(stop, stream), "cudaEventRecord");
    check(cudaEventSynchronize(stop), "cudaEventSynchronize");
    float ms = 0;
    check(cudaEventElapsedTime(&ms, start, stop), "cudaEventElapsedTime");
    if (i >= 5) samples.push_back(ms * 1000.0F / static_cast<float>(repeats));
  }
  std::vector<float> sorted = samples;
  std::sort(sorted.begin(), sorted.end());
  std::printf("{\"name\": \"%s\", \"unit\": \"us\", \"median\": %.3f, \"samples\": [", name,
              static_cast<double>(sorted[sorted.size() / 2]));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    std::printf("%s%.3f", i > 0 ? ", " : "", static_cast<double>(samples[i]));
  }
  std::printf("]}\n");
  check(cudaGraphExecDestroy(executable), "cudaGraphExecDestroy");
  check(cudaGraphDestroy(graph), "cudaGraphDestroy");
  check(cudaEventDestroy(start), "cudaEventDestroy");
  check(cudaEventDestroy(stop), "cudaEventDestroy");
  check(cudaStreamDestroy(stream), "cudaStreamDestroy");
}

enum class Wanted { kLists, kListsAndBlocks, kEverything };

void measure_build(std::int32_t frames, Wanted wanted) {
  const auto f = static_cast<std::size_t>(frames);
  const lvsa::cuda::PatternBatch batch{upload({wan(frames, 5)}), 1, nullptr, 0, frames};
  lvsa::cuda::PatternArrays out;
  out.summary = allocate<lvsa::cuda::PatternSummary>(1);
  out.globals = allocate<std::int32_t>(f);
  out.offsets = allocate<std::int64_t>(f + 1);
  out.list = allocate<std::int32_t>(f * f);
  out.list_capacity = static_cast<std::int64_t>(f * f);
  if (wanted != Wanted::kLists) {
    out.is_global = allocate<std::uint8_t>(f);
    out.windows = allocate<lvsa::cuda::Window>(f);
    if (wanted == Wanted::kEverything) out.mask = allocate<std::uint8_t>(f * f);
    out.indptr = allocate<std::int32_t>(f + 1);
    out.indices = allocate<std::int32_t>(f * f);
    out.column_frames = allocate<std::int32_t>(f);
    out.global_copies = allocate<lvsa::cuda::Copy>(f);
    out.local_copies = allocate<lvsa::cuda::Copy>(f);
    out.patches_per_frame = 1560;
  }
  static constexpr const char* kNames[] = {"pattern_lists", "pattern_lists_and_blocks",
                                           "pattern_everything"};
  const std::string name =
      std::string(kNames[static_cast<int>(wanted)]) + "/T=" + std::to_string(frames);
  measure(name.c_str(), 100,
          [&](cudaStream_t stream) { lvsa::cuda::build_patterns(batch, out, stream); });
}

void measure_sweep(std::int64_t count, std::int32_t frames) {
  std::vector<lvsa::cuda::PatternSettings> settings;
  for (std::int64_t i = 0; i < count; ++i) {
    settings.push_back(wan(frames, i % 50));
    settings.back().window_frames = static_cast<std::int32_t>(i % 8);
    settings.back().sparsity_scale = 0.5 + 1e-6 * static_cast<double>(i);
  }
  const lvsa::cuda::PatternBatch batch{upload(settings), count, nullptr, 0, frames};
  auto* summary = allocate<lvsa::cuda::PatternSummary>(static_cast<std::size_t>(count));
  const std::string name =
      "pattern_sweep/configurations=" + std::to_string(count) + ",T=" + std::to_string(frames);
  measure(name.c_str(), 1,
          [&](cudaStream_t stream) { lvsa::cuda::summarise_patterns(batch, summary, stream); });
}

}  // namespace

int main() {
  const lvsa::cuda::Device device = lvsa::cuda::current_device();
  if (!device.usable) {
    std::fprintf(stderr, "%s\n", device.reason.c_str());
    return 77;
  }
  try {
    for (const Wanted wanted : {Wanted::kLists, Wanted::kListsAndBlocks, Wanted::kEverything}) {
      for (const std::int32_t frames : {49, 81, 121, 250, 1000}) measure_build(frames, wanted);
    }
    measure_sweep(1'000'000, 121);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
