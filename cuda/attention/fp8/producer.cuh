#pragma once
// The warp that loads: takes work items, walks their key blocks, fills the ring.

#include <cstdint>

#include "cuda/attention/fp8/block_walk.cuh"
#include "cuda/attention/fp8/parameters.hpp"
#include "cuda/attention/fp8/shared_layout.cuh"
#include "cuda/attention/hopper/work_item.cuh"
#include "cuda/ptx/mbarrier.cuh"
#include "cuda/ptx/tma.cuh"

namespace lvsa::cuda::fp8 {

class Producer {
 public:
  __device__ __forceinline__ Producer(const Parameters& p, char* dynamic_shared, int lane)
      : p_(p), shared_(dynamic_shared), lane_(lane) {}

  __device__ __forceinline__ void run() {
    std::int64_t index = blockIdx.x;
    const std::int64_t count = hopper::item_count(p_);
    while (index < count) {
      const std::int64_t next = take_next();
      if (hopper::item_is_due(p_, index)) produce(index);
      index = next;
    }
    ptx::mbarrier_wait(shared_.query_empty(), items_done_ & 1 ^ 1);
    if (lane_ == 0) {
      shared_.header().item = -1;
      ptx::mbarrier_arrive(shared_.query_full());
    }
  }

 private:
  /// Asked for an item ahead, so that the answer is there when it is needed.
  __device__ __forceinline__ std::int64_t take_next() {
    int ticket = 0;
    if (lane_ == 0) ticket = atomicAdd(p_.next_item, 1);
    return std::int64_t{gridDim.x} + __shfl_sync(0xffffffffu, ticket, 0);
  }

  __device__ __forceinline__ void produce(std::int64_t index) {
    const hopper::WorkItem item = hopper::work_item(p_, index);
    const int frames = hopper::FrameWalk(p_, item, lane_).count(item.merged);
    const int blocks = frames * p_.frame_blocks + p_.text_blocks;
    const int tiles = (blocks + kTileBlocks - 1) / kTileBlocks;
    if (tiles == 0) load_query(item, index, tiles);
    BlockWalk walk(p_, item, lane_);
    for (int tile = 0; tile < tiles; ++tile) {
      const int stage = loads_ % kStages;
      const std::uint32_t free = loads_ / kStages & 1 ^ 1;
      ptx::mbarrier_wait(shared_.key_empty(stage), free);
      ptx::mbarrier_wait(shared_.value_empty(stage), free);
      if (walk.whole_tile()) {
        const KeyBlock first = walk.next_tile();
        if (lane_ == 0) load_tile(item, first, stage);
      } else {
        KeyBlock each[kTileBlocks];
#pragma unroll
        for (KeyBlock& block : each) block = walk.next();
        if (lane_ == 0) load_blocks(item, each, stage);
      }
      __syncwarp();
      if (tile == 0) load_query(item, index, tiles);
      ++loads_;
    }
    ++items_done_;
  }

  /// A whole tile at once.
  __device__ __forceinline__ void load_tile(const hopper::WorkItem& item, const KeyBlock& first,
                                            int stage) {
    const std::uint32_t everyone = item.merged > 0 ? (1u << item.merged) - 1u : 1u;
    const bool all = (first.attending & everyone) == everyone;
    const int last_keys = first.keys - (kKeyTile - kBlockKeys);
    const std::uint32_t note = all ? 0 : note_of(kBlockKeys, first.attending);
#pragma unroll
    for (int i = 0; i < kTileBlocks - 1; ++i) shared_.block_notes(stage)[i] = note;
    shared_.block_notes(stage)[kTileBlocks - 1] =
        all && last_keys == kBlockKeys ? 0 : note_of(last_keys, first.attending);
    announce(stage, kTileBlocks);
    const int kv_head = item.head / p_.heads_per_group;
    ptx::tma_load_5d(shared_.key(stage), first.is_text ? &p_.text_key_tile : &p_.key_tile,
                     shared_.key_full(stage), 0, first.block * kBlockKeys, first.frame, kv_head,
                     item.batch);
    ptx::bulk_load(shared_.value(stage), values_of(item, kv_head, first), SharedLayout::kTileBytes,
                   shared_.value_full(stage));
  }

