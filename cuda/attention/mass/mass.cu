// Softmax mass of query frames on key frames for sm_90a: Q K^T and the exponentials of attention
// without P V. A row's sum over a frame is noted when the frame ends, and divided by the row's
// whole sum when that is known.

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "cuda/attention/hopper/item_loader.cuh"
#include "cuda/attention/hopper/scores.cuh"
#include "cuda/attention/hopper/shared_layout.cuh"
#include "cuda/attention/hopper/softmax.cuh"
#include "cuda/attention/hopper/work_item.cuh"
#include "cuda/attention/mass/parameters.hpp"
#include "cuda/ptx/mbarrier.cuh"
#include "cuda/ptx/tma.cuh"
#include "cuda/ptx/warpgroup.cuh"
#include "cuda/ptx/wgmma.cuh"

namespace lvsa::cuda::mass {
namespace {

template <int kHeadDim>
struct SharedLayout {
  static constexpr std::uint32_t kQueryHalf = hopper::kQueryTile * 128;
  static constexpr std::uint32_t kKeyHalf = kKeyTile * 128;
  static constexpr std::uint32_t kQueryBytes = kQueryHalf * (kHeadDim / 64);
  static constexpr std::uint32_t kKeyBytes = kKeyHalf * (kHeadDim / 64);

  std::uint32_t base;
  char* small;

  __device__ __forceinline__ explicit SharedLayout(char* dynamic_shared) {
    const std::uint32_t start = ptx::shared_address(dynamic_shared);
    base = (start + 1023) & ~1023u;
    small = dynamic_shared + (base - start) + kQueryBytes + kStages * kKeyBytes;
  }
  __device__ __forceinline__ std::uint32_t query() const { return base; }
  __device__ __forceinline__ std::uint32_t key(int stage) const {
    return base + kQueryBytes + stage * kKeyBytes;
  }
  __device__ __forceinline__ std::uint32_t barrier(int index) const {
    return base + kQueryBytes + kStages * kKeyBytes + index * 8;
  }
  __device__ __forceinline__ std::uint32_t key_full(int stage) const { return barrier(stage); }
  __device__ __forceinline__ std::uint32_t key_empty(int stage) const {
    return barrier(kStages + stage);
  }
  __device__ __forceinline__ std::uint32_t query_full() const { return barrier(2 * kStages); }
  __device__ __forceinline__ std::uint32_t query_empty() const { return barrier(2 * kStages + 1); }
  __device__ __forceinline__ volatile hopper::ItemHeader& header() const {
    return *reinterpret_cast<volatile hopper::ItemHeader*>(small + 128);
  }
};

/// The warp that loads. Its item header says how many frames and text the item has: `tiles` is the
/// number of frames.
template <int kHeadDim>
class Producer {
 public:
  __device__ __forceinline__ Producer(const Parameters& p, char* dynamic_shared, int lane)
      : p_(p), shared_(dynamic_shared), lane_(lane), items_(p, shared_, lane) {}

  __device__ __forceinline__ void run() {
    items_.run([this](std::int64_t index) { produce(index); });
  }

 private:
  using Shared = SharedLayout<kHeadDim>;

  __device__ __forceinline__ void produce(std::int64_t index) {
    const hopper::WorkItem item = hopper::work_item(p_, index);
    items_.load_query(item, index, hopper::FrameWalk(p_, item, lane_).count(0));
    hopper::FrameWalk walk(p_, item, lane_);
    std::uint32_t mask = 0;
    for (int frame = walk.next(&mask); frame >= 0; frame = walk.next(&mask)) {
      for (int tile = 0; tile < p_.frame_tiles; ++tile) load_key(p_.key, item, tile, frame);
    }
    for (int tile = 0; tile < p_.text_tiles; ++tile) load_key(p_.text_key, item, tile, 0);
  }

  __device__ __forceinline__ void load_key(const CUtensorMap& map, const hopper::WorkItem& item,
                                           int tile, int frame) {
    const int stage = loads_ % kStages;
    ptx::mbarrier_wait(shared_.key_empty(stage), loads_ / kStages & 1 ^ 1);
    if (lane_ == 0) {
      ptx::mbarrier_arrive_expect(shared_.key_full(stage), Shared::kKeyBytes);
#pragma unroll
      for (int half = 0; half < kHeadDim / 64; ++half) {
        ptx::tma_load_5d(shared_.key(stage) + half * Shared::kKeyHalf, &map,
                         shared_.key_full(stage), half * 64, tile * kKeyTile, frame,
                         item.head / p_.heads_per_group, item.batch);
      }
    }
    __syncwarp();
    ++loads_;
  }

