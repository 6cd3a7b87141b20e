#pragma once
// Means of blocks of q or k, and whether their rows are alike. A warp has 32 rows of a block, of
// which it reads some while it adds up others, so that q and k are read once. Sums come in any
// order; where that could show in the result, and where fp32 cannot decide on likeness for sure,
// the block is computed again in the order of core/sparse.

#include "cuda/prediction/pool_ordered.cuh"
#include "cuda/prediction/pool_rows.cuh"

namespace lvsa::cuda::prediction {

/// What the warps of a block of threads tell one another.
template <int kDim>
struct PoolShared {
  double sums[kPoolWarps][kDim];
  float unit_sums[kPoolWarps][kDim];
  std::uint32_t largest[kPoolWarps];
  std::uint32_t smallest[kPoolWarps];  ///< size other than 0, less 1
  bool special[kPoolWarps];  ///< a row may be 0, or kLikenessError is not proven for its length
  float squares[kPoolWarps];
  std::uint32_t most[kPoolWarps];
  std::uint32_t least[kPoolWarps];
};

/// A warp's sums in shared memory.
template <int kDim, int kRows, bool kLikeness>
__device__ __forceinline__ void share_sums(PoolLane& t, PoolShared<kDim>& shared, int warp,
                                           int lane) {
  using Layout = PoolLayout<kDim, kRows>;
#pragma unroll
  for (int j = 0; j < 8; ++j) {
#pragma unroll
    for (int step = Layout::kChunks; step < 32; step *= 2) {
      t.sums[j] = add(t.sums[j], __shfl_xor_sync(kAllLanes, t.sums[j], step));
      if (kLikeness) t.unit_sums[j] += __shfl_xor_sync(kAllLanes, t.unit_sums[j], step);
    }
  }
  if (lane < Layout::kChunks) {
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      shared.sums[warp][lane * 8 + j] = t.sums[j];
      if (kLikeness) shared.unit_sums[warp][lane * 8 + j] = t.unit_sums[j];
    }
  }
  const std::uint32_t largest = __reduce_max_sync(kAllLanes, larger_half(t.largest));
  const std::uint32_t smallest = __reduce_min_sync(kAllLanes, smaller_half(t.least));
  const bool special = __ballot_sync(kAllLanes, (kLikeness ? !t.sure : t.zeros) ? 1 : 0) != 0;
  if (lane == 0) {
    shared.largest[warp] = largest;
    shared.smallest[warp] = smallest;
    shared.special[warp] = special;
  }
}

/// Writes a warp's share of the columns' means, leaves in shared memory what they span and what
/// their rows of length 1 add up to. `first_warp` is the first of the block of rows.
template <typename Type, int kDim, int kRows, bool kLikeness>
__device__ __forceinline__ void write_means(PoolShared<kDim>& shared, const PoolBlock& b,
                                            int first_warp, int warp, int lane, const Span& span,
                                            float* means) {
  using Layout = PoolLayout<kDim, kRows>;
  const double size = static_cast<double>(Type::low(span.largest));
  // Sums of 16-bit numbers have few bits: one mean in a thousand lies halfway between two numbers
  // of the type, and no bound on what orders differ by says which way it goes.
  const bool exact = all_finite<Type>(span) && sum_is_exact<Type>(span, kRows);
  std::uint32_t most = 0;
  std::uint32_t least = 0xffffffffU;  // of those other than 0, less 1
  float square = 0.0F;
  for (int column = (warp - first_warp) * 32 + lane; column < kDim; column += Layout::kWarps * 32) {
    double sum = 0.0;
    float unit_sum = 0.0F;
#pragma unroll
    for (int i = 0; i < Layout::kWarps; ++i) {
      sum = add(sum, shared.sums[first_warp + i][column]);
      if (kLikeness) unit_sum += shared.unit_sums[first_warp + i][column];
    }
    sum = mul(sum, kUnscale);
    float mean = 0.0F;
    if (exact) {
      mean = mean_of<Type>(sum, b.count);
    } else if (!mean_is_certain<Type>(sum, size, b.count, &mean)) {
      mean = ordered_mean<Type>(b, column);
    }
    means[column] = mean;
    const std::uint32_t bits = __float_as_uint(mean) & 0x7fffffffU;
    most = max(most, bits);
    least = min(least, bits - 1);
    square = fmaf(unit_sum, unit_sum, square);
  }
  if constexpr (kLikeness) {
#pragma unroll
    for (int step = 1; step < 32; step *= 2) square += __shfl_xor_sync(kAllLanes, square, step);
  }
  most = __reduce_max_sync(kAllLanes, most);
  least = __reduce_min_sync(kAllLanes, least);
  if (lane == 0) {
    shared.squares[warp] = square;
    shared.most[warp] = most;
    shared.least[warp] = least;
  }
}

