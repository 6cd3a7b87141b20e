// Rows that are computed again, in fp32 without matrix instructions, pair by pair: keys that a mask
// or a block's end leaves out are not touched, whatever lies there. Of a marked row block those
// whose output is not finite; the others keep their bits, which thus do not depend on their mates.
// Where the mark is kAllRows, all rows.
//
// A thread block looks at the marks of its share of row blocks and goes when there are none. Each
// warp owns every eighth row of a row block from its scores to its output; only the decisions of
// the online skip need the others.

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstring>

#include "cuda/attention/blocks/row_block.cuh"

namespace lvsa::cuda::portable_blocks {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kGroups = kMostBlock / 32;     // keys of a block that a lane takes
constexpr int kColumns = kMostHeadDim / 32;  // elements of an output row that a lane takes
// Of a row: output, maximum, sum, maximum of skipped blocks too, whether it is due.
constexpr int kRowFloats = kMostHeadDim + 4;

__device__ float as_float(__nv_bfloat16 x) { return __bfloat162float(x); }
__device__ float as_float(__half x) { return __half2float(x); }
__device__ void round_to(float x, __nv_bfloat16* to) { *to = __float2bfloat16_rn(x); }
__device__ void round_to(float x, __half* to) { *to = __float2half_rn(x); }

__device__ float warp_max(float x) {
  for (int step = 16; step > 0; step /= 2) x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, step));
  return x;
}
__device__ float warp_sum(float x) {
  for (int step = 16; step > 0; step /= 2) x += __shfl_xor_sync(0xffffffffu, x, step);
  return x;
}

/// Sum of products of two rows, 16 bytes at a time.
template <typename Element>
__device__ float dot(const Element* a, const Element* b, int size) {
  float sum = 0.0F;
  for (int d = 0; d < size; d += 8) {
    const uint4 left = *reinterpret_cast<const uint4*>(a + d);
    const uint4 right = *reinterpret_cast<const uint4*>(b + d);
    Element x[8];
    Element y[8];
    memcpy(x, &left, sizeof left);
    memcpy(y, &right, sizeof right);
#pragma unroll
    for (int i = 0; i < 8; ++i) sum = fmaf(as_float(x[i]), as_float(y[i]), sum);
  }
  return sum;
}

/// Scores of one row and this lane's keys of a block: key i * 32 + lane.
struct LaneScores {
  float score[kGroups];
  bool attended[kGroups];
};

template <typename Element>
struct MarkedBlock {
  const Parameters& p;
  const RowBlock& rows;
  const Element* q;
  const Element* k;
  const Element* v;
  float* memory;  // [rows][kRowFloats]

  __device__ MarkedBlock(const Parameters& parameters, const RowBlock& of, float* shared)
      : p(parameters),
        rows(of),
        q(static_cast<const Element*>(p.q) + of.batch * p.q_strides.batch +
          of.head * p.q_strides.head),
        k(static_cast<const Element*>(p.k) + of.batch * p.k_strides.batch +
          of.kv_head * p.k_strides.head),
        v(static_cast<const Element*>(p.v) + of.batch * p.v_strides.batch +
          of.kv_head * p.v_strides.head),
        memory(shared) {}

  __device__ float* out(int row) const { return memory + row * kRowFloats; }
  __device__ float& most(int row) const { return out(row)[kMostHeadDim]; }
  __device__ float& sum(int row) const { return out(row)[kMostHeadDim + 1]; }
  __device__ float& seen(int row) const { return out(row)[kMostHeadDim + 2]; }

  __device__ float& due(int row) const { return out(row)[kMostHeadDim + 3]; }

  __device__ std::int64_t output_at(int row) const {
    const std::int64_t token = rows.token(rows.place + row);
    return rows.batch * p.out_strides.batch + token * p.out_strides.token +
           rows.head * p.out_strides.head;
  }

