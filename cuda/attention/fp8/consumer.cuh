#pragma once
// A warpgroup that computes: 64 query rows against all key tiles of an item.
//
// The tensor cores keep 13 bits behind the point of an fp8 sum: added up over a whole video, the
// small addends would be lost (more than half of the output at 64,000 keys). So P V of each tile
// has accumulators of its own and is added to the output in fp32, where the rescale is due anyway.

#include <cstdint>

#include "cuda/attention/fp8/parameters.hpp"
#include "cuda/attention/fp8/shared_layout.cuh"
#include "cuda/attention/fp8/softmax.cuh"
#include "cuda/attention/hopper/output_rows.cuh"
#include "cuda/attention/hopper/softmax.cuh"
#include "cuda/attention/hopper/work_item.cuh"
#include "cuda/ptx/mbarrier.cuh"
#include "cuda/ptx/warpgroup.cuh"
#include "cuda/ptx/wgmma_e4m3.cuh"

namespace lvsa::cuda::fp8 {

template <typename Output>
class Consumer {
 public:
  /// `group` is 0 to kGroups - 1, `thread` counts from 0 within the warpgroup.
  __device__ __forceinline__ Consumer(const Parameters& p, char* dynamic_shared, int group,
                                      int thread)
      : p_(p), shared_(dynamic_shared), group_(group), warp_(thread / 32), lane_(thread % 32) {}

  __device__ __forceinline__ void run() {
    for (std::uint32_t done = 0;; ++done) {
      ptx::mbarrier_wait(shared_.query_full(), done & 1);
      const int index = from_lane_0(lane_ == 0 ? shared_.header().item : 0);
      if (index < 0) return;
      compute(index);
    }
  }

 private:
  using Outputs = float[kHeadDim / 2];

  // What the producer wrote is read by the lane that later lets it overwrite it: so the two are in
  // order in the eyes of racecheck, too.
  __device__ __forceinline__ int from_lane_0(int value) const {
    return __shfl_sync(0xffffffffu, value, 0);
  }

  __device__ __forceinline__ void compute(int index) {
    const int tiles = from_lane_0(lane_ == 0 ? shared_.header().tiles : 0);
    Outputs o;
#pragma unroll
    for (float& x : o) x = 0.0f;
    RowState state;
    if (tiles == 0) {
      release(shared_.query_empty());
    } else {
      const float scale_log2 = p_.scale_log2 * score_scale(index);
      Scores s;
      Probabilities p;
      wait_for_keys(tile_);
      for (int n = 0; n < tiles; ++n) {
        issue_scores(s);
        // What can be waited for meanwhile is waited for meanwhile.
        ptx::mbarrier_wait(shared_.value_full(tile_ % kStages), tile_ / kStages & 1);
        if (needs_mask()) {
          ptx::wgmma_wait<0>();
          ptx::keep_registers(s);
          mask(s, index);
        } else {
          ptx::wgmma_wait<0>();
          ptx::keep_registers(s);
        }
        release(shared_.key_empty(tile_ % kStages));
        if (n + 1 == tiles) release(shared_.query_empty());
        softmax(p, s, o, state, scale_log2);
        issue_part(s, p);
        if (n + 1 < tiles) wait_for_keys(tile_ + 1);
        ptx::wgmma_wait<0>();
        ptx::keep_registers(s);
        ptx::keep_registers(p);
        release(shared_.value_empty(tile_ % kStages));
#pragma unroll
        for (int i = 0; i < kHeadDim / 2; ++i) o[i] += s[i];
        ++tile_;
      }
    }
    finish(index, o, state);
  }

  __device__ __forceinline__ void wait_for_keys(std::uint32_t tile) const {
    ptx::mbarrier_wait(shared_.key_full(tile % kStages), tile / kStages & 1);
  }

  /// S = Q K^T of the tile at hand, whose keys are there.
  __device__ __forceinline__ void issue_scores(Scores& s) const {
    const std::uint64_t a = ptx::swizzled_operand(shared_.query() + group_ * 64 * kHeadDim, 0);
    const std::uint64_t b = ptx::swizzled_operand(shared_.key(tile_ % kStages), 0);
    ptx::keep_registers(s);
    ptx::wgmma_fence();
#pragma unroll
    for (int k = 0; k < kHeadDim / 32; ++k) ptx::wgmma_e4m3_shared(s, a + 2 * k, b + 2 * k, k > 0);
    ptx::wgmma_commit();
  }

  /// P V of the tile at hand by itself.
  __device__ __forceinline__ void issue_part(Outputs& part, Probabilities& p) const {
    const std::uint64_t b =
        ptx::plain_operand(shared_.value(tile_ % kStages), kBlockBytes / 2, 128);
    ptx::keep_registers(part);
    ptx::keep_registers(p);
    ptx::wgmma_fence();
#pragma unroll
    for (int k = 0; k < kTileBlocks; ++k) {
      ptx::wgmma_e4m3_registers(part, p + 4 * k, b + k * (kBlockBytes / 16), k > 0);
    }
    ptx::wgmma_commit();
  }

