#pragma once
// Softmax of a row of pooled scores, and the key blocks that the row keeps. A warp a row. Most rows
// of the top-k rule are decided by their scores alone.

#include "cuda/prediction/device_rows.cuh"
#include "cuda/prediction/probabilities.hpp"
#include "cuda/prediction/score_row.cuh"

namespace lvsa::cuda::prediction {

inline constexpr int kMostSelectWarps = 8;

/// A row in shared memory, 32 entries at a time.
class SelectRow {
 public:
  __device__ __forceinline__ SelectRow(std::uint32_t* bits, int columns)
      : bits_(bits), columns_(columns), lane_(static_cast<int>(threadIdx.x) % 32) {}

  /// Copies the scores; false when one is neither finite nor -infinity.
  __device__ __forceinline__ bool load(const std::int32_t* scores) {
    bool good = true;
    for (int c = lane_; c < columns_; c += 32) {
      const std::int32_t score = scores[c];
      good = good && __int_as_float(score) < __int_as_float(0x7f800000);
      bits_[c] = static_cast<std::uint32_t>(score);
    }
    __syncwarp();
    return __all_sync(kAllLanes, good ? 1 : 0) != 0;
  }

  /// Scores to probabilities; returns the largest one's bits.
  template <typename Type>
  __device__ __forceinline__ std::uint32_t take_probabilities(bool round_p) {
    float highest = __int_as_float(0xff800000);
    for (int c = lane_; c < columns_; c += 32) highest = fmaxf(highest, value(c));
#pragma unroll
    for (int step = 16; step > 0; step /= 2) {
      highest = fmaxf(highest, __shfl_xor_sync(kAllLanes, highest, step));
    }
    const bool none = highest == __int_as_float(0xff800000);
    double sum = 0.0;
#pragma unroll 4
    for (int c = lane_; c < columns_; c += 32) {
      const float weight = none ? 0.0F : weight_of(value(c), highest);
      bits_[c] = __float_as_uint(weight);
      sum = add(sum, static_cast<double>(weight));
    }
    __syncwarp();
    if (none) return 0;
#pragma unroll
    for (int step = 16; step > 0; step /= 2) {
      sum = add(sum, __shfl_xor_sync(kAllLanes, sum, step));
    }
    float total = 0.0F;
    // Lanes agree on the sum: an exchange adds the same two numbers on both sides.
    if (!total_is_certain(sum, columns_, &total)) {
      sum = 0.0;
      for (int c = 0; c < columns_; ++c) sum = add(sum, static_cast<double>(value(c)));
      total = to_float(sum);
      __syncwarp();
    }
    std::uint32_t largest = 0;
    for (int c = lane_; c < columns_; c += 32) {
      float p = div(value(c), total);
      if (round_p) p = rounded<Type>(p);
      bits_[c] = __float_as_uint(p);
      largest = max(largest, bits_[c]);
    }
    __syncwarp();
    return __reduce_max_sync(kAllLanes, largest);
  }

  __device__ __forceinline__ std::int32_t count_from(std::uint32_t least) const {
    int count = 0;
    for (int c = lane_; c < columns_; c += 32) count += bits_[c] >= least ? 1 : 0;
    return __reduce_add_sync(kAllLanes, count);
  }

  /// In any order, the same for all lanes.
  __device__ __forceinline__ double sum_from(std::uint32_t least) const {
    double sum = 0.0;
    for (int c = lane_; c < columns_; c += 32) {
      if (bits_[c] >= least) sum = add(sum, static_cast<double>(value(c)));
    }
#pragma unroll
    for (int step = 16; step > 0; step /= 2) {
      sum = add(sum, __shfl_xor_sync(kAllLanes, sum, step));
    }
    return sum;
  }

  /// The largest bits below `above`, and how many entries have them (0: none is left).
  __device__ __forceinline__ std::uint32_t next_below(std::uint32_t above,
                                                      std::int32_t* count) const {
    std::uint32_t best = 0;
    int there = 0;
    for (int c = lane_; c < columns_; c += 32) {
      const std::uint32_t bits = bits_[c];
      if (bits >= above || bits < best) continue;
      there = bits == best ? there + 1 : 1;
      best = bits;
    }
    const std::uint32_t most = __reduce_max_sync(kAllLanes, best);
    *count = __reduce_add_sync(kAllLanes, best == most ? there : 0);
    return most;
  }

