#pragma once
// The warp that loads: takes items, walks their key blocks, fills the rings.

#include <cstdint>

#include "cuda/attention/blocks_hopper/parameters.hpp"
#include "cuda/attention/blocks_hopper/shared_layout.cuh"
#include "cuda/attention/blocks_hopper/tile_walk.cuh"
#include "cuda/ptx/copy_async.cuh"
#include "cuda/ptx/mbarrier.cuh"
#include "cuda/ptx/tma.cuh"
#include "cuda/ptx/warpgroup.cuh"

namespace lvsa::cuda::blocks {

template <int kHeadDim, bool kPaired>
class Producer {
 public:
  __device__ __forceinline__ Producer(const Parameters& p, char* dynamic_shared, int lane)
      : p_(p), shared_(dynamic_shared), lane_(lane) {}

  __device__ __forceinline__ void run() {
    const int items = p_.batch_heads * p_.head_items;
    // Where many are long, none is longer than most.
    const int first = *p_.long_count <= items / 8 ? *p_.long_count : 0;
    int index = static_cast<int>(blockIdx.x);
    while (index < first + items) {
      const int next = take_next();
      if (index < first) {
        produce(p_.long_items[index]);
      } else if (first == 0 || !is_long(index - first)) {
        produce(index - first);
      }
      index = next;
    }
    wait_for_room();
    if (lane_ == 0) {
      shared_.header().batch_head = -1;
      ptx::mbarrier_arrive(shared_.query_full());
    }
  }

 private:
  using Shared = SharedLayout<kHeadDim>;

  /// An item of a head.
  struct Item {
    int batch_head;
    int batch;
    int head;
    int index;
    const std::int32_t* order;  ///< null: none
  };

  /// Asked for an item ahead, so that the answer is there when it is needed.
  __device__ __forceinline__ int take_next() {
    int ticket = 0;
    if (lane_ == 0) ticket = atomicAdd(p_.next_item, 1);
    return static_cast<int>(gridDim.x) + __shfl_sync(0xffffffffu, ticket, 0);
  }

  __device__ __forceinline__ bool is_long(int id) const {
    const int batch_head = id / p_.head_items;
    return item_is_long(p_, kPaired, batch_head, id - batch_head * p_.head_items);
  }

  __device__ __forceinline__ void produce(int id) {
    Item item;
    item.batch_head = id / p_.head_items;
    item.index = id - item.batch_head * p_.head_items;
    item.batch = item.batch_head / p_.heads;
    item.head = item.batch_head - item.batch * p_.heads;
    item.order = nullptr;
    if (p_.maps.order_of_head != nullptr) {
      const int order = p_.maps.order_of_head[item.batch_head];
      if (order >= 0) item.order = p_.maps.orders + std::int64_t{order} * p_.tokens;
    }
    const int kv_head = item.head / p_.heads_per_group;
    TileWalk<kPaired> walk(p_.maps, p_.maps.map_of_head[item.batch_head], item.index, lane_);
    const int tiles = walk.tiles();
    bool query_due = true;
    while (walk.more()) {
      const Tile tile = walk.next(p_.key_tokens);
      load_key(tile, kv_head, item.batch);
      if (query_due) load_query(item, tiles);
      query_due = false;
      load_value(tile, kv_head, item.batch);
    }
    if (query_due) load_query(item, tiles);
  }

  __device__ __forceinline__ void load_key(const Tile& tile, int head, int batch) {
    const std::uint32_t stage = ring_.stage;
    ptx::mbarrier_wait(shared_.key_empty(stage), ring_.phase ^ 1);
    if (lane_ == 0) {
      tell(stage, tile.info);
      ptx::mbarrier_arrive_expect(shared_.key_full(stage), Shared::kKeyBytes);
      load_tile(p_.key, shared_.key(stage), shared_.key_full(stage), tile, head, batch);
    }
    __syncwarp();
  }

  __device__ __forceinline__ void load_value(const Tile& tile, int head, int batch) {
    const std::uint32_t stage = ring_.stage;
    ptx::mbarrier_wait(shared_.value_empty(stage), ring_.phase ^ 1);
    const bool cut = ends_early(tile, 0) || ends_early(tile, 1);
    const std::uint32_t full = shared_.value_full(stage);
    if (lane_ == 0) {
      const std::uint32_t barrier = cut ? shared_.value_loaded() : full;
      ptx::mbarrier_arrive_expect(barrier, Shared::kKeyBytes);
      load_tile(p_.value, shared_.value(stage), barrier, tile, head, batch);
    }
    __syncwarp();
    if (cut) {
      ptx::mbarrier_wait(shared_.value_loaded(), cleared_++ & 1);
      clear_rows(stage, tile);
      ptx::fence_proxy_async();
      __syncwarp();
      if (lane_ == 0) ptx::mbarrier_arrive(full);
    }
    ring_.advance();
  }

  /// Whether rows of other blocks follow a unit's own within its 64: their values would be
  /// multiplied with zeros, which an infinity survives. Past the end of all, TMA fills in zeros.
  __device__ __forceinline__ bool ends_early(const Tile& tile, int unit) const {
    const int keys = tile.info.keys[unit];
    return keys > 0 && keys < kUnit && tile.begin[unit] + keys < p_.key_tokens;
  }