  const Parameters& p_;
  Shared shared_;
  int lane_;
  hopper::ItemLoader<Parameters, Shared, kHeadDim / 64, 64> items_;
  std::uint32_t loads_ = 0;
};

/// A warpgroup that computes: 64 query rows.
template <typename Element, int kHeadDim>
class Consumer {
 public:
  __device__ __forceinline__ Consumer(const Parameters& p, char* dynamic_shared, int group,
                                      int thread)
      : p_(p), shared_(dynamic_shared), group_(group), warp_(thread / 32), lane_(thread % 32) {
    // Of this block, this thread's quad: rows `lane / 4` and 8 more of the warp's 16.
    row_sums_ = p.row_sums + (std::int64_t{blockIdx.x} * p.groups * hopper::kQueryTile +
                              group * 64 + warp_ * 16);
  }

  __device__ __forceinline__ void run() {
    for (std::uint32_t done = 0;; ++done) {
      ptx::mbarrier_wait(shared_.query_full(), done & 1);
      const int index = from_lane_0(lane_ == 0 ? shared_.header().item : 0);
      if (index < 0) return;
      const int frames = from_lane_0(lane_ == 0 ? shared_.header().tiles : 0);
      compute(index, frames);
    }
  }

 private:
  using Shared = SharedLayout<kHeadDim>;
  using Scores = float[kKeyTile / 2];

  __device__ __forceinline__ int from_lane_0(int value) const {
    return __shfl_sync(0xffffffffu, value, 0);
  }
  __device__ __forceinline__ void release(std::uint32_t barrier) const {
    __syncwarp();
    if (lane_ == 0) ptx::mbarrier_arrive(barrier);
  }

  __device__ __forceinline__ void compute(int index, int frames) {
    hopper::RowState all;  // whose sums are those of the frames that are over
    const hopper::WorkItem item = hopper::work_item(p_, index);
    for (int g = lane_; g < p_.groups; g += 32) {  // who is not attended has no mass
      for (int row = 0; row < 16; ++row) {
        row_sums_[std::int64_t{g} * hopper::kQueryTile + row] = hopper::kMinusInfinity;
      }
    }
    __syncwarp();
    const bool listed = p_.list != nullptr && !item.is_text;
    const std::int64_t first = !listed ? 0
                               : p_.offsets_64
                                   ? static_cast<const std::int64_t*>(p_.offsets)[item.frame]
                                   : static_cast<const std::int32_t*>(p_.offsets)[item.frame];
    for (int i = 0; i < frames; ++i) {
      const int frame = listed ? p_.list[first + i] : i;
      take_group(all, frame, p_.frame_tiles, p_.frame_tail);
    }
    if (p_.text_tiles > 0) take_group(all, p_.frames, p_.text_tiles, p_.text_tail);
    release(shared_.query_empty());
    finish(index, item, all);
  }

  /// All tiles of a frame or the text.
  __device__ __forceinline__ void take_group(hopper::RowState& all, int g, int tiles, int tail) {
    hopper::RowState one;
    one.max[0] = all.max[0];
    one.max[1] = all.max[1];
    float faded[2] = {1.0f, 1.0f};
    for (int tile = 0; tile < tiles; ++tile) {
      Scores s;
      const int stage = tile_ % kStages;
      ptx::mbarrier_wait(shared_.key_full(stage), tile_ / kStages & 1);
      scores(s, stage);
      release(shared_.key_empty(stage));
      if (tile + 1 == tiles && tail < kKeyTile) hopper::mask_columns(s, tail, lane_);
      float alpha[2];
      hopper::softmax_tile<kKeyTile / 2>(s, one, alpha, p_.scale_log2);
      faded[0] *= alpha[0];
      faded[1] *= alpha[1];
      ++tile_;
    }
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const float sum = hopper::quad_sum(one.sum[r]);
      all.sum[r] = all.sum[r] * faded[r] + sum;
      all.max[r] = one.max[r];
      if (lane_ % 4 == 0) {
        row_sums_[std::int64_t{g} * hopper::kQueryTile + lane_ / 4 + 8 * r] =
            __log2f(sum) + one.max[r] * p_.scale_log2;
      }
    }
  }

  __device__ __forceinline__ void scores(Scores& s, int stage) const {
    hopper::issue_scores<Element, Shared, kHeadDim, kKeyTile>(
        s, shared_.query() + group_ * 64 * 128, shared_.key(stage));
    ptx::wgmma_wait<0>();
    ptx::keep_registers(s);
  }

