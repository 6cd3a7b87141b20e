#pragma once
// What is computed of a block in the order of core/sparse, where another order could show.

#include "cuda/prediction/pool_rows.cuh"

namespace lvsa::cuda::prediction {

/// Of a block of rows that has to be computed in order.
template <int kDim, int kRows>
struct PoolOrdered {
  double lengths[kRows];
  double directions[kDim];
};

/// A column's mean in the order of core/sparse.
template <typename Type>
__device__ __noinline__ float ordered_mean(const PoolBlock& b, int column) {
  double sum = 0.0;
#pragma unroll 16
  for (int r = 0; r < b.count; ++r) {
    sum = add(sum, static_cast<double>(element_of<Type>(b.rows + r * b.stride, column, b.centre)));
  }
  return mean_of<Type>(sum, b.count);
}

/// Whether a row is 0 in all columns.
template <typename Type, int kDim, int kRows>
__device__ __noinline__ bool has_zero_row(const PoolBlock& b) {
  using Layout = PoolLayout<kDim, kRows>;
  const int group = static_cast<int>(threadIdx.x) % 32 / Layout::kChunks;
  const int first_column = static_cast<int>(threadIdx.x) % Layout::kChunks * 8;
  const unsigned of_group = (0xffffffffU >> (32 - Layout::kChunks)) << (group * Layout::kChunks);
  bool zero = false;
  for (int first = group; first - group < b.count; first += Layout::kStep) {
#pragma unroll
    for (int i = 0; i < Layout::kAtOnce; ++i) {
      const int r = first + i * Layout::kGroups;
      std::uint32_t any = 0;
      for (int j = 0; r < b.count && j < 8; ++j) {
        const float x = element_of<Type>(b.rows + r * b.stride, first_column + j, b.centre);
        any |= x != 0.0F ? 1 : 0;
      }
      const unsigned lanes = __ballot_sync(kAllLanes, any != 0 ? 1 : 0);
      zero = zero || (r < b.count && (lanes & of_group) == 0);
    }
  }
  return __ballot_sync(kAllLanes, zero ? 1 : 0) != 0;
}

/// Likeness in the order of core/sparse, for all lanes; NaN where a row is 0.
template <typename Type, int kDim, int kRows>
__device__ __noinline__ float ordered_likeness(PoolOrdered<kDim, kRows>& shared,
                                               const PoolBlock& b) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  bool zero = false;
  for (int r = lane; r < b.count; r += 32) {
    const std::uint16_t* row = b.rows + r * b.stride;
    const double length =
        root(squared_length(kDim, [&](int d) { return element_of<Type>(row, d, b.centre); }));
    zero = zero || length == 0.0;
    shared.lengths[r] = length;
  }
  if (__ballot_sync(kAllLanes, zero ? 1 : 0) != 0) return __int_as_float(0x7fc00000);
  __syncwarp();
  for (int d = lane; d < kDim; d += 32) {
    double direction = 0.0;
#pragma unroll 8
    for (int r = 0; r < b.count; ++r) {
      const float x = element_of<Type>(b.rows + r * b.stride, d, b.centre);
      direction = add(direction, div(static_cast<double>(x), shared.lengths[r]));
    }
    shared.directions[d] = direction;
  }
  __syncwarp();
  double sum = 0.0;
  for (int part = 0; part < 8; ++part) {
    sum = add(sum, interleaved_squares(shared.directions, kDim, part));
  }
  const auto n = static_cast<double>(b.count);
  return to_float(div(sum, mul(n, n)));
}

}  // namespace lvsa::cuda::prediction
