#pragma once
// A warpgroup that computes: 64 query rows against all key tiles of an item.
//
// As in the LVSA kernel (cuda/attention/hopper/consumer.cuh), S of a tile is issued before P V of
// the one before, and the two warpgroups take turns at issuing.

#include <cstdint>

#include "cuda/attention/blocks_hopper/parameters.hpp"
#include "cuda/attention/blocks_hopper/shared_layout.cuh"
#include "cuda/attention/blocks_hopper/skip.cuh"
#include "cuda/attention/blocks_hopper/tile_mask.cuh"
#include "cuda/attention/hopper/output_rows.cuh"
#include "cuda/attention/hopper/scores.cuh"
#include "cuda/attention/hopper/softmax.cuh"
#include "cuda/ptx/mbarrier.cuh"
#include "cuda/ptx/warpgroup.cuh"
#include "cuda/ptx/wgmma.cuh"

namespace lvsa::cuda::blocks {

template <typename Element, int kHeadDim, bool kPaired, bool kSkip>
class Consumer {
 public:
  /// `group` is 0 or 1, `thread` counts from 0 within the warpgroup.
  __device__ __forceinline__ Consumer(const Parameters& p, char* dynamic_shared, int group,
                                      int thread)
      : p_(p),
        shared_(dynamic_shared),
        group_(group),
        warp_(thread / 32),
        lane_(thread % 32),
        skip_(shared_, group, thread / 32, thread % 32) {}

  __device__ __forceinline__ void run() {
    if (group_ == 1) pass_turn();  // group 0 begins
    for (std::uint32_t done = 0;; ++done) {
      ptx::mbarrier_wait(shared_.query_full(), done & 1);
      if (from_lane_0(lane_ == 0 ? shared_.header().batch_head : 0) < 0) return;
      compute();
    }
  }

 private:
  using Shared = SharedLayout<kHeadDim>;
  /// Turns at issuing, so that one group's softmax runs under the other's products. They come about
  /// by themselves where both groups have the same tiles; taking them costs 2 %. Where groups pass
  /// over tiles they save 2 to 6 %.
  static constexpr bool kTurns = kPaired && kHeadDim > 64;
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

  __device__ __forceinline__ void compute() {
    const int tiles = from_lane_0(lane_ == 0 ? shared_.header().tiles : 0);
    Outputs o;
#pragma unroll
    for (float& x : o) x = 0.0f;
    hopper::RowState state;
    masked_ = kSkip;  // a skipped block is multiplied with zero, too
    if (tiles > 0) {
      if constexpr (kPaired || kSkip) {
        take_some(o, state);
      } else {
        take_all(o, state, tiles);
      }
    }
    finish(o, state);
  }

  /// All tiles, both groups the same.
  __device__ __forceinline__ void take_all(Outputs& o, hopper::RowState& state, int tiles) {
    Scores s;
    Probabilities p;
    float alpha[2];
    wait_for_keys();
    issue_scores(s);
    TileMask mask;
    bool careful = read_tile_mask(tile_state(), &mask);
    ptx::wgmma_wait<0>();
    ptx::keep_registers(s);
    release(shared_.key_empty(keys_.stage));
    keys_.advance();
    if (careful) apply_mask(s, mask);
    hopper::softmax_tile<kKeyTile / 2>(s, state, alpha, p_.scale_log2);
    hopper::pack_all<Element>(p, s);
    if (tiles > 1) wait_for_keys();
    for (int n = 1; n < tiles; ++n) {
      take_turn();
      issue_scores(s);
      issue_outputs(o, p);
      pass_turn();
      careful = read_tile_mask(tile_state(), &mask);
      ptx::wgmma_wait<1>();
      ptx::keep_registers(s);
      release(shared_.key_empty(keys_.stage));
      keys_.advance();
      if (careful) apply_mask(s, mask);
      hopper::softmax_tile<kKeyTile / 2>(s, state, alpha, p_.scale_log2);
      ptx::keep_registers(s);
      // A loop ends the basic block: the exponentials stay in front of the wait for P V.
      if (n + 1 < tiles) wait_for_keys();
      ptx::wgmma_wait<0>();
      ptx::keep_registers(o);
      ptx::keep_registers(p);
      release_values();
      rescale(o, alpha);
      hopper::pack_all<Element>(p, s);
    }
    issue_outputs(o, p);
    ptx::wgmma_wait<0>();
    ptx::keep_registers(o);
    ptx::keep_registers(p);
    release_values();
  }

