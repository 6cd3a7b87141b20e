#pragma once
// The warp that loads: takes work items, walks their key frames, fills the ring.

#include <cstdint>

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
      : p_(p), shared_(dynamic_shared), lane_(lane) {}

  __device__ __forceinline__ void run() {
    std::int64_t index = blockIdx.x;
    const std::int64_t count = item_count(p_);
    while (index < count) {
      const std::int64_t next = take_next();
      if (item_is_due(p_, index)) produce(index);
      index = next;
    }
    ptx::mbarrier_wait(shared_.query_empty(), items_done_ & 1 ^ 1);
    if (lane_ == 0) {
      shared_.header().item = -1;
      ptx::mbarrier_arrive(shared_.query_full());
    }
  }

 private:
  using Shared = SharedLayout<kHeadDim, kKeyTile>;

  /// Asked for an item ahead, so that the answer is there when it is needed.
  __device__ __forceinline__ std::int64_t take_next() {
    int ticket = 0;
    if (lane_ == 0) ticket = atomicAdd(p_.next_item, 1);
    return std::int64_t{gridDim.x} + __shfl_sync(0xffffffffu, ticket, 0);
  }

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
        if (query_due) load_query(item, index, tiles);
        query_due = false;
        load_value(p_.value, tile, frame, kv_head, item.batch);
      }
    }
    for (int tile = 0; tile < p_.text_tiles; ++tile) {
      load_key(p_.text_key, tile, 0, kv_head, item.batch, 0xffffu);
      if (query_due) load_query(item, index, tiles);
      query_due = false;
      load_value(p_.text_value, tile, 0, kv_head, item.batch);
    }
    if (query_due) load_query(item, index, tiles);
    ++items_done_;
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

  __device__ __forceinline__ void load_query(const WorkItem& item, std::int64_t index, int tiles) {
    ptx::mbarrier_wait(shared_.query_empty(), items_done_ & 1 ^ 1);
    if (lane_ == 0) {
      shared_.header().item = static_cast<int>(index);
      shared_.header().tiles = tiles;
      const int loads = max(item.merged, 1);
      const std::uint32_t rows = item.merged > 0 ? p_.items.merged_rows : kQueryTile;
      const std::uint32_t barrier = shared_.query_full();
      ptx::mbarrier_arrive_expect(barrier, loads * rows * kHeadDim * 2);
      const CUtensorMap& map = item.is_text      ? p_.text_query
                               : item.merged > 0 ? p_.query_merged
                                                 : p_.query;
      for (int i = 0; i < loads; ++i) {
#pragma unroll
        for (int half = 0; half < kHeadDim / 64; ++half) {
          ptx::tma_load_5d(shared_.query() + half * Shared::kQueryHalf + i * rows * 128, &map,
                           barrier, half * 64, item.row, item.frame + i, item.head, item.batch);
        }
      }
    }
    __syncwarp();
  }

  const Parameters& p_;
  Shared shared_;
  int lane_;
  std::uint32_t loads_ = 0;  ///< key and value tiles loaded
  std::uint32_t items_done_ = 0;
};

}  // namespace lvsa::cuda::hopper