  /// Sums of the warp's rows: lane l has the groups l, l + 32, ...
  __device__ __forceinline__ void finish(int index, const hopper::WorkItem& item,
                                         const hopper::RowState& all) const {
    const int rows = (item.is_text ? p_.text : p_.patches) - item.row - group_ * 64 - warp_ * 16;
    float whole[2];  // log2 of the sum over all keys; +inf where there is no row or no key
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const bool counts = lane_ / 4 + 8 * r < rows && all.sum[r] > 0.0f;
      whole[r] =
          counts ? __log2f(all.sum[r]) + all.max[r] * p_.scale_log2 : -hopper::kMinusInfinity;
    }
    __syncwarp();  // the rows' sums are there for all lanes
    float* out =
        p_.partial + (std::int64_t{index} * kConsumerWarps + group_ * 4 + warp_) * p_.groups;
    for (int first = 0; first < p_.groups; first += 32) {
      const int g = first + lane_;
      float mass = 0.0f;
#pragma unroll
      for (int row = 0; row < 16; ++row) {
        const float sum_all = __shfl_sync(0xffffffffu, whole[row / 8], row % 8 * 4);
        if (g < p_.groups) {
          const float sum = row_sums_[std::int64_t{g} * hopper::kQueryTile + row];
          mass += ptx::exp2_approx(sum - sum_all);
        }
      }
      if (g < p_.groups) out[g] = mass;
    }
    __syncwarp();  // before the next item's sums
  }

  const Parameters& p_;
  Shared shared_;
  int group_;
  int warp_;
  int lane_;
  float* row_sums_;
  std::uint32_t tile_ = 0;
};

template <typename Element, int kHeadDim>
__global__ void __launch_bounds__(hopper::kThreads, 1)
    frame_mass(const __grid_constant__ Parameters p) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  extern __shared__ char dynamic_shared[];
  const int group = static_cast<int>(threadIdx.x) / 128;
  if (threadIdx.x == 0) {
    const SharedLayout<kHeadDim> shared(dynamic_shared);
    for (int stage = 0; stage < kStages; ++stage) {
      ptx::mbarrier_init(shared.key_full(stage), 1);
      ptx::mbarrier_init(shared.key_empty(stage), kConsumerWarps);
    }
    ptx::mbarrier_init(shared.query_full(), 1);
    ptx::mbarrier_init(shared.query_empty(), kConsumerWarps);
    ptx::fence_barrier_init();
  }
  __syncthreads();
  if (group == 0) {
    ptx::release_registers<40>();
    if (threadIdx.x < 32) {
      Producer<kHeadDim>(p, dynamic_shared, static_cast<int>(threadIdx.x)).run();
    }
  } else {
    ptx::acquire_registers<232>();
    Consumer<Element, kHeadDim>(p, dynamic_shared, group - 1, static_cast<int>(threadIdx.x) % 128)
        .run();
  }
#endif
}

/// A thread an element of the result; sums in a fixed order.
__global__ void __launch_bounds__(128) means(const Means m) {
  const std::int64_t row = blockIdx.x;  // (batch, head, query group)
  const int query = static_cast<int>(row % m.groups);
  const std::int64_t head = row / m.groups;
  const bool text = query == m.frames;
  const int tiles = text ? m.text_tiles : m.frame_tiles;
  const std::int64_t first =
      text ? head * m.text_tiles
           : m.text_items + head * m.head_items + std::int64_t{query} * m.frame_tiles;
  for (int key = static_cast<int>(threadIdx.x); key < m.groups; key += 128) {
    float sum = 0.0f;
    for (int i = 0; i < tiles * kConsumerWarps; ++i) {
      sum += m.partial[(first * kConsumerWarps + i) * m.groups + key];
    }
    m.mass[row * m.groups + key] = sum / (text ? m.text : m.patches);
  }
}

template <typename Element>
const void* function_of(std::int64_t head_dim) {
  if (head_dim == 64) return reinterpret_cast<const void*>(&frame_mass<Element, 64>);
  if (head_dim == 128) return reinterpret_cast<const void*>(&frame_mass<Element, 128>);
  return nullptr;
}

}  // namespace

const void* mass_function(lvsa_dtype dtype, std::int64_t head_dim) {
  if (dtype == LVSA_BF16) return function_of<__nv_bfloat16>(head_dim);
  if (dtype == LVSA_F16) return function_of<__half>(head_dim);
  return nullptr;
}

cudaError_t take_means(const Means& m, cudaStream_t stream) {
  means<<<static_cast<unsigned>(m.batch_heads * m.groups), 128, 0, stream>>>(m);
  return cudaGetLastError();
}

}  // namespace lvsa::cuda::mass