  /// Tiles of which the group attends some, or of which some are skipped by their scores: runs of
  /// tiles that count, each as take_all() does it. Products stand in no branch of their own: ptxas
  /// would wait for each of them.
  __device__ __forceinline__ void take_some(Outputs& o, hopper::RowState& state) {
    Scores s;
    Probabilities p;
    float alpha[2];
    TileMask mask;
    const float threshold = skip_threshold();
    const int rows = kSkip ? rows_here() : 0;
    bool first = true;
    bool last = false;
    while (!last) {
      wait_for_keys();
      int info = tile_state();
      last = (info & kLastTile) != 0;
      if (!first) take_turn();
      if (!attends(info)) {
        if (!first) pass_turn();
        first = false;
        release(shared_.key_empty(keys_.stage));
        keys_.advance();
        pass_over_values();
        continue;
      }
      issue_scores(s);
      if (!first) pass_turn();
      first = false;
      bool careful = read_tile_mask(info, &mask);
      ptx::wgmma_wait<0>();
      ptx::keep_registers(s);
      release(shared_.key_empty(keys_.stage));
      keys_.advance();
      if (careful) apply_mask(s, mask);
      if (!softmax(s, state, alpha, info, threshold, rows)) {
        pass_over_values();
        continue;
      }
      rescale(o, alpha);
      hopper::pack_all<Element>(p, s);
      bool pending = true;  // P waits for its product with V
      while (pending && !last) {
        wait_for_keys();
        info = tile_state();
        if (!attends(info)) break;
        last = (info & kLastTile) != 0;
        take_turn();
        issue_scores(s);
        issue_outputs(o, p);
        pass_turn();
        careful = read_tile_mask(info, &mask);
        ptx::wgmma_wait<1>();
        ptx::keep_registers(s);
        release(shared_.key_empty(keys_.stage));
        keys_.advance();
        if (careful) apply_mask(s, mask);
        pending = softmax(s, state, alpha, info, threshold, rows);
        ptx::keep_registers(s);
        ptx::wgmma_wait<0>();
        ptx::keep_registers(o);
        ptx::keep_registers(p);
        release_values();
        if (pending) {
          rescale(o, alpha);
          hopper::pack_all<Element>(p, s);
        } else {
          pass_over_values();
        }
      }
      if (pending) {
        issue_outputs(o, p);
        ptx::wgmma_wait<0>();
        ptx::keep_registers(o);
        ptx::keep_registers(p);
        release_values();
      }
    }
  }

  __device__ __forceinline__ bool attends(int info) const {
    return !kPaired || (info & kAttends << group_) != 0;
  }

  /// False: the tile is skipped.
  __device__ __forceinline__ bool softmax(Scores& s, hopper::RowState& state, float (&alpha)[2],
                                          int info, float threshold, int rows) {
    if constexpr (kSkip) {
      return skip_.run(s, state, alpha, p_, threshold, info >> 2 * group_ & 3 * kLastBlock, rows);
    }
    hopper::softmax_tile<kKeyTile / 2>(s, state, alpha, p_.scale_log2);
    return true;
  }

  /// The values must be there: until then, their barrier still counts the ones before.
  __device__ __forceinline__ void pass_over_values() {
    ptx::mbarrier_wait(shared_.value_full(values_.stage), values_.phase);
    release_values();
  }

  __device__ __forceinline__ void wait_for_keys() const {
    ptx::mbarrier_wait(shared_.key_full(keys_.stage), keys_.phase);
  }

  /// S = Q K^T of the tile at hand, whose keys are there.
  __device__ __forceinline__ void issue_scores(Scores& s) const {
    hopper::issue_scores<Element, Shared, kHeadDim, kKeyTile>(
        s, shared_.query() + group_ * kGroupRows * 128, shared_.key(keys_.stage));
  }

