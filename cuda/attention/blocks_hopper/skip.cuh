#pragma once
// The online skip: which units of a tile gain too little over what their rows have seen.

#include <cstdint>

#include "cuda/attention/blocks_hopper/parameters.hpp"
#include "cuda/attention/blocks_hopper/shared_layout.cuh"
#include "cuda/attention/hopper/softmax.cuh"
#include "cuda/ptx/warpgroup.cuh"

namespace lvsa::cuda::blocks {

/// Of a row block: of 64 rows, those of a warpgroup (kPaired), or of 128, those of both.
template <bool kPaired>
class SkipState {
 public:
  __device__ __forceinline__ SkipState(const Parameters& p, volatile float* gains, float threshold,
                                       int group, int warp, int lane)
      : p_(p), gains_(gains), threshold_(threshold), group_(group), warp_(warp), lane_(lane) {}

  /// Scores of units that are skipped become -inf; false: all are. `last` has kLastBlock for unit
  /// 0, its double for unit 1; `rows_here` how many rows there are from the thread's first on. The
  /// answer is the same for all rows of a block.
  __device__ __forceinline__ bool keeps(float (&s)[kKeyTile / 2], int last, int rows_here) {
    float gain[2] = {hopper::kMinusInfinity, hopper::kMinusInfinity};
    const bool wide = p_.maps.block_columns > kUnit;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float top[2];
#pragma unroll
      for (int u = 0; u < 2; ++u) top[u] = hopper::quad_max(row_max(s, r, u));
      if (wide) top[0] = top[1] = fmaxf(top[0], top[1]);
#pragma unroll
      for (int u = 0; u < 2; ++u) {
        // A row without keys in the unit has no say.
        if (top[u] > hopper::kMinusInfinity && 8 * r < rows_here) {
          gain[u] = fmaxf(gain[u], (top[u] - seen_[r]) * p_.scale_log2);
        }
        if (u == 1 || !wide) seen_[r] = fmaxf(seen_[r], top[u]);
      }
    }
#pragma unroll
    for (int u = 0; u < 2; ++u) {
      for (int step = 4; step < 32; step *= 2) {
        gain[u] = fmaxf(gain[u], __shfl_xor_sync(0xffffffffu, gain[u], step));
      }
    }
    share(gain);
    const bool keep[2] = {gain[0] + threshold_ > 0.0f || (last & kLastBlock) != 0,
                          gain[1] + threshold_ > 0.0f || (last & 2 * kLastBlock) != 0};
#pragma unroll
    for (int i = 0; i < kKeyTile / 2; ++i) {
      if (!keep[i / 32]) s[i] = hopper::kMinusInfinity;
    }
    return keep[0] || keep[1];
  }

 private:
  __device__ __forceinline__ static float row_max(const float (&s)[kKeyTile / 2], int r, int u) {
    float high = hopper::kMinusInfinity;
#pragma unroll
    for (int i = 0; i < 32; i += 4) {
      high = fmaxf(high, fmaxf(s[32 * u + i + 2 * r], s[32 * u + i + 2 * r + 1]));
    }
    return high;
  }

  /// The largest over all warps of the row block. Two places by turns, so that one barrier a tile
  /// is enough.
  __device__ __forceinline__ void share(float (&gain)[2]) {
    volatile float* const here = gains_ + (turn_ ? 16 : 0);
    turn_ = !turn_;
    if (lane_ == 0) {
      here[(group_ * 4 + warp_) * 2] = gain[0];
      here[(group_ * 4 + warp_) * 2 + 1] = gain[1];
    }
    if constexpr (kPaired) {
      ptx::barrier_sync(3 + group_, 128);
    } else {
      ptx::barrier_sync(5, 256);
    }
    constexpr int kWarps = kPaired ? 4 : 8;
    const int first = kPaired ? group_ * 4 : 0;
    // Lane i reads one of them.
    float value = hopper::kMinusInfinity;
    if (lane_ < 2 * kWarps) value = here[first * 2 + lane_];
    for (int step = 2; step < 2 * kWarps; step *= 2) {
      value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, step));
    }
    gain[0] = __shfl_sync(0xffffffffu, value, 0);
    gain[1] = __shfl_sync(0xffffffffu, value, 1);
  }

  const Parameters& p_;
  volatile float* gains_;
  float threshold_;
  int group_;
  int warp_;
  int lane_;
  bool turn_ = false;
  float seen_[2] = {hopper::kMinusInfinity, hopper::kMinusInfinity};
};

}  // namespace lvsa::cuda::blocks