  /// Writes the kept columns in ascending order, returns how many they are.
  __device__ __forceinline__ std::int32_t write(const Cut& cut, const std::uint8_t* k_alike,
                                                bool sink, std::int32_t* indices) const {
    const unsigned before = (1U << lane_) - 1;
    std::int32_t kept = 0;
    std::int32_t ties = 0;
    for (int first = 0; first < columns_; first += 32) {
      const int c = first + lane_;
      const bool there = c < columns_;
      const std::uint32_t bits = there ? bits_[c] : 0;
      const bool tie = there && bits == cut.least;
      const unsigned tied = __ballot_sync(kAllLanes, tie ? 1 : 0);
      bool keep = there && bits > cut.least;
      keep = keep || (tie && ties + __popc(tied & before) < cut.ties);
      keep = keep || (there && k_alike[c] == 0) || (c == 0 && sink);
      const unsigned all = __ballot_sync(kAllLanes, keep ? 1 : 0);
      if (keep) indices[kept + __popc(all & before)] = c;
      kept += __popc(all);
      ties += __popc(tied);
    }
    return kept;
  }

 private:
  __device__ __forceinline__ float value(int c) const { return __uint_as_float(bits_[c]); }

  std::uint32_t* bits_;
  int columns_;
  int lane_;
};

__device__ __forceinline__ void keep_all(const SelectWork& w, std::int64_t row) {
  for (int c = static_cast<int>(threadIdx.x) % 32; c < w.column_blocks; c += 32) {
    w.indices[row * w.column_blocks + c] = c;
  }
  if (threadIdx.x % 32 == 0) w.row_count[row] = w.column_blocks;
}

template <typename Type>
__device__ __forceinline__ Cut cut_of(const SelectWork& w, const HeadNumbers& numbers,
                                      SelectRow& row) {
  const std::uint32_t highest = row.template take_probabilities<Type>(w.round_p);
  if (numbers.taken > 0) {
    Cut cut = cut_of_scores(numbers.taken, w.column_blocks, 0.0F, __uint_as_float(highest),
                            [&row](float least) { return row.count_from(__float_as_uint(least)); });
    cut.least &= 0x7fffffffU;  // bits of what is not negative
    return cut;
  }
  Cut cut;
  if (sure_cut_of_mass<Type>(
          numbers.most, w.column_blocks, highest,
          [&row](std::uint32_t least) { return row.count_from(least); },
          [&row](std::uint32_t least) { return row.sum_from(least); }, &cut)) {
    return cut;
  }
  return cut_of_mass<Type>(numbers.most, highest, [&row](std::uint32_t above, std::int32_t* count) {
    return row.next_below(above, count);
  });
}

/// kEntries: of a row a lane, 0: too many for registers.
template <typename Type, int kEntries>
__global__ void __launch_bounds__(kMostSelectWarps * 32)
    select_blocks_kernel(const __grid_constant__ SelectWork w) {
  LVSA_DYNAMIC_SHARED(dynamic_shared);
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const std::int64_t row = std::int64_t{blockIdx.x} * (blockDim.x / 32) + warp;
  if (row >= w.rows) return;
  const std::int64_t head = row / w.row_blocks;
  const std::int64_t kv_head =
      head / w.heads * (w.heads / w.heads_per_kv) + head % w.heads / w.heads_per_kv;
  // Asked for at once: one waits for memory a time less.
  const std::int32_t faults = w.q_faults[head] | w.k_faults[kv_head];
  const std::int32_t taken = w.numbers[head % w.heads].taken;
  ScoreRow<kEntries> scores(w.column_blocks, w.indices + row * w.column_blocks);
  bool fault = faults != 0;
  const bool whole = w.q_alike[row] == 0;
  const HeadNumbers& numbers = w.numbers[head % w.heads];
  const std::uint8_t* k_alike = w.k_alike + head * w.column_blocks;
  std::int32_t* indices = w.indices + row * w.column_blocks;
  // Rounded probabilities have ties beyond what scores tell.
  if (kEntries > 0 && taken > 0 && !w.round_p && !fault && !whole) {
    Cut cut;
    if (scores.good() && scores.cut(taken, &cut)) {
      const std::int32_t kept = scores.write(cut, k_alike, w.sink, indices);
      if (threadIdx.x % 32 == 0) w.row_count[row] = kept;
      return;
    }
  }
  SelectRow values(
      reinterpret_cast<std::uint32_t*>(dynamic_shared) + std::int64_t{warp} * w.column_blocks,
      w.column_blocks);
  if (!fault && !whole) fault = !values.load(indices);
  if (fault && w.faults != nullptr && threadIdx.x % 32 == 0) w.faults[head] = 1;
  if (fault || whole) {
    keep_all(w, row);
    return;
  }
  const Cut cut = cut_of<Type>(w, numbers, values);
  const std::int32_t kept = values.write(cut, k_alike, w.sink, indices);
  if (threadIdx.x % 32 == 0) w.row_count[row] = kept;
}

}  // namespace lvsa::cuda::prediction