  /// Whether something that is not finite stands in the row's output.
  __device__ bool is_spoilt(int row, int lane) const {
    const std::int64_t at = output_at(row);
    bool spoilt = false;
    for (int d = lane; d < p.head_dim; d += 32) {
      const float value = p.out_is_f32 ? static_cast<const float*>(p.out)[at + d]
                                       : as_float(static_cast<const Element*>(p.out)[at + d]);
      spoilt = spoilt || !isfinite(value);
    }
    return __ballot_sync(0xffffffffu, static_cast<int>(spoilt)) != 0;
  }

  /// Returns the largest score of all lanes.
  __device__ float make_scores(const KeyBlock& block, int row, int lane, LaneScores& made) const {
    const Element* const query =
        q + rows.token(rows.place + row) * static_cast<std::int64_t>(p.q_strides.token);
    float top = -INFINITY;
#pragma unroll
    for (int i = 0; i < kGroups; ++i) {
      const int key = i * 32 + lane;
      made.score[i] = -INFINITY;
      made.attended[i] =
          key < block.keys && (attended_keys(p.maps, block, row, key / 64) >> (key % 64) & 1u) != 0;
      if (!made.attended[i]) continue;
      const Element* const other =
          k + rows.token(block.place + key) * static_cast<std::int64_t>(p.k_strides.token);
      made.score[i] = dot(query, other, p.head_dim) * p.scale_log2;
      top = fmaxf(top, made.score[i]);
    }
    return warp_max(top);
  }

  /// Whether a row of this warp gains enough for the block to count.
  __device__ bool gains(const KeyBlock& block, int warp, int lane) const {
    bool any = false;
    for (int row = warp; row < rows.rows; row += kWarps) {
      LaneScores scores;
      const float top = make_scores(block, row, lane, scores);
      const float before = seen(row);
      __syncwarp();  // all have read it
      any = any || (top > -INFINITY && top - before + rows.threshold > 0.0F);
      if (lane == 0) seen(row) = fmaxf(before, top);
      __syncwarp();
    }
    return any;
  }

  __device__ void add(const KeyBlock& block, int row, int lane) const {
    LaneScores scores;
    const float top = make_scores(block, row, lane, scores);
    const float before = most(row);
    const float now = fmaxf(before, top);
    const float base = now == -INFINITY ? 0.0F : now;
    const float rescale = exp2f(before - base);
    float part[kColumns];
#pragma unroll
    for (int c = 0; c < kColumns; ++c) part[c] = out(row)[c * 32 + lane] * rescale;
    float weights = 0.0F;
#pragma unroll
    for (int i = 0; i < kGroups; ++i) {
      const float weight = scores.attended[i] ? exp2f(scores.score[i] - base) : 0.0F;
      weights += weight;
      for (unsigned left = __ballot_sync(0xffffffffu, scores.attended[i]); left != 0;
           left &= left - 1) {
        const int from = __ffs(static_cast<int>(left)) - 1;
        const float factor = __shfl_sync(0xffffffffu, weight, from);
        const Element* const value = v + rows.token(block.place + i * 32 + from) *
                                             static_cast<std::int64_t>(p.v_strides.token);
#pragma unroll
        for (int c = 0; c < kColumns; ++c) {
          const int d = c * 32 + lane;
          if (d < p.head_dim) part[c] = fmaf(factor, as_float(value[d]), part[c]);
        }
      }
    }
    weights = warp_sum(weights);
#pragma unroll
    for (int c = 0; c < kColumns; ++c) out(row)[c * 32 + lane] = part[c];
    const float total = sum(row) * rescale + weights;
    __syncwarp();  // all have read sum and maximum
    if (lane == 0) {
      most(row) = now;
      sum(row) = total;
    }
    __syncwarp();
  }

