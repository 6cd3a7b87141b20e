#pragma once
// Online softmax of the two rows of a score tile that a thread holds, P scaled and packed for e4m3.
//
// The exponentials refer to a maximum that may be an older one: as long as no P leaves e4m3's
// range, there is nothing to gain from the right one, and looking for it is a seventh of a tile's
// instructions. Whether one did is seen in the packed words, four at once. Only such a row gets its
// true maximum, and its P is worked out again: decided row by row, so that rows which share a warp
// do not matter to each other.

#include <cstdint>

#include "cuda/attention/fp8/parameters.hpp"
#include "cuda/attention/hopper/softmax.cuh"

namespace lvsa::cuda::fp8 {

using Scores = float[kKeyTile / 2];
/// Words 2i are columns of the thread's first row, words 2i + 1 of its second.
using Probabilities = std::uint32_t[kKeyTile / 8];

struct RowState {
  /// P = exp2(scale_log2 * s + shift); kBias of the maximum at hand, infinite before the first key.
  float shift[2] = {-hopper::kMinusInfinity, -hopper::kMinusInfinity};
  float sum[2] = {0.0f, 0.0f};  ///< of P before rounding, this thread's columns
};

/// Four probabilities as e4m3, the first one lowest.
__device__ __forceinline__ std::uint32_t pack(float x0, float x1, float x2, float x3) {
  std::uint32_t word;
  asm("{.reg .b16 low, high;\n"
      "cvt.rn.satfinite.e4m3x2.f32 low, %2, %1;\n"
      "cvt.rn.satfinite.e4m3x2.f32 high, %4, %3;\n"
      "mov.b32 %0, {low, high};}"
      : "=r"(word)
      : "f"(x0), "f"(x1), "f"(x2), "f"(x3));
  return word;
}

/// P of a tile.
struct TileSums {
  float sum[2];            ///< before rounding, this thread's columns
  std::uint32_t large[2];  ///< kLargeBits: some P is the largest e4m3 (0x7e) or NaN (0x7f)
};
constexpr std::uint32_t kLargeBits = 0x80808080u;

/// P of the shifts given. Product step i of P V takes key block i: the value blocks have their keys
/// in the order in which the score accumulators hold them (see ValueBlocks).
__device__ __forceinline__ TileSums exponentials(Probabilities& p, const Scores& s,
                                                 const float (&shift)[2], float scale_log2) {
  constexpr std::uint32_t kUpTo80 = 0x02020202u;  // takes 0x7e and 0x7f to 0x80, no carry
  TileSums tile;
#pragma unroll
  for (int i = 0; i < kKeyTile / 16; ++i) {
    float x[8];
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      x[j] = ptx::exp2_approx(fmaf(s[8 * i + j], scale_log2, shift[j >> 1 & 1]));
    }
    // Pairs first: a chain of additions would be as long as the exponentials.
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const float four = (x[2 * r] + x[2 * r + 1]) + (x[2 * r + 4] + x[2 * r + 5]);
      tile.sum[r] = i == 0 ? four : tile.sum[r] + four;
    }
    p[2 * i] = pack(x[0], x[1], x[4], x[5]);
    p[2 * i + 1] = pack(x[2], x[3], x[6], x[7]);
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const std::uint32_t up = p[2 * i + r] + kUpTo80;
      tile.large[r] = i == 0 ? up : tile.large[r] | up;
    }
  }
  return tile;
}

/// Gives rows with a P that is too large the shifts of their maxima; `alpha` is what earlier
/// results of the two rows must be multiplied with, 1 for a row that keeps its shift.
__device__ __forceinline__ void new_shifts(const Scores& s, const TileSums& tile, RowState& state,
                                           float (&alpha)[2], float scale_log2, int lane) {
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    float high = hopper::kMinusInfinity;
#pragma unroll
    for (int i = 0; i < kKeyTile / 2; ++i) {
      if ((i >> 1 & 1) == r) high = fmaxf(high, s[i]);
    }
    high = hopper::quad_max(high);
    const float before = state.shift[r];
    const float due = fminf(before, fmaf(high, -scale_log2, static_cast<float>(kBias)));
    const unsigned lanes = __ballot_sync(0xffffffffu, (tile.large[r] & kLargeBits) != 0);
    if ((lanes >> (lane & ~3) & 0xf) != 0) state.shift[r] = due;
    alpha[r] = state.shift[r] == before ? 1.0f : ptx::exp2_approx(state.shift[r] - before);
  }
}

}  // namespace lvsa::cuda::fp8
