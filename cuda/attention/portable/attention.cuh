#pragma once
// Attention of one query tile over a list of key frames, on mma.sync and cp.async.
//
// A block serves up to 128 query rows of one frame (or of the text) and one head. It walks the key
// tiles: those of each attended frame, then those of the text. The values of a tile are copied to
// shared memory while its scores are made, the next keys while the values are used. Every warp owns
// its 16 or 32 query rows from the scores to the output, so nothing but the copies needs the
// block's other warps; with 32 rows each fragment of K and V that is loaded serves twice, which is
// what makes shared memory keep up with the matrix units. The softmax is the usual running one: a
// row maximum, a row sum of the unrounded exponentials, and outputs rescaled when the maximum
// grows.
//
// Tiles start and end with their frame, so no key of another frame is ever read; keys past the
// frame's end are zero in shared memory and -inf as scores. Head sizes below the padded kDim are
// zero-filled the same way, and steps over them skipped.

#include <cmath>
#include <cstdint>

#include "cuda/attention/portable/mma.cuh"
#include "cuda/attention/portable/parameters.hpp"
#include "cuda/attention/portable/work.cuh"

namespace lvsa::cuda::portable {

/// Scores of a warp's rows and one key tile; then the unnormalised probabilities.
template <int kDim>
using Scores = float[Shape<kDim>::kFragments][Shape<kDim>::kKeys / 8][4];

/// What a warp carries from tile to tile. Of each 16 rows a thread holds parts of rows lane / 4 and
/// lane / 4 + 8.
template <int kDim>
struct Rows {
  static constexpr int kFragments = Shape<kDim>::kFragments;
  float out[kFragments][kDim / 8][4];
  float most[kFragments][2];  // running maximum, in units of log2
  float sum[kFragments][2];   // this thread's part of the denominator

  __device__ Rows() {
#pragma unroll
    for (int m = 0; m < kFragments; ++m) {
      most[m][0] = most[m][1] = -INFINITY;
      sum[m][0] = sum[m][1] = 0.0F;
#pragma unroll
      for (int i = 0; i < kDim / 8 * 4; ++i) out[m][i / 4][i % 4] = 0.0F;
    }
  }
};

/// scores = Q K^T for the warp's rows.
template <typename Element, int kDim>
__device__ void multiply_keys(Scores<kDim>& scores, const Element* q, const Element* k,
                              int head_dim) {
  using S = Shape<kDim>;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const Element* q_row = q + (lane % 16) * S::kRow + lane / 16 * 8;
  const Element* k_row = k + (lane % 8 + lane / 16 * 8) * S::kRow + lane / 8 % 2 * 8;
#pragma unroll
  for (int d = 0; d < kDim; d += 16) {
    if (d >= head_dim) break;
    std::uint32_t a[S::kFragments][4];
#pragma unroll
    for (int m = 0; m < S::kFragments; ++m) load_matrices(a[m], q_row + m * 16 * S::kRow + d);
#pragma unroll
    for (int j = 0; j < S::kKeys; j += 16) {
      std::uint32_t b[4];
      load_matrices(b, k_row + j * S::kRow + d);
#pragma unroll
      for (int m = 0; m < S::kFragments; ++m) {
        multiply_add<Element>(scores[m][j / 8], a[m], b[0], b[1]);
        multiply_add<Element>(scores[m][j / 8 + 1], a[m], b[2], b[3]);
      }
    }
  }
}

/// Largest value of the four lanes that share a row.
__device__ inline float quad_max(float x) {
  x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 1));
  return fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 2));
}

__device__ inline float quad_sum(float x) {
  x += __shfl_xor_sync(0xffffffffu, x, 1);
  return x + __shfl_xor_sync(0xffffffffu, x, 2);
}

/// Scales the scores; those past the last key become -inf. kMasked: there may be such.
template <int kDim, bool kMasked>
__device__ void scale_scores(Scores<kDim>& scores, int keys, float scale_log2) {
  const int column = static_cast<int>(threadIdx.x) % 4 * 2;
#pragma unroll
  for (int m = 0; m < Shape<kDim>::kFragments; ++m) {
#pragma unroll
    for (int j = 0; j < Shape<kDim>::kKeys / 8; ++j) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const bool inside = !kMasked || j * 8 + column + i % 2 < keys;
        scores[m][j][i] = inside ? scores[m][j][i] * scale_log2 : -INFINITY;
      }
    }
  }
}