  __device__ void write(int row, int lane) const {
    const std::int64_t at = output_at(row);
    const float total = sum(row);
    for (int d = lane; d < p.head_dim; d += 32) {
      const float value = total == 0.0F ? 0.0F : out(row)[d] / total;
      if (p.out_is_f32) {
        static_cast<float*>(p.out)[at + d] = value;
      } else {
        round_to(value, static_cast<Element*>(p.out) + at + d);
      }
    }
    if (p.lse != nullptr && lane == 0) {
      constexpr float kLn2 = 0.693147180559945309F;
      const std::int64_t token = rows.token(rows.place + row);
      p.lse[rows.batch * p.lse_strides.batch + token * p.lse_strides.token +
            rows.head * p.lse_strides.head] =
          total == 0.0F ? -INFINITY : fmaf(most(row), kLn2, logf(total));
    }
  }

  __device__ void attend(bool all_rows) const {
    const int warp = static_cast<int>(threadIdx.x) / 32;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    for (int row = warp; row < rows.rows; row += kWarps) {
      const bool spoilt = is_spoilt(row, lane) || all_rows;
      for (int d = lane; d < kRowFloats; d += 32) {
        out(row)[d] = d == kMostHeadDim || d == kMostHeadDim + 2 ? -INFINITY : 0.0F;
      }
      __syncwarp();
      if (lane == 0) due(row) = spoilt ? 1.0F : 0.0F;
    }
    __syncwarp();
    const bool skips = isfinite(rows.threshold);
    for (int entry = 0; entry < rows.entries; ++entry) {
      const KeyBlock block(p.maps, rows, entry);
      const bool free = skips && entry + 1 < rows.entries;
      if (free && !__syncthreads_or(static_cast<int>(gains(block, warp, lane)))) continue;
      for (int row = warp; row < rows.rows; row += kWarps) {
        if (due(row) != 0.0F) add(block, row, lane);
      }
    }
    for (int row = warp; row < rows.rows; row += kWarps) {
      if (due(row) != 0.0F) write(row, lane);
    }
    __syncwarp();  // all have read their sums, which the next row block begins anew
  }
};

template <typename Element>
__global__ void __launch_bounds__(kThreads)
    attend_marked_kernel(const __grid_constant__ Parameters p, const std::int32_t* marks,
                         std::int64_t items) {
  extern __shared__ float memory[];
  __shared__ int marked[kThreads];
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
  for (std::int64_t base = blockIdx.x; base < items; base += step) {
    const std::int64_t own = base + static_cast<std::int64_t>(threadIdx.x) * gridDim.x;
    marked[threadIdx.x] = own < items ? marks[own] : 0;
    if (__syncthreads_or(marked[threadIdx.x])) {
      for (int i = 0; i < kThreads; ++i) {
        if (marked[i] == 0) continue;
        const RowBlock rows = find_row_block(p, base + static_cast<std::int64_t>(i) * gridDim.x);
        MarkedBlock<Element>(p, rows, memory).attend(marked[i] == blocks::kAllRows);
      }
    }
    __syncthreads();  // all have read the marks
  }
}

template <typename Element>
cudaError_t launch(const Parameters& p, const std::int32_t* marks, int thread_blocks,
                   cudaStream_t stream) {
  const int bytes = p.maps.block_rows * kRowFloats * static_cast<int>(sizeof(float));
  const auto kernel = attend_marked_kernel<Element>;
  const cudaError_t status =
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
  if (status != cudaSuccess) return status;
  kernel<<<static_cast<unsigned>(thread_blocks), kThreads, static_cast<std::size_t>(bytes),
           stream>>>(p, marks, row_block_count(p));
  return cudaGetLastError();
}

}  // namespace

cudaError_t attend_marked_bf16(const Parameters& p, const std::int32_t* marks, int thread_blocks,
                               cudaStream_t stream) {
  return launch<__nv_bfloat16>(p, marks, thread_blocks, stream);
}

cudaError_t attend_marked_f16(const Parameters& p, const std::int32_t* marks, int thread_blocks,
                              cudaStream_t stream) {
  return launch<__half>(p, marks, thread_blocks, stream);
}

}  // namespace lvsa::cuda::portable_blocks
