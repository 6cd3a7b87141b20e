#pragma once
// Online softmax of the two rows of a score tile that a thread holds.

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

#include "cuda/ptx/warpgroup.cuh"

namespace lvsa::cuda::hopper {

constexpr float kMinusInfinity = -__builtin_huge_valf();

__device__ __forceinline__ float quad_max(float x) {
  x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 1));
  return fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 2));
}

__device__ __forceinline__ float quad_sum(float x) {
  x += __shfl_xor_sync(0xffffffffu, x, 1);
  return x + __shfl_xor_sync(0xffffffffu, x, 2);
}

/// Keys past the end of a frame were loaded as zeros: they score -inf.
template <int kCount>
__device__ __forceinline__ void mask_columns(float (&s)[kCount], int keys, int lane) {
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    const int column = i / 4 * 8 + (lane & 3) * 2 + (i & 1);
    if (column >= keys) s[i] = kMinusInfinity;
  }
}

/// Masks the whole of row r (0 or 1 of this thread).
template <int kCount>
__device__ __forceinline__ void mask_row(float (&s)[kCount], int r) {
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    if ((i >> 1 & 1) == r) s[i] = kMinusInfinity;
  }
}

struct RowState {
  float max[2] = {kMinusInfinity, kMinusInfinity};  ///< of the unscaled scores, whole rows
  float sum[2] = {0.0f, 0.0f};  ///< of exp2(scale_log2 * (s - max)), this thread's columns
};

/// Turns scores into exp2(scale_log2 * (s - max)) and updates the state; `alpha` is what earlier
/// results of the two rows must be multiplied with. Those from kUsed on are masked, whatever they
/// hold: the result is the same bits, with less work.
template <int kUsed, int kCount>
__device__ __forceinline__ void softmax_tile(float (&s)[kCount], RowState& state, float (&alpha)[2],
                                             float scale_log2) {
  float high[4];
#pragma unroll
  for (int j = 0; j < 4; ++j) high[j] = s[j];
#pragma unroll
  for (int i = 4; i < kUsed; i += 4) {
#pragma unroll
    for (int j = 0; j < 4; ++j) high[j] = fmaxf(high[j], s[i + j]);
  }
  float shift[2];
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const float now = quad_max(fmaxf(state.max[r], fmaxf(high[2 * r], high[2 * r + 1])));
    // A row without any key so far: exp2(-inf - 0) is the 0 that it needs.
    const float base = now == kMinusInfinity ? 0.0f : now;
    shift[r] = base * scale_log2;
    // Exactly 1 where the maximum stays: tiles that a row does not attend leave no trace.
    alpha[r] = ptx::exp2_approx((state.max[r] - base) * scale_log2);
    state.max[r] = now;
  }
  float sum[4] = {state.sum[0] * alpha[0], 0.0f, state.sum[1] * alpha[1], 0.0f};
#pragma unroll
  for (int i = 0; i < kUsed; ++i) {
    s[i] = ptx::exp2_approx(fmaf(s[i], scale_log2, -shift[i >> 1 & 1]));
    sum[i & 3] += s[i];
  }
#pragma unroll
  for (int i = kUsed; i < kCount; ++i) s[i] = 0.0f;
  state.sum[0] = sum[0] + sum[1];
  state.sum[1] = sum[2] + sum[3];
}

__device__ __forceinline__ std::uint32_t pack(__nv_bfloat16, float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const std::uint32_t*>(&pair);
}

__device__ __forceinline__ std::uint32_t pack(__half, float low, float high) {
  const __half2 pair = __floats2half2_rn(low, high);
  return *reinterpret_cast<const std::uint32_t*>(&pair);
}

/// Accumulators as operand A of the next product: the two layouts agree pair by pair.
template <typename Element, int kCount>
__device__ __forceinline__ void pack_all(std::uint32_t (&p)[kCount / 2], const float (&s)[kCount]) {
#pragma unroll
  for (int i = 0; i < kCount / 2; ++i) p[i] = pack(Element{}, s[2 * i], s[2 * i + 1]);
}

}  // namespace lvsa::cuda::hopper
