#pragma once
// The warp that loads: takes work items, walks their key frames, fills the ring.

#include <cstdint>

#include "cuda/attention/hopper/item_loader.cuh"
#include "cuda/attention/hopper/parameters.hpp"
#include "cuda/attention/hopper/shared_layout.cuh"
#include "cuda/attention/hopper/work_item.cuh"
#include "cuda/ptx/mbarrier.cuh"
#include "cuda/ptx/tma.cuh"

namespace lvsa::cuda::hopper {

template <int kHeadDim, int kKeyTile>
class Producer {
 public:
  __device__ __forceinline__ Producer(const Parameters& p, char* dynamic_shared, int lane)
      : p_(p), shared_(dynamic_shared), lane_(lane), items_(p, shared_, lane) {}

  __device__ __forceinline__ void run() {
    items_.run([this](std::int64_t index) { produce(index); });
  }

 private:
  using Shared = SharedLayout<kHeadDim, kKeyTile>;

  __device__ __forceinline__ void produce(std::int64_t index) {
    const WorkItem item = work_item(p_, index);
    const int frames = FrameWalk(p_, item, lane_).count(item.merged);
    const int tiles = frames * p_.frame_tiles + p_.text_tiles;
    const int kv_head = item.head / p_.heads_per_group;
    bool query_due = true;

    FrameWalk walk(p_, item, lane_);
    std::uint32_t mask = 0;
    for (int frame = walk.next(&mask); frame >= 0; frame = walk.next(&mask)) {
      for (int tile = 0; tile < p_.frame_tiles; ++tile) {
        load_key(p_.key, tile, frame, kv_head, item.batch, mask);
        if (query_due) items_.load_query(item, index, tiles);
        query_due = false;
        load_value(p_.value, tile, frame, kv_head, item.batch);
      }
    }
    for (int tile = 0; tile < p_.text_tiles; ++tile) {
      load_key(p_.text_key, tile, 0, kv_head, item.batch, 0xffffu);
      if (query_due) items_.load_query(item, index, tiles);
      query_due = false;
      load_value(p_.text_value, tile, 0, kv_head, item.batch);
    }
    if (query_due) items_.load_query(item, index, tiles);
  }

  __device__ __forceinline__ void load_key(const CUtensorMap& map, int tile, int frame, int head,
                                           int batch, std::uint32_t attending) {
    const int stage = loads_ & 1;
    ptx::mbarrier_wait(shared_.key_empty(stage), loads_ >> 1 & 1 ^ 1);
    if (lane_ == 0) {
      shared_.tile_frames(stage) = attending;
      ptx::mbarrier_arrive_expect(shared_.key_full(stage), Shared::kKeyBytes);
      load_tile(map, shared_.key(stage), shared_.key_full(stage), tile, frame, head, batch);
    }
    __syncwarp();
  }

  __device__ __forceinline__ void load_value(const CUtensorMap& map, int tile, int frame, int head,
                                             int batch) {
    const int stage = loads_ & 1;
    ptx::mbarrier_wait(shared_.value_empty(stage), loads_ >> 1 & 1 ^ 1);
    if (lane_ == 0) {
      ptx::mbarrier_arrive_expect(shared_.value_full(stage), Shared::kKeyBytes);
      load_tile(map, shared_.value(stage), shared_.value_full(stage), tile, frame, head, batch);
    }
    __syncwarp();
    ++loads_;
  }

  __device__ __forceinline__ void load_tile(const CUtensorMap& map, std::uint32_t destination,
                                            std::uint32_t barrier, int tile, int frame, int head,
                                            int batch) {
#pragma unroll
    for (int half = 0; half < kHeadDim / 64; ++half) {
      ptx::tma_load_5d(destination + half * Shared::kKeyHalf, &map, barrier, half * 64,
                       tile * kKeyTile, frame, head, batch);
    }
  }

  const Parameters& p_;
  Shared shared_;
  int lane_;
  ItemLoader<Parameters, Shared, kHeadDim / 64, 64> items_;
  std::uint32_t loads_ = 0;  ///< key and value tiles loaded
};

}  // namespace lvsa::cuda::hopper