/// Scaled scores to unnormalised probabilities; rescales what was summed under a smaller maximum.
template <int kDim>
__device__ void softmax_step(Rows<kDim>& rows, Scores<kDim>& scores) {
  constexpr int kTiles = Shape<kDim>::kKeys / 8;
#pragma unroll
  for (int m = 0; m < Shape<kDim>::kFragments; ++m) {
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float most = rows.most[m][r];
#pragma unroll
      for (int j = 0; j < kTiles; ++j) {
        most = fmaxf(most, fmaxf(scores[m][j][2 * r], scores[m][j][2 * r + 1]));
      }
      most = quad_max(most);
      // With all scores at -inf, -inf - -inf would be no number; the exponentials are then 0.
      const float base = most == -INFINITY ? 0.0F : most;
      const float rescale = exp2_fast(rows.most[m][r] - base);
      rows.most[m][r] = most;
      rows.sum[m][r] *= rescale;
#pragma unroll
      for (int d = 0; d < kDim / 8; ++d) {
        rows.out[m][d][2 * r] *= rescale;
        rows.out[m][d][2 * r + 1] *= rescale;
      }
#pragma unroll
      for (int j = 0; j < kTiles; ++j) {
        scores[m][j][2 * r] = exp2_fast(scores[m][j][2 * r] - base);
        scores[m][j][2 * r + 1] = exp2_fast(scores[m][j][2 * r + 1] - base);
        rows.sum[m][r] += scores[m][j][2 * r] + scores[m][j][2 * r + 1];
      }
    }
  }
}

/// out += P V, P rounded to the type of V.
template <typename Element, int kDim>
__device__ void multiply_values(Rows<kDim>& rows, const Scores<kDim>& scores, const Element* v,
                                int head_dim) {
  using S = Shape<kDim>;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const Element* v_row = v + (lane % 16) * S::kRow + lane / 16 * 8;
#pragma unroll
  for (int j = 0; j < S::kKeys; j += 16) {
    std::uint32_t a[S::kFragments][4];
#pragma unroll
    for (int m = 0; m < S::kFragments; ++m) {
      const float(&low)[4] = scores[m][j / 8];
      const float(&high)[4] = scores[m][j / 8 + 1];
      a[m][0] = pack<Element>(low[0], low[1]);
      a[m][1] = pack<Element>(low[2], low[3]);
      a[m][2] = pack<Element>(high[0], high[1]);
      a[m][3] = pack<Element>(high[2], high[3]);
    }
#pragma unroll
    for (int d = 0; d < kDim; d += 16) {
      if (d >= head_dim) break;
      std::uint32_t b[4];
      load_matrices_transposed(b, v_row + j * S::kRow + d);
#pragma unroll
      for (int m = 0; m < S::kFragments; ++m) {
        multiply_add<Element>(rows.out[m][d / 8], a[m], b[0], b[1]);
        multiply_add<Element>(rows.out[m][d / 8 + 1], a[m], b[2], b[3]);
      }
    }
  }
}

/// One row of the output: `values` are this thread's elements, `half` says which row they are of.
template <typename Element, int kDim>
__device__ void write_row(const Parameters& p, const Item& item, int row,
                          const float (&values)[kDim / 8][4], int half, float most, float sum) {
  if (row >= item.rows) return;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const std::int64_t token = item.token + row;
  const float factor = sum == 0.0F ? 0.0F : 1.0F / sum;  // no keys: output 0
  const std::int64_t at = item.batch * p.out_strides.batch + token * p.out_strides.token +
                          item.head * p.out_strides.head + lane % 4 * 2;
#pragma unroll
  for (int d = 0; d < kDim; d += 8) {
    if (d >= p.head_dim) break;
    const float low = values[d / 8][2 * half] * factor;
    const float high = values[d / 8][2 * half + 1] * factor;
    if (p.out_is_f32) {
      *reinterpret_cast<float2*>(static_cast<float*>(p.out) + at + d) = {low, high};
    } else {
      *reinterpret_cast<std::uint32_t*>(static_cast<Element*>(p.out) + at + d) =
          pack<Element>(low, high);
    }
  }
  if (p.lse != nullptr && lane % 4 == 0) {
    constexpr float kLn2 = 0.693147180559945309F;
    p.lse[item.batch * p.lse_strides.batch + token * p.lse_strides.token +
          item.head * p.lse_strides.head] = sum == 0.0F ? -INFINITY : fmaf(most, kLn2, logf(sum));
  }
}

