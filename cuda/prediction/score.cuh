#pragma once
// Products of pooled q and k in fp64, each as eight interleaved sums that are added up in order, as
// core/sparse has them. A product of two 16-bit numbers is exact in fp64, so that a fused multiply
// and add gives the bits of the two operations.

#include "cuda/prediction/device_rows.cuh"

namespace lvsa::cuda::prediction {

inline constexpr int kScoreThreads = 256;
inline constexpr int kScoreTile = 32;  ///< rows and columns of a block of threads
/// A lane has one of the eight sums of 4 x 8 scores; four lanes of a kind make a warp's 8 x 16.
inline constexpr int kLaneRows = 4;
inline constexpr int kLaneColumns = 8;
inline constexpr int kLaneScores = kLaneRows * kLaneColumns;
inline constexpr int kScorePitch = 9;  ///< eight sums, and one place so that banks differ

template <int kDim>
struct ScoreShared {
  static constexpr int kPitch = kDim + 2;  // rows four apart start sixteen banks apart
  union {
    struct {
      double q[kScoreTile][kPitch];
      double k[kScoreTile][kPitch];
    } means;
    double sums[kScoreThreads / 32][kLaneScores * 4 * kScorePitch];
  };
};

template <int kDim>
__device__ __forceinline__ void load_means(double (*to)[ScoreShared<kDim>::kPitch],
                                           const float* means, int rows) {
  for (int i = static_cast<int>(threadIdx.x); i < kScoreTile * kDim; i += kScoreThreads) {
    const int r = i / kDim;
    to[r][i % kDim] = r < rows ? static_cast<double>(means[i]) : 0.0;
  }
}

template <typename Type, int kDim>
__global__ void __launch_bounds__(kScoreThreads)
    score_blocks_kernel(const __grid_constant__ ScoreWork w) {
  LVSA_DYNAMIC_SHARED(dynamic_shared);
  auto& shared = *reinterpret_cast<ScoreShared<kDim>*>(dynamic_shared);
  const int column_tiles = (w.column_blocks + kScoreTile - 1) / kScoreTile;
  const int row_tiles = (w.row_blocks + kScoreTile - 1) / kScoreTile;
  const int first_column = static_cast<int>(blockIdx.x % column_tiles) * kScoreTile;
  const int first_row = static_cast<int>(blockIdx.x / column_tiles % row_tiles) * kScoreTile;
  const std::int64_t head = blockIdx.x / column_tiles / row_tiles;  // b * heads + h
  const std::int64_t kv_head =
      head / w.heads * (w.heads / w.heads_per_kv) + head % w.heads / w.heads_per_kv;
  load_means<kDim>(shared.means.q, w.q_means + (head * w.row_blocks + first_row) * kDim,
                   w.row_blocks - first_row);
  load_means<kDim>(shared.means.k, w.k_means + (kv_head * w.column_blocks + first_column) * kDim,
                   w.column_blocks - first_column);
  __syncthreads();

  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int part = lane % 8;  // which of the eight sums
  const int kind = lane / 8;
  // Of the warp's 8 x 16 scores: rows 4 * (kind / 2) + i; columns 4 * (kind % 2) + j % 4 + j / 4
  // * 8.
  const int row_of_kind = warp / 2 * 8 + kind / 2 * 4;
  const int column_of_kind = warp % 2 * 16 + kind % 2 * 4;
  double sums[kLaneRows][kLaneColumns];
#pragma unroll
  for (int i = 0; i < kLaneRows; ++i) {
#pragma unroll
    for (int j = 0; j < kLaneColumns; ++j) sums[i][j] = 0.0;
  }
#pragma unroll 2
  for (int d = part; d < kDim; d += 8) {
    double q[kLaneRows];
#pragma unroll
    for (int i = 0; i < kLaneRows; ++i) q[i] = shared.means.q[row_of_kind + i][d];
#pragma unroll
    for (int j = 0; j < kLaneColumns; ++j) {
      const double k = shared.means.k[column_of_kind + j % 4 + j / 4 * 8][d];
#pragma unroll
      for (int i = 0; i < kLaneRows; ++i) sums[i][j] = fused(q[i], k, sums[i][j]);
    }
  }
  __syncthreads();  // the sums take the place of the means
  double* of_warp = shared.sums[warp];
#pragma unroll
  for (int i = 0; i < kLaneRows; ++i) {
#pragma unroll
    for (int j = 0; j < kLaneColumns; ++j) {
      of_warp[((i * kLaneColumns + j) * 4 + kind) * kScorePitch + part] = sums[i][j];
    }
  }
  __syncwarp();
#pragma unroll
  for (int turn = 0; turn < kLaneScores * 4 / 32; ++turn) {
    const int one = lane + turn * 32;
    double sum = 0.0;
#pragma unroll
    for (int p = 0; p < 8; ++p) sum = add(sum, of_warp[one * kScorePitch + p]);
    const int i = one / 4 / kLaneColumns;
    const int j = one / 4 % kLaneColumns;
    const int row = first_row + warp / 2 * 8 + one % 4 / 2 * 4 + i;
    const int column = first_column + warp % 2 * 16 + one % 2 * 4 + j % 4 + j / 4 * 8;
    if (row >= w.row_blocks || column >= w.column_blocks) continue;
    float score = mul(to_float(sum), w.scale);
    if (w.round_p) score = rounded<Type>(score);
    if (w.k_alike[head * w.column_blocks + column] == 0) score = __int_as_float(0xff800000);
    w.scores[(head * w.row_blocks + row) * w.column_blocks + column] = score;
  }
}

}  // namespace lvsa::cuda::prediction
