#pragma once
// The mean of all k of a head. Most tensors span so few binades that their sum is exact in fp64,
// and of others most sums give the same mean in any order; only the rest is added up in ascending
// order.

#include "cuda/prediction/device_rows.cuh"

namespace lvsa::cuda::prediction {

inline constexpr int kMeanThreads = 256;

/// What a thread has of its eight columns.
struct MeanLane {
  double sums[8] = {0, 0, 0, 0, 0, 0, 0, 0};  ///< scaled as widened() does
  std::uint32_t largest[4] = {0, 0, 0, 0};    ///< packed
  /// Packed, of sizes other than 0, less 1.
  std::uint32_t least[4] = {0xffffffffU, 0xffffffffU, 0xffffffffU, 0xffffffffU};
};

/// Tokens `first` + i * kGroups; past the last one, that one: without branches all loads are under
/// way at once.
template <int kGroups, bool kFull, int kAtOnce>
__device__ __forceinline__ void load_tokens(Chunk (&chunks)[kAtOnce], const std::uint16_t* rows,
                                            std::int64_t stride, int first, int tokens) {
#pragma unroll
  for (int i = 0; i < kAtOnce; ++i) {
    int token = first + i * kGroups;
    if (!kFull) token = min(token, tokens - 1);
    chunks[i] = load_chunk(rows + token * stride);
  }
}

/// Adds up every kGroups-th token of a part, the following ones being loaded meanwhile.
template <typename Type, int kGroups, bool kFull>
__device__ __forceinline__ void add_tokens(MeanLane& t, const std::uint16_t* rows,
                                           std::int64_t stride, int group, int tokens) {
  constexpr int kAtOnce = 4;
  constexpr int kStep = kGroups * kAtOnce;
  static_assert(kMeanTokens % kStep == 0);
  Chunk next[kAtOnce];
  load_tokens<kGroups, kFull>(next, rows, stride, group, tokens);
#pragma unroll
  for (int first = 0; first < kMeanTokens; first += kStep) {
    Chunk now[kAtOnce];
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      const bool there = kFull || first + group + i * kGroups < tokens;
#pragma unroll
      for (int p = 0; p < 4; ++p) now[i].words[p] = there ? next[i].words[p] : 0;
    }
    if (first + kStep < kMeanTokens) {
      load_tokens<kGroups, kFull>(next, rows, stride, first + kStep + group, tokens);
    }
#pragma unroll
    for (int p = 0; p < 4; ++p) {
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        const std::uint32_t word = now[i].words[p];
        t.least[p] = smaller_less_1(t.least[p], sizes(word));
        t.sums[2 * p] = add(t.sums[2 * p], widened_low<Type>(word));
        t.sums[2 * p + 1] = add(t.sums[2 * p + 1], widened_high<Type>(word));
        if (i % 2 == 1) {
          t.largest[p] = largest_halves(t.largest[p], sizes(now[i - 1].words[p]), sizes(word));
        }
      }
    }
  }
}

/// A block of threads adds up kMeanTokens tokens of a head: a thread has eight columns and every
/// kGroups-th token.
template <typename Type, int kDim>
__global__ void __launch_bounds__(kMeanThreads, 3)
    add_up_tokens_kernel(const __grid_constant__ MeanWork w) {
  constexpr int kChunks = kDim / 8;
  constexpr int kGroups = kMeanThreads / kChunks;
  __shared__ double sums_of[kGroups][kDim];
  __shared__ std::uint32_t largest_of[kGroups][kDim / 2];
  __shared__ std::uint32_t flipped_of[kGroups][kDim / 2];

  const HeadPart at = head_part(blockIdx.x, w.heads, w.parts);
  const std::int64_t written = at.bh * w.parts + at.part;
  const int thread = static_cast<int>(threadIdx.x);
  const int chunk = thread % kChunks;
  const int group = thread / kChunks;
  const int first = at.part * kMeanTokens;
  const int tokens = min(kMeanTokens, w.tokens - first);
  const std::uint16_t* rows = head_rows(w.x, at) + first * w.x.strides[1] + chunk * 8;
  MeanLane t;
  if (tokens == kMeanTokens) {
    add_tokens<Type, kGroups, true>(t, rows, w.x.strides[1], group, tokens);
  } else {
    add_tokens<Type, kGroups, false>(t, rows, w.x.strides[1], group, tokens);
  }
#pragma unroll
  for (int p = 0; p < 4; ++p) {
    sums_of[group][chunk * 8 + 2 * p] = t.sums[2 * p];
    sums_of[group][chunk * 8 + 2 * p + 1] = t.sums[2 * p + 1];
    largest_of[group][chunk * 4 + p] = t.largest[p];
    flipped_of[group][chunk * 4 + p] = flipped_of_least(t.least[p]);
  }
  __syncthreads();
  if (thread < kDim) {
    double sum = 0.0;
    for (int g = 0; g < kGroups; ++g) sum = add(sum, sums_of[g][thread]);
    w.sums[written * kDim + thread] = sum;
  }
  if (thread < kDim / 2) {
    std::uint32_t all_largest = 0;
    std::uint32_t all_flipped = 0;
    for (int g = 0; g < kGroups; ++g) {
      all_largest = larger_halves(all_largest, largest_of[g][thread]);
      all_flipped = larger_halves(all_flipped, flipped_of[g][thread]);
    }
    w.largest[written * (kDim / 2) + thread] = all_largest;
    w.flipped[written * (kDim / 2) + thread] = all_flipped;
  }
}

