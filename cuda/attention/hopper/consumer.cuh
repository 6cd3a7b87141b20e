#pragma once
// A warpgroup that computes: 64 query rows against all key tiles of an item.
//
// Tile n's softmax runs while the tensor cores do other work, twice over: S_n is issued before
// P_{n-1} V_{n-1}, so that the latter runs under the softmax of S_n; and the two warpgroups take
// turns at issuing (ping-pong), so that one's softmax runs under the other's products.

#include <cstdint>

#include "cuda/attention/hopper/output_rows.cuh"
#include "cuda/attention/hopper/parameters.hpp"
#include "cuda/attention/hopper/scores.cuh"
#include "cuda/attention/hopper/shared_layout.cuh"
#include "cuda/attention/hopper/softmax.cuh"
#include "cuda/attention/hopper/work_item.cuh"
#include "cuda/ptx/mbarrier.cuh"
#include "cuda/ptx/warpgroup.cuh"
#include "cuda/ptx/wgmma.cuh"

namespace lvsa::cuda::hopper {

template <typename Element, int kHeadDim, int kKeyTile>
class Consumer {
 public:
  /// `group` is 0 or 1, `thread` counts from 0 within the warpgroup.
  __device__ __forceinline__ Consumer(const Parameters& p, char* dynamic_shared, int group,
                                      int thread)
      : p_(p), shared_(dynamic_shared), group_(group), warp_(thread / 32), lane_(thread % 32) {}

  __device__ __forceinline__ void run() {
    if (group_ == 1) pass_turn();  // group 0 begins
    for (std::uint32_t done = 0;; ++done) {
      ptx::mbarrier_wait(shared_.query_full(), done & 1);
      if (item_index() < 0) return;
      compute();
    }
  }

 private:
  using Shared = SharedLayout<kHeadDim, kKeyTile>;
  /// With short products there is no time to take turns in: 403 useful TFLOP/s with, 414 without.
  static constexpr bool kTurns = kHeadDim > 64;
  using Scores = float[kKeyTile / 2];
  using Probabilities = std::uint32_t[kKeyTile / 4];
  using Outputs = float[kHeadDim / 2];

  // Named barriers 1 and 2: it is group 0's, group 1's turn. 3 and 4: the group by itself.
  __device__ __forceinline__ void take_turn() const {
    if constexpr (kTurns) ptx::barrier_sync(1 + group_, 256);
  }
  __device__ __forceinline__ void pass_turn() const {
    if constexpr (kTurns) ptx::barrier_arrive(2 - group_, 256);
  }

  // What the producer wrote is read by the lane that later lets it overwrite it: so the two are in
  // order in the eyes of racecheck, too.
  __device__ __forceinline__ int from_lane_0(int value) const {
    return __shfl_sync(0xffffffffu, value, 0);
  }
  __device__ __forceinline__ int item_index() const {
    return from_lane_0(lane_ == 0 ? shared_.header().item : 0);
  }
  __device__ __forceinline__ WorkItem this_item() const { return work_item(p_, item_index()); }

  __device__ __forceinline__ void compute() {
    const int tiles = from_lane_0(lane_ == 0 ? shared_.header().tiles : 0);
    Outputs o;
#pragma unroll
    for (float& x : o) x = 0.0f;
    RowState state;
    if (tiles > 0) {
      const RowFrames rows = row_frames(this_item());
      Scores s;
      Probabilities p;
      float alpha[2];
      wait_for_keys(tile_);
      TileCount count{tiles};
      issue_scores(s);
      std::uint32_t attending = attending_frames(rows);
      ptx::wgmma_wait<0>();
      ptx::keep_registers(s);
      release(shared_.key_empty(tile_ & 1));
      softmax(s, count.keys(p_), attending, rows, state, alpha);
      pack_all<Element>(p, s);
      if (tiles > 1) wait_for_keys(tile_ + 1);
      for (int n = 1; n < tiles; ++n) {
        ++tile_;
        take_turn();
        issue_scores(s);
        issue_outputs(o, p, tile_ - 1);
        pass_turn();
        attending = attending_frames(rows);
        ptx::wgmma_wait<1>();
        ptx::keep_registers(s);
        release(shared_.key_empty(tile_ & 1));
        softmax(s, count.keys(p_), attending, rows, state, alpha);
        ptx::keep_registers(s);
        // The wait for the next keys stands here because a loop ends the basic block: ptxas would
        // move the next line in front of the exponentials, which are to run under P V.
        if (n + 1 < tiles) wait_for_keys(tile_ + 1);
        ptx::wgmma_wait<0>();
        ptx::keep_registers(o);
        ptx::keep_registers(p);
        release(shared_.value_empty(tile_ - 1 & 1));
#pragma unroll
        for (int i = 0; i < kHeadDim / 2; ++i) o[i] *= alpha[i >> 1 & 1];
        pack_all<Element>(p, s);
      }
      issue_outputs(o, p, tile_);
      ptx::wgmma_wait<0>();
      ptx::keep_registers(o);
      ptx::keep_registers(p);
      release(shared_.value_empty(tile_ & 1));
      ++tile_;
    }
    // Asked again rather than kept: the loop has no register to spare.
    finish(this_item(), o, state);
  }

  __device__ __forceinline__ void wait_for_keys(std::uint32_t tile) const {
    ptx::mbarrier_wait(shared_.key_full(tile & 1), tile >> 1 & 1);
  }

