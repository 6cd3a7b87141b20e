#pragma once
// The warp that loads: takes work items, walks their key blocks, fills the ring.

#include <cstdint>

#include "cuda/attention/fp8/block_walk.cuh"
#include "cuda/attention/fp8/parameters.hpp"
#include "cuda/attention/fp8/shared_layout.cuh"
#include "cuda/attention/hopper/item_loader.cuh"
#include "cuda/attention/hopper/work_item.cuh"
#include "cuda/ptx/mbarrier.cuh"
#include "cuda/ptx/tma.cuh"

namespace lvsa::cuda::fp8 {

class Producer {
 public:
  __device__ __forceinline__ Producer(const Parameters& p, char* dynamic_shared, int lane)
      : p_(p), shared_(dynamic_shared), lane_(lane), items_(p, shared_, lane) {}

  __device__ __forceinline__ void run() {
    items_.run([this](std::int64_t index) { produce(index); });
  }

 private:
  __device__ __forceinline__ void produce(std::int64_t index) {
    const hopper::WorkItem item = hopper::work_item(p_, index);
    const int frames = hopper::FrameWalk(p_, item, lane_).count(item.merged);
    const int blocks = frames * p_.frame_blocks + p_.text_blocks;
    const int tiles = (blocks + kTileBlocks - 1) / kTileBlocks;
    if (tiles == 0) items_.load_query(item, index, tiles);
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
      if (tile == 0) items_.load_query(item, index, tiles);
      ++loads_;
    }
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

  const Parameters& p_;
  SharedLayout shared_;
  int lane_;
  hopper::ItemLoader<Parameters, SharedLayout, 1, kHeadDim> items_;
  std::uint32_t loads_ = 0;  ///< key and value tiles loaded
};

}  // namespace lvsa::cuda::fp8
