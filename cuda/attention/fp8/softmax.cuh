#pragma once
// Online softmax of the two rows of a score tile that a thread holds, P scaled for e4m3.

#include <cstdint>

#include "cuda/attention/fp8/parameters.hpp"
#include "cuda/attention/hopper/softmax.cuh"

namespace lvsa::cuda::fp8 {

using Scores = float[kKeyTile / 2];

/// Turns scores into exp2(scale_log2 * (s - max) + kBias) and updates the state, whose sums are of
/// these; `alpha` is what earlier results of the two rows must be multiplied with.
__device__ __forceinline__ void softmax_tile(Scores& s, hopper::RowState& state, float (&alpha)[2],
                                             float scale_log2) {
  float high[4];
#pragma unroll
  for (int i = 0; i < kKeyTile / 2; ++i) {
    high[i & 3] = i < 4 ? s[i] : fmaxf(high[i & 3], s[i]);
  }
  float shift[2];
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const float now = hopper::quad_max(fmaxf(state.max[r], fmaxf(high[2 * r], high[2 * r + 1])));
    // A row without any key so far: exp2(-inf - 0) is the 0 that it needs.
    const float base = now == hopper::kMinusInfinity ? 0.0f : now;
    shift[r] = base * scale_log2;
    // Exactly 1 where the maximum stays: tiles that a row does not attend leave no trace.
    alpha[r] = ptx::exp2_approx((state.max[r] - base) * scale_log2);
    state.max[r] = now;
    shift[r] -= kBias;
  }
  float sum[4] = {state.sum[0] * alpha[0], 0.0f, state.sum[1] * alpha[1], 0.0f};
#pragma unroll
  for (int i = 0; i < kKeyTile / 2; ++i) {
    s[i] = ptx::exp2_approx(fmaf(s[i], scale_log2, -shift[i >> 1 & 1]));
    sum[i & 3] += s[i];
  }
  state.sum[0] = sum[0] + sum[1];
  state.sum[1] = sum[2] + sum[3];
}

}  // namespace lvsa::cuda::fp8
