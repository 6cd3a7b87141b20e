// The summaries of many configurations, a warp each: what a sweep over settings needs.
#include "cuda/error.hpp"
#include "cuda/pattern/batch.hpp"
#include "cuda/pattern/rules.cuh"

namespace lvsa::cuda {
namespace {

using rules::FrameSet;
using rules::kWarp;
using rules::Plan;

constexpr int kWarps = 8;
constexpr std::size_t kSharedLimit = 48 * 1024;  // what a block gets without asking

std::size_t bytes_a_warp(const PatternBatch& batch) {
  return static_cast<std::size_t>(rules::set_words(batch.frame_capacity)) * 2 *
         sizeof(std::uint32_t);
}

__device__ PatternSummary summarise(const Plan& plan, const PatternSettings& settings,
                                    const std::int32_t* extra, const FrameSet& globals) {
  rules::fill_grid(plan, globals.words, 0, 1);
  __syncwarp();
  rules::join_extra(plan, settings, extra, globals.words, rules::lane(), kWarp);
  __syncwarp();
  const int global_count = rules::count_set(plan, globals);
  __syncwarp();

  // At most 2^14 frames: a lane's sum over its 2^9 rows stays below 2^23.
  int pairs = 0;
  int least = plan.frames;
  int most = 0;
  for (int f = rules::lane(); f < plan.frames; f += kWarp) {
    const Window window = rules::window_of(plan, globals, global_count, f);
    const int size = rules::row_size(globals, global_count, window);
    pairs += size;
    least = min(least, size);
    most = max(most, size);
  }
  PatternSummary summary{};
  summary.interval = plan.interval;
  summary.offset = plan.start;
  summary.globals = global_count;
  summary.columns = plan.window > 0 ? plan.frames : global_count;
  summary.least_row = __reduce_min_sync(rules::kAllLanes, least);
  summary.most_row = __reduce_max_sync(rules::kAllLanes, most);
  summary.pairs = __reduce_add_sync(rules::kAllLanes, pairs);
  return summary;
}

__global__ void __launch_bounds__(kWarps* kWarp)
    summarise_kernel(PatternBatch batch, PatternSummary* summaries) {
  extern __shared__ std::uint32_t memory[];
  const int words = rules::set_words(batch.frame_capacity);
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  std::uint32_t* own = memory + warp * 2 * words;
  const FrameSet globals{own, reinterpret_cast<std::int32_t*>(own + words)};
  const std::int64_t c = static_cast<std::int64_t>(blockIdx.x) * warps + warp;
  if (c >= batch.count) return;

  const PatternSettings settings = batch.settings[c];
  const Plan plan = rules::make_plan(settings, batch);
  PatternSummary summary{};
  summary.status = plan.status;
  if (plan.status == PatternStatus::kOk) {
    summary = summarise(plan, settings, batch.extra_frames, globals);
  }
  if (rules::lane() == 0) summaries[c] = summary;
}

}  // namespace

void summarise_patterns(const PatternBatch& batch, PatternSummary* summary, cudaStream_t stream) {
  check_batch(batch, summary);
  if (batch.count == 0) return;
  const std::size_t bytes = bytes_a_warp(batch);
  const int warps = static_cast<int>(kSharedLimit / bytes < kWarps ? kSharedLimit / bytes : kWarps);
  const std::int64_t blocks = (batch.count + warps - 1) / warps;
  summarise_kernel<<<static_cast<unsigned>(blocks), warps * kWarp,
                     static_cast<std::size_t>(warps) * bytes, stream>>>(batch, summary);
  check_launch("summarise_patterns");
}

}  // namespace lvsa::cuda
