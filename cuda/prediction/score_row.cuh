#pragma once
// A row of scores in the registers of a warp, and its largest ones.

#include "cuda/prediction/device_rows.cuh"
#include "cuda/prediction/probabilities.hpp"

namespace lvsa::cuda::prediction {

/// Entry 32 i + lane of the row is a lane's i-th; past the row's end they are NaN, which compares
/// false.
template <int kEntries>
class ScoreRow {
 public:
  __device__ __forceinline__ ScoreRow(int columns, const std::int32_t* scores)
      : columns_(columns), lane_(static_cast<int>(threadIdx.x) % 32) {
#pragma unroll
    for (int i = 0; i < kEntries; ++i) {
      const int c = 32 * i + lane_;
      scores_[i] = __int_as_float(c < columns_ ? scores[c] : kNan);
    }
  }

  /// Whether all are finite or -infinity.
  __device__ __forceinline__ bool good() const {
    int there = 0;
#pragma unroll
    for (int i = 0; i < kEntries; ++i) there += scores_[i] < __int_as_float(0x7f800000) ? 1 : 0;
    return __reduce_add_sync(kAllLanes, there) == columns_;
  }

  /// The cut of the `taken` highest probabilities; false where only their exact values tell. Scores
  /// next to the cut's are then weights, those above them infinite and those below negative.
  __device__ __forceinline__ bool cut(std::int32_t taken, Cut* cut) {
    float low = __int_as_float(kInfinity);
    float high = __int_as_float(kMinusInfinity);
#pragma unroll
    for (int i = 0; i < kEntries; ++i) {
      low = fminf(low, scores_[i]);  // of a number and NaN the number
      high = fmaxf(high, scores_[i]);
    }
    low = least_of_warp(low);
    high = score_of_ordered(__reduce_max_sync(kAllLanes, ordered_bits(high)));
    *cut = cut_of_scores(taken, columns_, low, high,
                         [this](float least) { return count_from(least); });
    const float least = score_of_ordered(cut->least);
    float last = __int_as_float(kInfinity);
#pragma unroll
    for (int i = 0; i < kEntries; ++i) {
      if (scores_[i] >= least) last = fminf(last, scores_[i]);
    }
    last = least_of_warp(last);
    if (is_deep(last, high)) return false;
    bool near = false;
#pragma unroll
    for (int i = 0; i < kEntries; ++i) near = near || (scores_[i] != last && next_to(i, last));
    if (__ballot_sync(kAllLanes, near ? 1 : 0) == 0) return true;
    return cut_by_weights(taken, last, high, cut);
  }

  /// Writes the kept columns in ascending order over the scores, returns how many they are.
  __device__ __forceinline__ std::int32_t write(const Cut& cut, const std::uint8_t* k_alike,
                                                bool sink, std::int32_t* indices) const {
    const unsigned before = (1U << lane_) - 1;
    const float least = score_of_ordered(cut.least);
    std::int32_t kept = 0;
    std::int32_t ties = 0;
#pragma unroll
    for (int i = 0; i < kEntries; ++i) {
      const int c = 32 * i + lane_;
      bool keep = scores_[i] > least;
      const bool tie = scores_[i] == least;
      if (cut.ties == kAllTies) {
        keep = keep || tie;
      } else {
        const unsigned tied = __ballot_sync(kAllLanes, tie ? 1 : 0);
        keep = keep || (tie && ties + __popc(tied & before) < cut.ties);
        ties += __popc(tied);
      }
      // Blocks that are not alike have a score of -infinity.
      if (scores_[i] == __int_as_float(kMinusInfinity)) keep = keep || k_alike[c] == 0;
      if (i == 0) keep = keep || (c == 0 && sink);
      const unsigned all = __ballot_sync(kAllLanes, keep ? 1 : 0);
      if (keep) indices[kept + __popc(all & before)] = c;
      kept += __popc(all);
    }
    return kept;
  }

 private:
  static constexpr int kNan = 0x7fc00000;
  static constexpr int kInfinity = 0x7f800000;
  static constexpr int kMinusInfinity = static_cast<int>(0xff800000U);

  /// False past the row's end, unlike is_near().
  __device__ __forceinline__ bool next_to(int i, float last) const {
    return fabsf(scores_[i] - last) <= kSureDistance;
  }

  __device__ __forceinline__ std::int32_t count_from(float least) const {
    int count = 0;
#pragma unroll
    for (int i = 0; i < kEntries; ++i) count += scores_[i] >= least ? 1 : 0;
    return __reduce_add_sync(kAllLanes, count);
  }

  /// Scores next to `last`, the least one taken, may have its weight, and then its probability;
  /// those of another weight must differ by enough.
  __device__ __forceinline__ bool cut_by_weights(std::int32_t taken, float last, float high,
                                                 Cut* cut) {
    const float weight = weight_of(last, high);
    bool sure = true;
    int heavier = 0;
#pragma unroll
    for (int i = 0; i < kEntries; ++i) {
      if (next_to(i, last)) {
        scores_[i] = weight_of(scores_[i], high);
        sure = sure && (scores_[i] == weight || fabsf(scores_[i] - weight) > weight * kSureShare);
      } else if (scores_[i] > last) {
        scores_[i] = __int_as_float(kInfinity);
      } else if (scores_[i] > __int_as_float(kMinusInfinity)) {
        scores_[i] = -1.0F;
      }
      heavier += scores_[i] > weight ? 1 : 0;
    }
    *cut = {ordered_bits(weight), taken - __reduce_add_sync(kAllLanes, heavier)};
    return __all_sync(kAllLanes, sure ? 1 : 0) != 0;
  }

  __device__ __forceinline__ static float least_of_warp(float value) {
    return score_of_ordered(__reduce_min_sync(kAllLanes, ordered_bits(value)));
  }

  float scores_[kEntries > 0 ? kEntries : 1];
  int columns_;
  int lane_;
};

}  // namespace lvsa::cuda::prediction