/// Whether a block is alike, by the first of its warps.
template <typename Type, int kDim, int kRows, bool kLikeness>
__device__ __forceinline__ void write_likeness(const PoolWork& w, const PoolBlock& b,
                                               const HeadPart& at, float likeness, bool special,
                                               PoolOrdered<kDim, kRows>& ordered) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const std::int64_t first_head = std::int64_t{at.head} * w.heads_per_x;
  const bool counts = b.count == kRows || !w.partial_kept;
  if constexpr (kLikeness) {
    bool unsure = special;
    for (int g = 0; g < w.heads_per_x; ++g) {
      unsure = unsure || !(fabsf(likeness - w.numbers[first_head + g].least) > kLikenessError);
    }
    if (unsure && counts) likeness = ordered_likeness<Type>(ordered, b);
  } else if (special && has_zero_row<Type, kDim, kRows>(b)) {
    likeness = __int_as_float(0x7fc00000);
  }
  const std::int64_t batch = at.batch;
  for (int g = lane; g < w.heads_per_x; g += 32) {
    const std::int64_t head = batch * w.heads * w.heads_per_x + first_head + g;
    const bool alike = counts && likeness > w.numbers[first_head + g].least;
    w.alike[head * w.blocks + at.part] = alike ? 1 : 0;
  }
}

/// Without kLikeness all thresholds of likeness are below 0: a block then is alike unless a row of
/// it is 0, whose direction is NaN.
template <typename Type, int kDim, int kRows, bool kLikeness>
__global__ void __launch_bounds__(kPoolThreads)
    pool_blocks_kernel(const __grid_constant__ PoolWork w) {
  using Layout = PoolLayout<kDim, kRows>;
  __shared__ PoolShared<kDim> shared;
  __shared__ PoolOrdered<kDim, kRows> ordered[kLikeness ? Layout::kBlocks : 1];
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int block = warp / Layout::kWarps;  // of rows
  const int first_warp = block * Layout::kWarps;
  const unsigned index = blockIdx.x * Layout::kBlocks + block;
  const bool there = index < w.batch_heads * w.blocks;
  HeadPart at = head_part(there ? index : 0, w.heads, w.blocks);
  if (w.backwards) at.part = w.blocks - 1 - at.part;
  PoolBlock b;
  b.rows = head_rows(w.x, at) + std::int64_t{at.part} * kRows * w.x.strides[1];
  b.stride = w.x.strides[1];
  b.count = min(kRows, w.tokens - at.part * kRows);
  b.centre = w.centre == nullptr ? nullptr : w.centre + at.bh * kDim;

  const int column = lane % Layout::kChunks * 8;
  const int begin = (warp - first_warp) * kPoolWarpRows + lane / Layout::kChunks;
  float middle[8];
#pragma unroll
  for (int j = 0; j < 8; ++j) middle[j] = b.centre != nullptr ? b.centre[column + j] : 0.0F;
  PoolLane t;
  if (b.count != kRows) {  // the last one
    add_warp_rows<Type, kDim, kRows, kLikeness, true, false>(t, b, begin, column, middle);
  } else if (b.centre != nullptr) {
    add_warp_rows<Type, kDim, kRows, kLikeness, true, true>(t, b, begin, column, middle);
  } else {
    add_warp_rows<Type, kDim, kRows, kLikeness, false, true>(t, b, begin, column, middle);
  }
  share_sums<kDim, kRows, kLikeness>(t, shared, warp, lane);
  __syncthreads();

  Span span;
  std::uint32_t smallest = 0xffffU;
  bool special = false;
  for (int i = 0; i < Layout::kWarps; ++i) {
    span.largest = max(span.largest, shared.largest[first_warp + i]);
    smallest = min(smallest, shared.smallest[first_warp + i]);
    special = special || shared.special[first_warp + i];
  }
  span.flipped = flipped_of_least(smallest) & 0xffffU;
  const std::int64_t row = at.bh * w.blocks + at.part;
  if (there) {
    write_means<Type, kDim, kRows, kLikeness>(shared, b, first_warp, warp, lane, span,
                                              w.means + row * kDim);
  }
  __syncthreads();
  if (!there || warp != first_warp) return;

  std::uint32_t most = 0;
  std::uint32_t least = 0xffffffffU;
  float square = 0.0F;
  for (int i = first_warp; i < first_warp + Layout::kWarps; ++i) {
    most = max(most, shared.most[i]);
    least = min(least, shared.least[i]);
    square += shared.squares[i];
  }
  if (lane == 0) {
    if (!all_finite<Type>(span)) w.faults[at.bh] = 1;
    w.spans[row] = mean_span<Type>(most, least);
  }
  write_likeness<Type, kDim, kRows, kLikeness>(w, b, at,
                                               square / static_cast<float>(b.count * b.count),
                                               special, ordered[kLikeness ? block : 0]);
}

}  // namespace lvsa::cuda::prediction