template <typename Element, int kDim>
__global__ void __launch_bounds__(kThreads) attend_kernel(const __grid_constant__ Parameters p) {
  using S = Shape<kDim>;
  extern __shared__ __align__(16) unsigned char memory[];
  auto* const q_tile = reinterpret_cast<Element*>(memory);
  Element* const k_tile = q_tile + S::kQueryElements;
  Element* const v_tile = k_tile + S::kKeyElements;

  const Item item = find_item<S::kQueries>(p, blockIdx.x);
  const KeyTiles<S::kKeys> tiles(p, item);
  const int kv_head = item.head / (p.heads / p.kv_heads);
  const auto* q = static_cast<const Element*>(p.q) + item.batch * p.q_strides.batch +
                  item.head * p.q_strides.head + item.token * p.q_strides.token;
  const auto* k = static_cast<const Element*>(p.k) + item.batch * p.k_strides.batch +
                  kv_head * p.k_strides.head;
  const auto* v = static_cast<const Element*>(p.v) + item.batch * p.v_strides.batch +
                  kv_head * p.v_strides.head;
  const auto copy_keys = [&](int tile) {
    copy_tile<Element, kDim, S::kKeys>(k_tile, k + tiles.token(tile) * p.k_strides.token,
                                       p.k_strides.token, tiles.keys(tile), p.head_dim);
    commit_copies();
  };
  const auto copy_values = [&](int tile) {
    copy_tile<Element, kDim, S::kKeys>(v_tile, v + tiles.token(tile) * p.v_strides.token,
                                       p.v_strides.token, tiles.keys(tile), p.head_dim);
    commit_copies();
  };

  const int count = tiles.count();
  if (count > 0) {
    copy_tile<Element, kDim, S::kQueries>(q_tile, q, p.q_strides.token, item.rows, p.head_dim);
    copy_keys(0);
  }
  const int warp_row = static_cast<int>(threadIdx.x) / 32 * 16 * S::kFragments;
  Rows<kDim> rows;
  for (int tile = 0; tile < count; ++tile) {
    wait_copies<0>();
    __syncthreads();  // the keys are there, and nobody reads the last values any more
    copy_values(tile);
    Scores<kDim> scores = {};
    multiply_keys<Element, kDim>(scores, q_tile + warp_row * S::kRow, k_tile, p.head_dim);
    const int keys = tiles.keys(tile);
    if (keys == S::kKeys) {
      scale_scores<kDim, false>(scores, keys, p.scale_log2);
    } else {
      scale_scores<kDim, true>(scores, keys, p.scale_log2);
    }
    softmax_step<kDim>(rows, scores);
    wait_copies<0>();
    __syncthreads();  // the values are there, and nobody reads the keys any more
    if (tile + 1 < count) copy_keys(tile + 1);
    multiply_values<Element, kDim>(rows, scores, v_tile, p.head_dim);
  }
  const int row = warp_row + static_cast<int>(threadIdx.x) % 32 / 4;
#pragma unroll
  for (int m = 0; m < S::kFragments; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float sum = quad_sum(rows.sum[m][half]);
      write_row<Element, kDim>(p, item, row + m * 16 + half * 8, rows.out[m], half,
                               rows.most[m][half], sum);
    }
  }
}

template <typename Element, int kDim>
cudaError_t launch_padded(const Parameters& p, cudaStream_t stream) {
  constexpr int kBytes = Shape<kDim>::kBytes;
  const auto kernel = attend_kernel<Element, kDim>;
  const cudaError_t status =
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes);
  if (status != cudaSuccess) return status;
  kernel<<<static_cast<unsigned>(block_count(p)), kThreads, kBytes, stream>>>(p);
  return cudaGetLastError();
}

/// Three instances a type serve all head sizes.
template <typename Element>
cudaError_t launch(const Parameters& p, cudaStream_t stream) {
  if (p.head_dim <= 64) return launch_padded<Element, 64>(p, stream);
  if (p.head_dim <= 128) return launch_padded<Element, 128>(p, stream);
  return launch_padded<Element, 256>(p, stream);
}

}  // namespace lvsa::cuda::portable
