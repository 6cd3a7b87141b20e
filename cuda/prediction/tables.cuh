#pragma once
// Arrays that depend on sizes and settings alone. The settings come as parameters of the launch, so
// that nothing of the host is read later.

#include "cuda/prediction/parameters.hpp"

namespace lvsa::cuda::prediction {

inline constexpr int kTableThreads = 256;

/// fn(i) for all i < count, shared out among all threads of the launch.
template <typename Fn>
__device__ __forceinline__ void for_all(std::int64_t count, const Fn& fn) {
  const std::int64_t step = std::int64_t{gridDim.x} * blockDim.x;
  for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    fn(i);
  }
}

__global__ void __launch_bounds__(kTableThreads)
    write_tables_kernel(const __grid_constant__ Tables t,
                        const __grid_constant__ HeadNumbersPart part) {
  for_all(part.count, [&](std::int64_t i) {
    const HeadNumbers numbers = part.numbers[i];
    if (t.numbers != nullptr) t.numbers[part.first + i] = numbers;
    if (t.skip_log2 != nullptr) t.skip_log2[part.first + i] = numbers.skip_log2;
  });
  if (part.first != 0) return;
  for (int a = 0; a < 3; ++a) {
    if (t.zeroed[a] == nullptr) continue;
    std::int32_t* words = t.zeroed[a];
    for_all(t.zeroed_count[a], [&](std::int64_t i) { words[i] = 0; });
  }
  if (t.row_begin == nullptr) return;
  for_all(t.row_blocks + 1, [&](std::int64_t i) {
    const std::int64_t place = i * t.block_rows;
    t.row_begin[i] = static_cast<std::int32_t>(place < t.tokens ? place : t.tokens);
  });
  for_all(t.column_blocks + 1, [&](std::int64_t i) {
    const std::int64_t place = i * t.block_columns;
    t.column_begin[i] = static_cast<std::int32_t>(place < t.tokens ? place : t.tokens);
  });
  for_all(t.batch_heads * t.row_blocks,
          [&](std::int64_t i) { t.row_first[i] = i * t.column_blocks; });
  for_all(t.batch_heads, [&](std::int64_t i) { t.map_of_head[i] = static_cast<std::int32_t>(i); });
}

}  // namespace lvsa::cuda::prediction