inline constexpr int kCentreGroups = 8;

/// A block of threads a head: kCentreGroups threads a column share the parts out among themselves.
template <typename Type, int kDim>
__global__ void __launch_bounds__(kDim* kCentreGroups)
    take_centre_kernel(const __grid_constant__ MeanWork w) {
  __shared__ double sums_of[kCentreGroups][kDim];
  __shared__ double sizes_of[kCentreGroups][kDim];
  __shared__ std::uint32_t largest_of[kCentreGroups][kDim];
  __shared__ std::uint32_t flipped_of[kCentreGroups][kDim];
  const std::int64_t bh = blockIdx.x;
  const int d = static_cast<int>(threadIdx.x) % kDim;
  const int group = static_cast<int>(threadIdx.x) / kDim;
  double sum = 0.0;
  double size = 0.0;
  std::uint32_t largest = 0;
  std::uint32_t flipped = 0;
#pragma unroll 4
  for (int part = group; part < w.parts; part += kCentreGroups) {
    const std::int64_t at = bh * w.parts + part;
    const double one = w.sums[at * kDim + d];
    sum = add(sum, one);
    size = add(size, fabs(one));
    largest = larger_halves(largest, w.largest[at * (kDim / 2) + d / 2]);
    flipped = larger_halves(flipped, w.flipped[at * (kDim / 2) + d / 2]);
  }
  sums_of[group][d] = sum;
  sizes_of[group][d] = size;
  largest_of[group][d] = largest;
  flipped_of[group][d] = flipped;
  __syncthreads();
  if (group != 0) return;
  for (int g = 1; g < kCentreGroups; ++g) {
    sum = add(sum, sums_of[g][d]);
    size = add(size, sizes_of[g][d]);
    largest = larger_halves(largest, largest_of[g][d]);
    flipped = larger_halves(flipped, flipped_of[g][d]);
  }
  Span span;
  span.largest = d % 2 == 0 ? largest & 0xffffU : largest >> 16;
  span.flipped = d % 2 == 0 ? flipped & 0xffffU : flipped >> 16;
  if (!all_finite<Type>(span)) w.faults[bh] = 1;
  sum = mul(sum, kUnscale);
  float mean = 0.0F;
  if (sum_of_parts_is_exact<Type>(span, kMeanTokens, mul(size, kUnscale))) {
    mean = mean_of<Type>(sum, w.tokens);
  } else if (!mean_is_certain<Type>(sum, static_cast<double>(Type::low(span.largest)), w.tokens,
                                    &mean)) {
    const std::uint16_t* column = head_rows(w.x, w.heads, bh) + d;
    sum = 0.0;
#pragma unroll 16
    for (int s = 0; s < w.tokens; ++s) {
      sum = add(sum, static_cast<double>(Type::low(column[s * w.x.strides[1]])));
    }
    mean = mean_of<Type>(sum, w.tokens);
  }
  w.centre[bh * kDim + d] = mean;
}

}  // namespace lvsa::cuda::prediction