  __device__ __forceinline__ void clear_rows(std::uint32_t stage, const Tile& tile) const {
    char* const values = shared_.generic(shared_.value(stage));
    for (int unit = 0; unit < 2; ++unit) {
      if (!ends_early(tile, unit)) continue;
      // The swizzle stays within a row's 128 bytes.
      const int first = tile.info.keys[unit] * 8;
      for (int half = 0; half < kHeadDim / 64; ++half) {
        auto* const chunks =
            reinterpret_cast<uint4*>(values + half * Shared::kKeyHalf + unit * Shared::kUnitBytes);
        for (int i = first + lane_; i < kUnit * 8; i += 32) chunks[i] = uint4{0, 0, 0, 0};
      }
    }
  }

  __device__ __forceinline__ void tell(std::uint32_t stage, const TileInfo& info) const {
    volatile TileInfo& there = shared_.tile_info(stage);
    there.state = info.state;
#pragma unroll
    for (int u = 0; u < 2; ++u) {
      there.keys[u] = info.keys[u];
      there.mask[0][u] = info.mask[0][u];
      there.mask[1][u] = info.mask[1][u];
    }
  }

  __device__ __forceinline__ void load_tile(const CUtensorMap& map, std::uint32_t destination,
                                            std::uint32_t barrier, const Tile& tile, int head,
                                            int batch) const {
#pragma unroll
    for (int half = 0; half < kHeadDim / 64; ++half) {
#pragma unroll
      for (int unit = 0; unit < 2; ++unit) {
        ptx::tma_load_5d(destination + half * Shared::kKeyHalf + unit * Shared::kUnitBytes, &map,
                         barrier, half * 64, tile.begin[unit], 0, head, batch);
      }
    }
  }

  /// First place and number of rows of each warpgroup.
  __device__ __forceinline__ void rows_of(const Item& item, int (&begin)[2], int (&rows)[2]) const {
    const std::int32_t* const begins = p_.maps.row_begin;
    if constexpr (kPaired) {
#pragma unroll
      for (int g = 0; g < 2; ++g) {
        const int row = min(2 * item.index + g, p_.maps.row_blocks);
        const int end = min(2 * item.index + g + 1, p_.maps.row_blocks);
        begin[g] = begins[row];
        rows[g] = begins[end] - begin[g];
      }
    } else {
      begin[0] = begins[item.index];
      const int all = begins[item.index + 1] - begin[0];
      begin[1] = begin[0] + kGroupRows;
      rows[0] = min(all, kGroupRows);
      rows[1] = all - rows[0];
    }
  }

  __device__ __forceinline__ void load_query(const Item& item, int tiles) {
    int begin[2];
    int rows[2];
    rows_of(item, begin, rows);
    wait_for_room();
    if (item.order != nullptr) {
      gather_query(item, begin, rows);
      ptx::copy_async_wait();
      ptx::fence_proxy_async();
      __syncwarp();
    }
    if (lane_ == 0) {
      volatile ItemHeader& header = shared_.header();
      header.batch_head = item.batch_head;
      header.item = item.index;
      header.tiles = tiles;
#pragma unroll
      for (int g = 0; g < 2; ++g) {
        header.begin[g] = begin[g];
        header.rows[g] = rows[g];
      }
      if (item.order != nullptr) {
        ptx::mbarrier_arrive(shared_.query_full());
      } else {
        ptx::mbarrier_arrive_expect(shared_.query_full(), Shared::kQueryBytes);
#pragma unroll
        for (int half = 0; half < kHeadDim / 64; ++half) {
#pragma unroll
          for (int g = 0; g < 2; ++g) {
            ptx::tma_load_5d(shared_.query() + half * Shared::kQueryHalf + g * (kGroupRows * 128),
                             &p_.query, shared_.query_full(), half * 64, begin[g], 0, item.head,
                             item.batch);
          }
        }
      }
    }
    __syncwarp();
    ++loaded_;
  }

  /// Rows of a head with an order, each from where its token is; rows that are not there are zeros.
  __device__ __forceinline__ void gather_query(const Item& item, const int (&begin)[2],
                                               const int (&rows)[2]) const {
    constexpr int kChunks = kHeadDim / 8;  // of 16 bytes a row
    const char* const base =
        static_cast<const char*>(p_.ordered_query) +
        2 * (item.batch * p_.query_strides.batch + item.head * p_.query_strides.head);
    for (int i = lane_; i < hopper::kQueryTile * kChunks; i += 32) {
      const int row = i / kChunks;
      const int chunk = i % kChunks;
      const int group = row / kGroupRows;
      const int in_group = row % kGroupRows;
      const bool there = in_group < rows[group];
      const std::int64_t token = there ? item.order[begin[group] + in_group] : 0;
      const std::uint32_t to =
          shared_.query() + chunk / 8 * Shared::kQueryHalf + row * 128 + (chunk % 8 ^ row % 8) * 16;
      ptx::copy_async_16(to, base + 2 * (token * p_.query_strides.token) + chunk * 16,
                         there ? 16 : 0);
    }
  }

  /// Until consumers are done with the queries before.
  __device__ __forceinline__ void wait_for_room() const {
    ptx::mbarrier_wait(shared_.query_empty(), loaded_ & 1 ^ 1);
  }

  const Parameters& p_;
  Shared shared_;
  int lane_;
  Ring ring_;
  std::uint32_t loaded_ = 0;   ///< queries
  std::uint32_t cleared_ = 0;  ///< value tiles with rows cleared
};

}  // namespace lvsa::cuda::blocks
