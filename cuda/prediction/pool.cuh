#pragma once
// Means of blocks of q or k, and whether their rows are alike. A block's rows stay in the registers
// of one block of threads, so that q and k are read once. What fp32 cannot decide for sure, and
// sums that are not exact, are computed again in the order of core/sparse.

#include "cuda/prediction/device_rows.cuh"

namespace lvsa::cuda::prediction {

/// 64 elements a thread: eight columns of every kGroups-th row.
template <int kDim, int kRows>
struct PoolLayout {
  static constexpr int kThreads = kRows * kDim / 64;
  static constexpr int kWarps = kThreads / 32;
  static constexpr int kChunks = kDim / 8;
  static constexpr int kGroups = kRows / 8;
};

template <int kDim, int kRows>
struct PoolShared {
  double sums[PoolLayout<kDim, kRows>::kWarps][kDim];
  double lengths[kRows];
  double directions[kDim];
  float unit_sums[PoolLayout<kDim, kRows>::kWarps][kDim];
  float squares[kDim / 32];
  std::uint32_t largest[PoolLayout<kDim, kRows>::kWarps];
  std::uint32_t flipped[PoolLayout<kDim, kRows>::kWarps];
  float likeness;
};

/// What a thread has of its rows.
struct PoolThread {
  Chunk chunks[8];
  double sums[8];
  float squares[8];  ///< squared lengths of its rows, of all columns after the exchange
  std::uint32_t largest;
  std::uint32_t flipped;
};

/// Loads, centres, adds up the columns.
template <typename Type, int kGroups>
__device__ __forceinline__ void take_rows(PoolThread& t, const std::uint16_t* rows,
                                          std::int64_t stride, int group, int count,
                                          const float* centre) {
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const int r = group + i * kGroups;
    t.chunks[i] = r < count ? load_chunk(rows + r * stride) : Chunk{{0, 0, 0, 0}};
    t.sums[i] = 0.0;
  }
  float middle[8];
#pragma unroll
  for (int j = 0; j < 8; ++j) middle[j] = centre != nullptr ? centre[j] : 0.0F;
  t.largest = 0;
  t.flipped = 0;
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    float square = 0.0F;
    const bool there = group + i * kGroups < count;
#pragma unroll
    for (int p = 0; p < 4; ++p) {
      std::uint32_t word = t.chunks[i].words[p];
      if (centre != nullptr && there) {
        word = centred<Type>(word, middle[2 * p], middle[2 * p + 1]);
        t.chunks[i].words[p] = word;
      }
      t.largest = larger_halves(t.largest, sizes(word));
      t.flipped = larger_halves(t.flipped, flipped_sizes(sizes(word)));
      const float low = Type::low(word);
      const float high = Type::high(word);
      t.sums[2 * p] = add(t.sums[2 * p], widened(low));
      t.sums[2 * p + 1] = add(t.sums[2 * p + 1], widened(high));
      square = fmaf(low, low, square);
      square = fmaf(high, high, square);
    }
    t.squares[i] = square;
  }
}

/// Sums of the warps in shared memory: columns, and columns of the rows of length 1. False when a
/// row's length is outside of what kLikenessError is proven for.
template <typename Type, int kDim, int kRows>
__device__ __forceinline__ bool share_sums(PoolThread& t, PoolShared<kDim, kRows>& shared,
                                           int group, int count) {
  using Layout = PoolLayout<kDim, kRows>;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  bool sure = true;
  float unit_sums[8] = {0, 0, 0, 0, 0, 0, 0, 0};
#pragma unroll
  for (int i = 0; i < 8; ++i) {
#pragma unroll
    for (int step = 1; step < Layout::kChunks; step *= 2) {
      t.squares[i] += __shfl_xor_sync(0xffffffffU, t.squares[i], step);
    }
    if (group + i * Layout::kGroups >= count) continue;
    sure = sure && t.squares[i] >= kLeastSquare && t.squares[i] <= kLargestSquare;
    const float inverse = near_inverse_root(t.squares[i]);
#pragma unroll
    for (int p = 0; p < 4; ++p) {
      const std::uint32_t word = t.chunks[i].words[p];
      unit_sums[2 * p] = fmaf(Type::low(word), inverse, unit_sums[2 * p]);
      unit_sums[2 * p + 1] = fmaf(Type::high(word), inverse, unit_sums[2 * p + 1]);
    }
  }
  t.largest = larger_half(t.largest);
  t.flipped = larger_half(t.flipped);
#pragma unroll
  for (int step = 1; step < 32; step *= 2) {
    t.largest = max(t.largest, __shfl_xor_sync(0xffffffffU, t.largest, step));
    t.flipped = max(t.flipped, __shfl_xor_sync(0xffffffffU, t.flipped, step));
  }
#pragma unroll
  for (int j = 0; j < 8; ++j) {
#pragma unroll
    for (int step = Layout::kChunks; step < 32; step *= 2) {
      t.sums[j] = add(t.sums[j], __shfl_xor_sync(0xffffffffU, t.sums[j], step));
      unit_sums[j] += __shfl_xor_sync(0xffffffffU, unit_sums[j], step);
    }
  }
  if (lane < Layout::kChunks) {
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      shared.sums[warp][lane * 8 + j] = t.sums[j];
      shared.unit_sums[warp][lane * 8 + j] = unit_sums[j];
    }
  }
  if (lane == 0) {
    shared.largest[warp] = t.largest;
    shared.flipped[warp] = t.flipped;
  }
  return sure;
}

