#pragma once
// Products of pooled q and k. core/sparse has them in fp64 as eight interleaved sums that are added
// up in order; a product of two 16-bit numbers is exact there. Here matrix instructions add them up
// in another order, which almost never shows in fp32; where it could, a lane takes the rule's
// order.

#include "cuda/prediction/device_rows.cuh"
#include "cuda/prediction/matrix.cuh"

namespace lvsa::cuda::prediction {

inline constexpr int kScoreWarps = 1;
inline constexpr int kScoreThreads = 32 * kScoreWarps;
inline constexpr int kScoreTile = 32;  ///< rows and columns of a warp
inline constexpr int kScoreParts = kScoreTile / 8;

/// A row of means, as a matrix instruction's lane reads it: four elements of each 16.
template <int kDim>
class ScoreRows {
 public:
  /// Rows `first` + 8 i of `rows`; past the end the last one.
  __device__ __forceinline__ ScoreRows(const float* means, int first, int rows, int lane) {
#pragma unroll
    for (int i = 0; i < kScoreParts; ++i) {
      rows_[i] = means + std::int64_t{min(first + 8 * i + lane / 4, rows - 1)} * kDim;
    }
    part_ = lane % 4 * 4;
  }
  __device__ __forceinline__ void load(int step) {
#pragma unroll
    for (int i = 0; i < kScoreParts; ++i) {
      const float4 x = *reinterpret_cast<const float4*>(rows_[i] + step * 16 + part_);
      values_[i][0] = x.x;
      values_[i][1] = x.y;
      values_[i][2] = x.z;
      values_[i][3] = x.w;
    }
  }
  __device__ __forceinline__ double value(int i, int e) const {
    return static_cast<double>(values_[i][e]);
  }

 private:
  const float* rows_[kScoreParts];
  float values_[kScoreParts][4];
  int part_;
};

/// As core/sparse adds up.
template <int kDim>
__device__ __noinline__ double ordered_product(const float* q, const float* k) {
  double sums[8] = {0, 0, 0, 0, 0, 0, 0, 0};
#pragma unroll 2
  for (int first = 0; first < kDim; first += 8) {
#pragma unroll
    for (int part = 0; part < 8; ++part) {
      sums[part] = fused(static_cast<double>(q[first + part]), static_cast<double>(k[first + part]),
                         sums[part]);
    }
  }
  double sum = 0.0;
#pragma unroll
  for (int part = 0; part < 8; ++part) sum = add(sum, sums[part]);
  return sum;
}

template <typename Type, int kDim>
__global__ void __launch_bounds__(kScoreThreads)
    score_blocks_kernel(const __grid_constant__ ScoreWork w) {
  static_assert(kScoreParts == 4 && kDim % 16 == 0);
  const int column_tiles = (w.column_blocks + kScoreTile - 1) / kScoreTile;
  const int row_tiles = (w.row_blocks + kScoreTile - 1) / kScoreTile;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const std::int64_t tile = std::int64_t{blockIdx.x} * kScoreWarps + threadIdx.x / 32;
  if (tile >= w.batch_heads * row_tiles * column_tiles) return;
  const int first_column = static_cast<int>(tile % column_tiles) * kScoreTile;
  const int first_row = static_cast<int>(tile / column_tiles % row_tiles) * kScoreTile;
  const std::int64_t head = tile / column_tiles / row_tiles;  // b * heads + h
  const std::int64_t kv_head =
      head / w.heads * (w.heads / w.heads_per_kv) + head % w.heads / w.heads_per_kv;
  const float* const q_means = w.q_means + head * w.row_blocks * kDim;
  const float* const k_means = w.k_means + kv_head * w.column_blocks * kDim;

  ScoreRows<kDim> q(q_means, first_row, w.row_blocks, lane);
  ScoreRows<kDim> k(k_means, first_column, w.column_blocks, lane);
  double sums[kScoreParts][kScoreParts][2];
#pragma unroll
  for (int i = 0; i < kScoreParts; ++i) {
#pragma unroll
    for (int j = 0; j < kScoreParts; ++j) sums[i][j][0] = sums[i][j][1] = 0.0;
  }
#pragma unroll 1  // two at a time take so many registers that they are slower
  for (int step = 0; step < kDim / 16; ++step) {
    q.load(step);
    k.load(step);
#pragma unroll
    for (int e = 0; e < 4; ++e) {
#pragma unroll
      for (int i = 0; i < kScoreParts; ++i) {
#pragma unroll
        for (int j = 0; j < kScoreParts; ++j) {
          multiply_add_8x8x4(sums[i][j], q.value(i, e), k.value(j, e));
        }
      }
    }
  }

  MeanSpan q_spans[kScoreParts];
#pragma unroll
  for (int i = 0; i < kScoreParts; ++i) {
    const int row = min(first_row + 8 * i + lane / 4, w.row_blocks - 1);
    q_spans[i] = w.q_spans[head * w.row_blocks + row];
  }
#pragma unroll
  for (int j = 0; j < kScoreParts; ++j) {
#pragma unroll
    for (int e = 0; e < 2; ++e) {
      const int column = first_column + 8 * j + lane % 4 * 2 + e;
      if (column >= w.column_blocks) continue;
      const MeanSpan k_span = w.k_spans[kv_head * w.column_blocks + column];
      const bool alike = w.k_alike[head * w.column_blocks + column] != 0;
#pragma unroll
      for (int i = 0; i < kScoreParts; ++i) {
        const int row = first_row + 8 * i + lane / 4;
        if (row >= w.row_blocks) continue;
        float product = to_float(sums[i][j][e]);
        if (!products_are_exact(q_spans[i], k_span)) {
          const double largest =
              mul(static_cast<double>(q_spans[i].largest), static_cast<double>(k_span.largest));
          if (!sum_is_certain(sums[i][j][e], largest, kDim, &product)) {
            product = to_float(ordered_product<kDim>(q_means + std::int64_t{row} * kDim,
                                                     k_means + std::int64_t{column} * kDim));
          }
        }
        float score = mul(product, w.scale);
        if (w.round_p) score = rounded<Type>(score);
        if (!alike) score = __int_as_float(0xff800000);
        w.scores[(head * w.row_blocks + row) * w.column_blocks + column] = score;
      }
    }
  }
}

}  // namespace lvsa::cuda::prediction