  /// Blocks past the last one are zeros in V: what P's zeros are multiplied with must be finite.
  __device__ __forceinline__ void load_blocks(const hopper::WorkItem& item,
                                              const KeyBlock (&each)[kTileBlocks], int stage) {
    const std::uint32_t everyone = item.merged > 0 ? (1u << item.merged) - 1u : 1u;
    const int kv_head = item.head / p_.heads_per_group;
    int present = 0;
#pragma unroll
    for (int i = 0; i < kTileBlocks; ++i) {
      const bool whole = each[i].keys == kBlockKeys && (each[i].attending & everyone) == everyone;
      shared_.block_notes(stage)[i] = whole ? 0 : note_of(each[i].keys, each[i].attending);
      present += each[i].keys > 0;
    }
    announce(stage, present);
#pragma unroll
    for (int i = 0; i < kTileBlocks; ++i) {
      if (each[i].keys > 0) {
        ptx::tma_load_5d(shared_.key(stage) + i * kBlockBytes,
                         each[i].is_text ? &p_.text_key : &p_.key, shared_.key_full(stage), 0,
                         each[i].block * kBlockKeys, each[i].frame, kv_head, item.batch);
      }
      ptx::bulk_load(shared_.value(stage) + i * kBlockBytes, values_of(item, kv_head, each[i]),
                     kBlockBytes, shared_.value_full(stage));
    }
  }

  /// Comes after the notes: consumers read them once the keys have arrived.
  __device__ __forceinline__ void announce(int stage, int key_blocks) const {
    ptx::mbarrier_arrive_expect(shared_.key_full(stage), key_blocks * kBlockBytes);
    ptx::mbarrier_arrive_expect(shared_.value_full(stage), SharedLayout::kTileBytes);
  }

  static __device__ __forceinline__ std::uint32_t note_of(int keys, std::uint32_t attending) {
    return static_cast<std::uint32_t>(keys) | attending << 16 | 0x8000u;
  }

  __device__ __forceinline__ const char* values_of(const hopper::WorkItem& item, int kv_head,
                                                   const KeyBlock& block) const {
    if (block.keys == 0) return p_.values.data;
    const int frame = block.is_text ? p_.frames : block.frame;
    const std::int64_t head = std::int64_t{item.batch} * p_.kv_heads + kv_head;
    const std::int64_t index =
        1 + head * p_.values.head_blocks + std::int64_t{frame} * p_.frame_blocks + block.block;
    return p_.values.data + index * kBlockBytes;
  }

  __device__ __forceinline__ void load_query(const hopper::WorkItem& item, std::int64_t index,
                                             int tiles) {
    ptx::mbarrier_wait(shared_.query_empty(), items_done_ & 1 ^ 1);
    if (lane_ == 0) {
      shared_.header().item = static_cast<int>(index);
      shared_.header().tiles = tiles;
      const int loads = max(item.merged, 1);
      const std::uint32_t rows = item.merged > 0 ? p_.items.merged_rows : kQueryTile;
      const std::uint32_t barrier = shared_.query_full();
      ptx::mbarrier_arrive_expect(barrier, loads * rows * kHeadDim);
      const CUtensorMap& map = item.is_text      ? p_.text_query
                               : item.merged > 0 ? p_.query_merged
                                                 : p_.query;
      for (int i = 0; i < loads; ++i) {
        ptx::tma_load_5d(shared_.query() + i * rows * kHeadDim, &map, barrier, 0, item.row,
                         item.frame + i, item.head, item.batch);
      }
    }
    __syncwarp();
  }

  const Parameters& p_;
  SharedLayout shared_;
  int lane_;
  std::uint32_t loads_ = 0;  ///< key and value tiles loaded
  std::uint32_t items_done_ = 0;
};

}  // namespace lvsa::cuda::fp8