/// Likeness in the order of core/sparse, for all threads; NaN where a row is 0.
template <typename Type, int kDim, int kRows>
__device__ __noinline__ float exact_likeness(PoolShared<kDim, kRows>& shared,
                                             const std::uint16_t* rows, std::int64_t stride,
                                             int count, const float* centre) {
  const int thread = static_cast<int>(threadIdx.x);
  bool zero = false;
  if (thread < count) {
    const std::uint16_t* row = rows + thread * stride;
    const double length =
        root(squared_length(kDim, [&](int d) { return element_of<Type>(row, d, centre); }));
    zero = length == 0.0;
    shared.lengths[thread] = length;
  }
  if (__syncthreads_or(zero ? 1 : 0) != 0) return __int_as_float(0x7fc00000);
  if (thread < kDim) {
    double direction = 0.0;
    for (int r = 0; r < count; ++r) {
      const float x = element_of<Type>(rows + r * stride, thread, centre);
      direction = add(direction, div(static_cast<double>(x), shared.lengths[r]));
    }
    shared.directions[thread] = direction;
  }
  __syncthreads();
  if (thread < 8) shared.lengths[thread] = interleaved_squares(shared.directions, kDim, thread);
  __syncthreads();
  double sum = 0.0;
  for (int lane = 0; lane < 8; ++lane) sum = add(sum, shared.lengths[lane]);
  const auto n = static_cast<double>(count);
  return to_float(div(sum, mul(n, n)));
}

/// One block of threads a block of rows.
template <typename Type, int kDim, int kRows>
__global__ void __launch_bounds__(kRows* kDim / 64)
    pool_blocks_kernel(const __grid_constant__ PoolWork w) {
  using Layout = PoolLayout<kDim, kRows>;
  __shared__ PoolShared<kDim, kRows> shared;
  const std::int64_t bh = blockIdx.x / w.blocks;
  const int block = static_cast<int>(blockIdx.x % w.blocks);
  const int thread = static_cast<int>(threadIdx.x);
  const int count = min(kRows, w.tokens - block * kRows);
  const int group = thread / Layout::kChunks;
  const int first_column = thread % Layout::kChunks * 8;
  const std::uint16_t* rows =
      head_rows(w.x, w.heads, bh) + std::int64_t{block} * kRows * w.x.strides[1];
  const float* centre = w.centre == nullptr ? nullptr : w.centre + bh * kDim;

  PoolThread t;
  take_rows<Type, Layout::kGroups>(t, rows + first_column, w.x.strides[1], group, count,
                                   centre == nullptr ? nullptr : centre + first_column);
  const bool sure = share_sums<Type>(t, shared, group, count);
  bool unsure = __syncthreads_or(sure ? 0 : 1) != 0;

  Span span;
  for (int i = 0; i < Layout::kWarps; ++i) {
    span.largest = max(span.largest, shared.largest[i]);
    span.flipped = max(span.flipped, shared.flipped[i]);
  }
  if (!all_finite<Type>(span) && thread == 0) w.faults[bh] = 1;
  float square = 0.0F;
  if (thread < kDim) {
    double sum = 0.0;
    if (sum_is_exact<Type>(span, count)) {
      for (int i = 0; i < Layout::kWarps; ++i) sum = add(sum, shared.sums[i][thread]);
      sum = mul(sum, kUnscale);
    } else {
      for (int r = 0; r < count; ++r) {
        const float x = element_of<Type>(rows + r * w.x.strides[1], thread, centre);
        sum = add(sum, static_cast<double>(x));
      }
    }
    w.means[(bh * w.blocks + block) * kDim + thread] = mean_of<Type>(sum, count);
    float unit_sum = 0.0F;
    for (int i = 0; i < Layout::kWarps; ++i) unit_sum += shared.unit_sums[i][thread];
    square = unit_sum * unit_sum;
  }
#pragma unroll
  for (int step = 1; step < 32; step *= 2) square += __shfl_xor_sync(0xffffffffU, square, step);
  if (thread % 32 == 0 && thread < kDim) shared.squares[thread / 32] = square;
  __syncthreads();

  float likeness = 0.0F;
  for (int i = 0; i < kDim / 32; ++i) likeness += shared.squares[i];
  likeness /= static_cast<float>(count * count);
  const std::int64_t first_head = bh % w.heads * w.heads_per_x;
  for (int g = 0; g < w.heads_per_x; ++g) {
    unsure = unsure || !(fabsf(likeness - w.numbers[first_head + g].least) > kLikenessError);
  }
  const bool counts = count == kRows || !w.partial_kept;
  if (unsure && counts) {
    likeness = exact_likeness<Type>(shared, rows, w.x.strides[1], count, centre);
  }
  const std::int64_t batch = bh / w.heads;
  for (int g = thread; g < w.heads_per_x; g += Layout::kThreads) {
    const std::int64_t head = batch * w.heads * w.heads_per_x + first_head + g;
    w.alike[head * w.blocks + block] = counts && likeness > w.numbers[first_head + g].least ? 1 : 0;
  }
}

}  // namespace lvsa::cuda::prediction
