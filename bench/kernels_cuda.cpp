// Device time of the attention kernels of the library through the C interface, on the geometries
// of the published models. Useful rate: 4 * D * attended (query, key) pairs, over the median. One
// JSON object a line on stdout. Comparisons with other implementations are made by peers.py.

#include <cuda_runtime_api.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "core/error.hpp"
#include "core/numeric/small_floats.hpp"
#include "core/pattern/frame_pattern.hpp"
#include "core/pattern/keyframe_interval.hpp"
#include "cuda/error.hpp"
#include "cuda/launch/device.hpp"
#include "cuda/launch/hopper_kernel.hpp"
#include "cuda/launch/portable_kernel.hpp"

namespace {

using lvsa::cuda::check;

constexpr int kSamples = 20;
constexpr std::int64_t kHeadDim = 128;

struct Geometry {
  std::int64_t frames;
  std::int64_t patches;
  std::int64_t heads;
  std::int64_t reference;
};

lvsa::FramePattern pattern_of(const Geometry& g) {
  lvsa::PatternSpec spec;
  spec.frames = g.frames;
  spec.window_frames = 3;
  spec.n_first_frames = 1;
  spec.interval = lvsa::keyframe_interval({.frames = g.frames, .reference_frames = g.reference});
  return lvsa::build_frame_pattern(spec);
}

// Normal inputs: products of zeros run faster than real ones.
void* random_tensor(std::int64_t elements, unsigned seed, lvsa_dtype dtype) {
  std::mt19937 random(seed);
  std::normal_distribution<float> gauss;
  std::vector<std::uint16_t> block(1 << 20);
  for (auto& bits : block) {
    bits = lvsa::float_to_bf16(gauss(random));
    // Two e4m3 of magnitudes 0.125 to 1.875, any sign.
    if (dtype == LVSA_E4M3) bits = static_cast<std::uint16_t>((random() & 0x9f9fU) | 0x2020U);
  }
  void* data = nullptr;
  check(cudaMalloc(&data, static_cast<std::size_t>(elements) * 2), "cudaMalloc");
  for (std::int64_t done = 0; done < elements; done += 1 << 20) {
    const auto count = static_cast<std::size_t>(std::min<std::int64_t>(1 << 20, elements - done));
    check(cudaMemcpy(static_cast<std::uint16_t*>(data) + done, block.data(), count * 2,
                     cudaMemcpyHostToDevice),
          "copy to the device");
  }
  return data;
}

void run(const lvsa_kernel& kernel, const lvsa_problem& p, void* workspace, std::size_t bytes) {
  std::array<char, 256> message{};
  const lvsa_status status =
      kernel.run(&p, workspace, bytes, nullptr, message.data(), message.size());
  if (status != LVSA_OK) throw lvsa::Error(lvsa::ErrorKind::kKernel, message.data());
}

void measure(const lvsa_kernel& kernel, const Geometry& g) {
  const lvsa::FramePattern pattern = pattern_of(g);
  const std::int64_t tokens = g.frames * g.patches;
  const std::int64_t elements = tokens * g.heads * kHeadDim;
  lvsa_problem p{};
  p.struct_size = sizeof p;
  p.batch = 1;
  p.frames = g.frames;
  p.patches_per_frame = g.patches;
  p.heads = p.kv_heads = g.heads;
  p.head_dim = kHeadDim;
  p.scale = 1.0 / std::sqrt(static_cast<double>(kHeadDim));
  const bool fp8 = (kernel.capabilities.dtypes & LVSA_DTYPE_BIT(LVSA_E4M3)) != 0;
  p.dtype = fp8 ? LVSA_E4M3 : LVSA_BF16;
  p.out_dtype = LVSA_BF16;
  p.memory = LVSA_CUDA;
  p.frame_lists = {pattern.offsets.data(), pattern.list.data()};
  unsigned seed = 1;
  for (lvsa_tensor* t : {&p.q, &p.k, &p.v, &p.out}) {
    *t = {random_tensor(elements, seed++, p.dtype), {elements, g.heads * kHeadDim, kHeadDim, 1}};
  }
  std::size_t bytes = 0;
  if (kernel.workspace(&p, &bytes) != LVSA_OK) return;
  void* workspace = nullptr;
  check(cudaMalloc(&workspace, bytes), "cudaMalloc");
  cudaEvent_t start = nullptr;
  cudaEvent_t stop = nullptr;
  check(cudaEventCreate(&start), "cudaEventCreate");
  check(cudaEventCreate(&stop), "cudaEventCreate");
  std::vector<float> samples;
  for (int i = 0; i < kSamples + 2; ++i) {
    check(cudaEventRecord(start), "cudaEventRecord");
    run(kernel, p, workspace, bytes);
    check(cudaEventRecord(stop), "cudaEventRecord");
    check(cudaEventSynchronize(stop), "cudaEventSynchronize");
    float ms = 0;
    check(cudaEventElapsedTime(&ms, start, stop), "cudaEventElapsedTime");
    if (i >= 2) samples.push_back(ms);
  }
  std::vector<float> sorted = samples;
  std::sort(sorted.begin(), sorted.end());
  const auto median = static_cast<double>(sorted[sorted.size() / 2]);
  const double pairs = static_cast<double>(pattern.frame_pairs()) * static_cast<double>(g.patches) *
                       static_cast<double>(g.patches);
  const double operations = 4.0 * kHeadDim * static_cast<double>(g.heads) * pairs;
  std::printf(
      "{\"name\": \"%s/T=%ld,P=%ld,H=%ld,D=128\", \"unit\": \"ms\", \"median\": %.4f, "
      "\"useful_tflops\": %.1f, \"frame_density\": %.4f, \"samples\": [",
      kernel.name, static_cast<long>(g.frames), static_cast<long>(g.patches),
      static_cast<long>(g.heads), median, operations / median * 1e-9, pattern.frame_density());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    std::printf("%s%.4f", i > 0 ? ", " : "", static_cast<double>(samples[i]));
  }
  std::printf("]}\n");
  for (void* data : {p.q.data, p.k.data, p.v.data, p.out.data, workspace}) {
    check(cudaFree(data), "cudaFree");
  }
  check(cudaEventDestroy(start), "cudaEventDestroy");
  check(cudaEventDestroy(stop), "cudaEventDestroy");
}

}  // namespace

int main() {
  const lvsa::cuda::Device device = lvsa::cuda::current_device();
  if (!device.usable) {
    std::fprintf(stderr, "%s\n", device.reason.c_str());
    return 77;
  }
  try {
    for (const Geometry& g : {Geometry{41, 1560, 12, 21}, Geometry{81, 1560, 12, 21},
                              Geometry{121, 1560, 12, 21}, Geometry{41, 3600, 12, 21}}) {
      if (g.frames == 41) measure(lvsa::cuda::portable_kernel(), g);
      if (device.major == 9) measure(lvsa::cuda::hopper_kernel(), g);
      if (device.major == 9) measure(lvsa::cuda::fp8_kernel(), g);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
