#pragma once
// The online skip: units of a tile that gain too little over what their rows have seen are left
// out.
//
// All rows of a row block must agree, and those of 128 are spread over both warpgroups. Waiting for
// each other before the exponentials would put the groups in step and lose what they overlap. So a
// warp tells its gain, computes the exponentials as if the units were kept, and only then asks what
// the others gained; a unit that is skipped costs its scores and exponentials, and spares its
// product with V.

#include <cstdint>

#include "cuda/attention/blocks_hopper/parameters.hpp"
#include "cuda/attention/blocks_hopper/shared_layout.cuh"
#include "cuda/attention/hopper/softmax.cuh"
#include "cuda/ptx/mbarrier.cuh"
#include "cuda/ptx/warpgroup.cuh"

namespace lvsa::cuda::blocks {

/// Of a row block: of 64 rows, those of a warpgroup (kPaired), or of 128, those of both. Maxima of
/// skipped units count as seen and as the base of exponentials alike: the two are one for
/// thresholds from 0 on, where a skipped unit never holds a row's maximum.
template <int kHeadDim, bool kPaired>
class SkipSoftmax {
 public:
  __device__ __forceinline__ SkipSoftmax(const SharedLayout<kHeadDim>& shared, int group, int warp,
                                         int lane)
      : gains_(shared.gains() + (kPaired ? group * 8 : 0)),
        barrier_(shared.gains_told(kPaired ? group : 0)),
        slot_((kPaired ? 0 : group * 4) + warp),
        lane_(lane) {}

  /// As softmax_tile(), of the units that are kept; the others' results are 0. False: none is kept,
  /// and alpha is 1. `last` has kLastBlock for unit 0, its double for unit 1; `rows_here` is how
  /// many rows there are from the thread's first on. The answer is the same for all rows of a
  /// block.
  __device__ __forceinline__ bool run(float (&s)[kKeyTile / 2], hopper::RowState& state,
                                      float (&alpha)[2], const Parameters& p, float threshold,
                                      int last, int rows_here) {
    float gain[2] = {hopper::kMinusInfinity, hopper::kMinusInfinity};
    const bool wide = p.maps.block_columns > kUnit;
    float shift[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float top[2];
#pragma unroll
      for (int u = 0; u < 2; ++u) top[u] = hopper::quad_max(row_max(s, r, u));
      if (wide) top[0] = top[1] = fmaxf(top[0], top[1]);
      float seen = state.max[r];
#pragma unroll
      for (int u = 0; u < 2; ++u) {
        // A row without keys in the unit has no say.
        if (top[u] > hopper::kMinusInfinity && 8 * r < rows_here) {
          gain[u] = fmaxf(gain[u], (top[u] - seen) * p.scale_log2);
        }
        if (!wide) seen = fmaxf(seen, top[u]);
      }
      seen = fmaxf(seen, top[0]);
      const float base = seen == hopper::kMinusInfinity ? 0.0f : seen;
      shift[r] = base * p.scale_log2;
      alpha[r] = ptx::exp2_approx((state.max[r] - base) * p.scale_log2);
      state.max[r] = seen;
    }
    tell(gain);
    float sum[2][2] = {};  // [row][unit]
#pragma unroll
    for (int i = 0; i < kKeyTile / 2; ++i) {
      s[i] = ptx::exp2_approx(fmaf(s[i], p.scale_log2, -shift[i >> 1 & 1]));
      sum[i >> 1 & 1][i / 32] += s[i];
    }
    ask(gain);
    const bool keep[2] = {gain[0] + threshold > 0.0f || (last & kLastBlock) != 0,
                          gain[1] + threshold > 0.0f || (last & 2 * kLastBlock) != 0};
#pragma unroll
    for (int u = 0; u < 2; ++u) {
      if (keep[u]) continue;
      sum[0][u] = sum[1][u] = 0.0f;
#pragma unroll
      for (int i = 0; i < 32; ++i) s[32 * u + i] = 0.0f;
    }
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      state.sum[r] = fmaf(state.sum[r], alpha[r], sum[r][0] + sum[r][1]);
    }
    return keep[0] || keep[1];
  }

 private:
  static constexpr int kWarps = kPaired ? 4 : 8;

  __device__ __forceinline__ static float row_max(const float (&s)[kKeyTile / 2], int r, int u) {
    float high = hopper::kMinusInfinity;
#pragma unroll
    for (int i = 0; i < 32; i += 4) {
      high = fmaxf(high, fmaxf(s[32 * u + i + 2 * r], s[32 * u + i + 2 * r + 1]));
    }
    return high;
  }

  /// Two places by turns: who writes one again has seen everyone tell of the tile between, which
  /// they do after reading.
  __device__ __forceinline__ volatile float* here() const {
    return gains_ + ((told_ & 1) != 0 ? 16 : 0);
  }

  __device__ __forceinline__ void tell(float (&gain)[2]) {
#pragma unroll
    for (int u = 0; u < 2; ++u) {
#pragma unroll
      for (int step = 4; step < 32; step *= 2) {
        gain[u] = fmaxf(gain[u], __shfl_xor_sync(0xffffffffu, gain[u], step));
      }
    }
    if (lane_ == 0) {
      here()[slot_ * 2] = gain[0];
      here()[slot_ * 2 + 1] = gain[1];
      ptx::mbarrier_arrive(barrier_);
    }
  }

  /// The largest over all warps of the row block, read by the lane that tells.
  __device__ __forceinline__ void ask(float (&gain)[2]) {
    ptx::mbarrier_wait(barrier_, told_ & 1);
    if (lane_ == 0) {
#pragma unroll
      for (int warp = 0; warp < kWarps; ++warp) {
        gain[0] = fmaxf(gain[0], here()[2 * warp]);
        gain[1] = fmaxf(gain[1], here()[2 * warp + 1]);
      }
    }
    gain[0] = __shfl_sync(0xffffffffu, gain[0], 0);
    gain[1] = __shfl_sync(0xffffffffu, gain[1], 0);
    ++told_;
  }

  volatile float* gains_;
  std::uint32_t barrier_;
  int slot_;
  int lane_;
  std::uint32_t told_ = 0;  ///< tiles
};

}  // namespace lvsa::cuda::blocks