  /// P of the tile, and o, sums and maxima as P needs them.
  __device__ __forceinline__ void softmax(Probabilities& p, const Scores& s, Outputs& o,
                                          RowState& state, float scale_log2) const {
    TileSums tile = exponentials(p, s, state.shift, scale_log2);
    if (__any_sync(0xffffffffu, ((tile.large[0] | tile.large[1]) & kLargeBits) != 0)) {
      float alpha[2];
      new_shifts(s, tile, state, alpha, scale_log2, lane_);
#pragma unroll
      for (int i = 0; i < kHeadDim / 2; ++i) o[i] *= alpha[i >> 1 & 1];
      float shift[2];
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        state.sum[r] *= alpha[r];
        // A row without any key so far: exp2(-inf + 0) is the 0 that it needs.
        shift[r] = state.shift[r] == -hopper::kMinusInfinity ? 0.0f : state.shift[r];
      }
      tile = exponentials(p, s, shift, scale_log2);
    }
    state.sum[0] += tile.sum[0];
    state.sum[1] += tile.sum[1];
  }

  /// A warp is done with what a barrier guards.
  __device__ __forceinline__ void release(std::uint32_t barrier) const {
    __syncwarp();
    if (lane_ == 0) ptx::mbarrier_arrive(barrier);
  }

  __device__ __forceinline__ std::uint32_t note(int block) const {
    const std::uint32_t word = lane_ == 0 ? shared_.block_notes(tile_ % kStages)[block] : 0;
    return static_cast<std::uint32_t>(from_lane_0(static_cast<int>(word)));
  }

  __device__ __forceinline__ bool needs_mask() const {
    const std::uint32_t any = lane_ == 0 ? shared_.any_note(tile_ % kStages) : 0;
    return from_lane_0(static_cast<int>(any)) != 0;
  }

  __device__ __forceinline__ int tile_row(int r) const {
    return group_ * 64 + warp_ * 16 + lane_ / 4 + 8 * r;
  }

  __device__ __forceinline__ void mask(Scores& s, int index) const {
    const hopper::WorkItem item = hopper::work_item(p_, index);
    std::uint32_t row_bit[2] = {1, 1};
    if (item.merged > 0) {
      // Rows past the last frame belong to it, so that they have keys like the others.
      for (int r = 0; r < 2; ++r) {
        row_bit[r] = 1u << min(tile_row(r) / p_.items.merged_rows, item.merged - 1);
      }
    }
#pragma unroll
    for (int block = 0; block < kTileBlocks; ++block) {
      const std::uint32_t word = note(block);
      if (word == 0) continue;
      const int keys = static_cast<int>(word & 63);
#pragma unroll
      for (int i = 0; i < kBlockKeys / 2; ++i) {
        const int column = i / 4 * 8 + (lane_ & 3) * 2 + (i & 1);
        const bool attended = (word >> 16 & row_bit[i >> 1 & 1]) != 0;
        if (column >= keys || !attended) s[block * (kBlockKeys / 2) + i] = hopper::kMinusInfinity;
      }
    }
  }

  __device__ __forceinline__ float factor(const float* factors, const hopper::WorkItem& item,
                                          bool of_keys) const {
    if (factors == nullptr) return 1.0f;
    const int heads = of_keys ? p_.kv_heads : p_.heads;
    const int head = of_keys ? item.head / p_.heads_per_group : item.head;
    return factors[std::int64_t{item.batch} * heads + head];
  }

  /// What the scales make of the product of a q and a k.
  __device__ __forceinline__ float score_scale(int index) const {
    const hopper::WorkItem item = hopper::work_item(p_, index);
    return factor(p_.q_scale, item, false) * factor(p_.k_scale, item, true);
  }

  __device__ __forceinline__ void finish(int index, const Outputs& o, const RowState& state) const {
    constexpr float kLn2 = 0.693147181f;
    const hopper::WorkItem item = hopper::work_item(p_, index);
    const float v_scale = factor(p_.v_scale, item, true);
    float inverse[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const float sum = hopper::quad_sum(state.sum[r]);
      inverse[r] = sum == 0.0f ? 0.0f : v_scale / sum;
      std::int64_t token = 0;
      if (p_.lse != nullptr && lane_ % 4 == 0 && hopper::row_token(p_, item, tile_row(r), &token)) {
        p_.lse[item.batch * p_.lse_strides.batch + token * p_.lse_strides.token +
               item.head * p_.lse_strides.head] =
            sum == 0.0f ? hopper::kMinusInfinity : (log2f(sum) - state.shift[r]) * kLn2;
      }
    }
    hopper::mark_if_not_finite(p_, item, o, lane_);
    const int warp = group_ * 4 + warp_;
    __syncwarp();  // the warp's rows of the item before have been read
    hopper::write_rows<Output, kHeadDim>(p_, item, warp * 16, shared_.output(warp), 16 * 128, o,
                                         inverse, lane_);
  }

  const Parameters& p_;
  SharedLayout shared_;
  int group_;
  int warp_;
  int lane_;
  std::uint32_t tile_ = 0;  ///< tiles of the ring taken
};

}  // namespace lvsa::cuda::fp8