  /// O += P V of the tile whose values are next.
  __device__ __forceinline__ void issue_outputs(Outputs& o, Probabilities& p) const {
    ptx::mbarrier_wait(shared_.value_full(values_.stage), values_.phase);
    const std::uint64_t b = ptx::swizzled_operand(shared_.value(values_.stage), Shared::kKeyHalf);
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
  __device__ __forceinline__ void release_values() {
    release(shared_.value_empty(values_.stage));
    values_.advance();
  }

  __device__ __forceinline__ static void rescale(Outputs& o, const float (&alpha)[2]) {
#pragma unroll
    for (int i = 0; i < kHeadDim / 2; ++i) o[i] *= alpha[i >> 1 & 1];
  }

  __device__ __forceinline__ int tile_state() const {
    return from_lane_0(lane_ == 0 ? shared_.tile_info(keys_.stage).state : 0);
  }

  /// The masks of the tile at hand, where there are any. Asked for while its scores are under way.
  __device__ __forceinline__ bool read_tile_mask(int state, TileMask* mask) {
    if ((state & kCareful << group_) == 0) return false;
    volatile const TileInfo& info = shared_.tile_info(keys_.stage);
    int keys[2];
    int masks[2];
#pragma unroll
    for (int u = 0; u < 2; ++u) {
      keys[u] = from_lane_0(lane_ == 0 ? info.keys[u] : 0);
      masks[u] = from_lane_0(lane_ == 0 ? info.mask[group_][u] : 0);
      masked_ = masked_ || masks[u] >= 0;
    }
    const int row = group_row() + (kPaired ? 0 : group_ * kGroupRows);
    *mask = read_mask(p_.maps, keys, masks, row, lane_);
    return true;
  }

  /// The first of this thread's two rows, within the group's 64.
  __device__ __forceinline__ int group_row() const { return warp_ * 16 + lane_ / 4; }

  /// Rows of the group that there are.
  __device__ __forceinline__ int rows_here() const {
    return from_lane_0(lane_ == 0 ? shared_.header().rows[group_] : 0) - group_row();
  }

  __device__ __forceinline__ float skip_threshold() const {
    if constexpr (!kSkip) return 0.0f;
    const int batch_head = from_lane_0(lane_ == 0 ? shared_.header().batch_head : 0);
    return p_.maps.skip_log2[batch_head % p_.heads];
  }

  /// Where the item's rows lie.
  struct Place {
    int batch;
    int head;
    int row_block;
    int begin;
    int rows;
    const std::int32_t* order;  ///< null: none
  };

  __device__ __forceinline__ Place place() const {
    volatile const ItemHeader& header = shared_.header();
    const int batch_head = from_lane_0(lane_ == 0 ? header.batch_head : 0);
    const int item = from_lane_0(lane_ == 0 ? header.item : 0);
    Place place;
    place.batch = batch_head / p_.heads;
    place.head = batch_head - place.batch * p_.heads;
    place.row_block = kPaired ? 2 * item + group_ : item;
    place.begin = from_lane_0(lane_ == 0 ? header.begin[group_] : 0);
    place.rows = from_lane_0(lane_ == 0 ? header.rows[group_] : 0);
    const int order = p_.maps.order_of_head == nullptr ? -1 : p_.maps.order_of_head[batch_head];
    place.order = order < 0 ? nullptr : p_.maps.orders + std::int64_t{order} * p_.tokens;
    return place;
  }

  __device__ __forceinline__ void finish(Outputs& o, hopper::RowState& state) const {
    const Place at = place();
    const auto row_token = [&at](int row, std::int64_t* token) {
      if (row >= at.rows) return false;
      *token = at.order == nullptr ? at.begin + row : at.order[at.begin + row];
      return true;
    };
    float inverse[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const float sum = hopper::quad_sum(state.sum[r]);
      inverse[r] = sum == 0.0f ? 0.0f : 1.0f / sum;
      std::int64_t token = 0;
      if (p_.lse != nullptr && lane_ % 4 == 0 && row_token(group_row() + 8 * r, &token)) {
        p_.lse[at.batch * p_.lse_strides.batch + token * p_.lse_strides.token +
               at.head * p_.lse_strides.head] =
            sum == 0.0f ? hopper::kMinusInfinity : state.max[r] * p_.scale + logf(sum);
      }
    }
    if (masked_) mark_if_not_finite(at, o);
    // With a threshold below 0 a skipped block may hold a row's maximum, which SkipSoftmax
    // excludes.
    if (kSkip && p_.maps.skip_log2[at.head] < 0.0f) mark(at, kAllRows);
    // The rows go through the group's part of the query tile. Its warps may still be reading
    // queries.
    ptx::barrier_sync(3 + group_, 128);
    Element* const out = static_cast<Element*>(p_.out) + at.batch * p_.out_strides.batch +
                         at.head * p_.out_strides.head;
    hopper::write_rows<Element, kHeadDim>(
        out, p_.out_strides.token, row_token, warp_ * 16,
        shared_.query() + (group_ * kGroupRows + warp_ * 16) * 128, Shared::kQueryHalf, o, inverse,
        lane_);
    // The next queries come by the copy engine, or gathered: each lane has read rows that these
    // overwrite, and says so itself.
    ptx::fence_proxy_async();
    ptx::mbarrier_arrive(shared_.query_empty());
  }

  /// A pair that a mask leaves out is multiplied with zero, which an infinity or a NaN in its v
  /// survives: such row blocks are made again.
  __device__ __forceinline__ void mark_if_not_finite(const Place& at, const Outputs& o) const {
    float zero = 0.0f;
#pragma unroll
    for (int i = 0; i < kHeadDim / 2; ++i) zero = fmaf(o[i], 0.0f, zero);
    if (__any_sync(0xffffffffu, !(zero == 0.0f))) mark(at, kSpoiltRows);
  }

  __device__ __forceinline__ void mark(const Place& at, std::int32_t which) const {
    if (lane_ != 0 || at.rows <= 0) return;
    p_.marks[(std::int64_t{at.batch} * p_.heads + at.head) * p_.maps.row_blocks + at.row_block] =
        which;
  }

  const Parameters& p_;
  Shared shared_;
  int group_;
  int warp_;
  int lane_;
  SkipSoftmax<kHeadDim, kPaired> skip_;
  bool masked_ = false;  ///< pairs of the item that do not count are multiplied with zero
  Ring keys_;
  Ring values_;
};

}  // namespace lvsa::cuda::blocks