  /// S = Q K^T of the tile at hand, whose keys are there.
  __device__ __forceinline__ void issue_scores(Scores& s) const {
    hopper::issue_scores<Element, Shared, kHeadDim, kKeyTile>(
        s, shared_.query() + group_ * 64 * 128, shared_.key(tile_ & 1));
  }

  /// O += P V of an earlier tile.
  __device__ __forceinline__ void issue_outputs(Outputs& o, Probabilities& p,
                                                std::uint32_t tile) const {
    const int stage = tile & 1;
    ptx::mbarrier_wait(shared_.value_full(stage), tile >> 1 & 1);
    const std::uint64_t b = ptx::swizzled_operand(shared_.value(stage), Shared::kKeyHalf);
    ptx::keep_registers(o);
    ptx::keep_registers(p);
    ptx::wgmma_fence();
#pragma unroll
    for (int k = 0; k < kKeyTile / 16; ++k) {
      ptx::WgmmaRegisters<kHeadDim, Element>::run(o, p + 4 * k, b + k * (16 * 128 / 16), 1);
    }
    ptx::wgmma_commit();
  }

  /// A warp is done with what a barrier guards.
  __device__ __forceinline__ void release(std::uint32_t barrier) const {
    __syncwarp();
    if (lane_ == 0) ptx::mbarrier_arrive(barrier);
  }

  /// Bits of a merged item's frames that this thread's two rows belong to; of an ordinary item,
  /// none.
  struct RowFrames {
    std::uint32_t bit[2];
    std::uint32_t all;
  };

  __device__ __forceinline__ int tile_row(int r) const {
    return group_ * 64 + warp_ * 16 + lane_ / 4 + 8 * r;
  }

  __device__ __forceinline__ RowFrames row_frames(const WorkItem& item) const {
    RowFrames rows{};
    if (item.merged > 0) {
      rows.all = (1u << item.merged) - 1u;
      for (int r = 0; r < 2; ++r) {
        // Rows past the last frame belong to it, so that they have keys like the others.
        rows.bit[r] = 1u << min(tile_row(r) / p_.items.merged_rows, item.merged - 1);
      }
    }
    return rows;
  }

  /// Which of a merged item's frames attend the tile at hand.
  __device__ __forceinline__ std::uint32_t attending_frames(const RowFrames& rows) const {
    if (rows.all == 0) return 0;
    const std::uint32_t frames = lane_ == 0 ? shared_.tile_frames(tile_ & 1) : 0;
    return static_cast<std::uint32_t>(from_lane_0(static_cast<int>(frames)));
  }

  /// Counts an item's tiles: frames come first, each with a tail of its own, then the text.
  struct TileCount {
    int left;
    int in_frame = 0;

    /// Keys of the next tile.
    __device__ __forceinline__ int keys(const Parameters& p) {
      --left;
      if (left < p.text_tiles) return left == 0 ? p.text_tail : kKeyTile;
      ++in_frame;
      if (in_frame < p.frame_tiles) return kKeyTile;
      in_frame = 0;
      return p.frame_tail;
    }
  };

  /// A frame's last tile may hold few keys: the exponentials of the others are spared where they
  /// are the limit. Longer products leave them time.
  __device__ __forceinline__ void softmax(Scores& s, int keys, std::uint32_t attending,
                                          const RowFrames& rows, RowState& state,
                                          float (&alpha)[2]) const {
    constexpr int kFewKeys = 128;
    mask(s, keys, attending, rows);
    if (kHeadDim == 64 && kKeyTile - kFewKeys >= 32 && keys <= kFewKeys) {
      softmax_tile<kFewKeys / 2>(s, state, alpha, p_.scale_log2);
    } else {
      softmax_tile<kKeyTile / 2>(s, state, alpha, p_.scale_log2);
    }
  }

  __device__ __forceinline__ void mask(Scores& s, int keys, std::uint32_t attending,
                                       const RowFrames& rows) const {
    if (keys < kKeyTile) mask_columns(s, keys, lane_);
    if ((attending & rows.all) != rows.all) {
      if ((attending & rows.bit[0]) == 0) mask_row(s, 0);
      if ((attending & rows.bit[1]) == 0) mask_row(s, 1);
    }
  }

  __device__ __forceinline__ void finish(const WorkItem& item, Outputs& o, RowState& state) const {
    float inverse[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const float sum = quad_sum(state.sum[r]);
      inverse[r] = sum == 0.0f ? 0.0f : 1.0f / sum;
      std::int64_t token = 0;
      if (p_.lse != nullptr && lane_ % 4 == 0 && row_token(p_, item, tile_row(r), &token)) {
        p_.lse[item.batch * p_.lse_strides.batch + token * p_.lse_strides.token +
               item.head * p_.lse_strides.head] =
            sum == 0.0f ? kMinusInfinity : state.max[r] * p_.scale + logf(sum);
      }
    }
    mark_if_not_finite(p_, item, o, lane_);
    // The rows go through the group's part of the query tile. Its warps may still be reading
    // queries.
    ptx::barrier_sync(3 + group_, 128);
    const int first_row = group_ * 64 + warp_ * 16;
    write_rows<Element, kHeadDim>(p_, item, first_row, shared_.query() + first_row * 128,
                                  Shared::kQueryHalf, o, inverse, lane_);
    // The next queries come by the copy engine.
    ptx::fence_proxy_async();
    release(shared_.query_empty());
  }

  const Parameters& p_;
  Shared shared_;
  int group_;
  int warp_;
  int lane_;
  std::uint32_t tile_ = 0;  ///< tiles of the ring taken
};

}  // namespace lvsa::cuda::hopper
