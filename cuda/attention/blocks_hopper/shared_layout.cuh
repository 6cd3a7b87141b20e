#pragma once
// Shared memory of a block: one query tile, rings of key and of value tiles, what consumers are
// told.

#include <cstdint>

#include "cuda/attention/blocks_hopper/parameters.hpp"
#include "cuda/ptx/mbarrier.cuh"

namespace lvsa::cuda::blocks {

inline constexpr int kConsumerWarps = 8;
inline constexpr int kConsumerThreads = 32 * kConsumerWarps;

/// An entry that a warpgroup's row block does not have; other numbers are masks or kNoMask.
inline constexpr int kNotAttended = -2;

/// What consumers are told of an item.
struct ItemHeader {
  int batch_head;  ///< -1: no more work
  int item;        ///< of the head
  int tiles;       ///< 0: none; where a tile says which is the last, any other number
  int begin[2];    ///< first place of each warpgroup
  int rows[2];     ///< its rows, 0 .. 64
};

/// What consumers are told of a tile.
struct TileInfo {
  int state;       ///< TileBits
  int keys[2];     ///< of each unit, 0 .. 64
  int mask[2][2];  ///< [warpgroup][unit]
};

/// Bits of TileInfo::state; those of warpgroup g are shifted by g, of its unit u by 2 g + u.
enum TileBits : int {
  kAttends = 1,  ///< the group has keys here
  kCareful = 4,  ///< and does not attend all of them
  kLastTile = 16,
  kLastBlock = 32,  ///< the unit ends the group's last block
};

/// A place in a ring.
struct Ring {
  std::uint32_t stage = 0;
  std::uint32_t phase = 0;
  __device__ __forceinline__ void advance() {
    if (++stage == kStages) {
      stage = 0;
      phase ^= 1;
    }
  }
};

/// Tiles are stored as [D / 64][rows][64], each row of 128 bytes swizzled as TMA and wgmma do.
template <int kHeadDim>
struct SharedLayout {
  static constexpr std::uint32_t kQueryHalf = hopper::kQueryTile * 128;
  static constexpr std::uint32_t kKeyHalf = kKeyTile * 128;
  static constexpr std::uint32_t kUnitBytes = kUnit * 128;  ///< 64 columns of a unit
  static constexpr std::uint32_t kQueryBytes = kQueryHalf * (kHeadDim / 64);
  static constexpr std::uint32_t kKeyBytes = kKeyHalf * (kHeadDim / 64);

  std::uint32_t base;
  char* small;  ///< generic address of barriers, header and infos

  __device__ __forceinline__ explicit SharedLayout(char* dynamic_shared) {
    const std::uint32_t start = ptx::shared_address(dynamic_shared);
    base = (start + 1023) & ~1023u;
    small = dynamic_shared + (base - start) + kQueryBytes + 2 * kStages * kKeyBytes;
  }

  /// The generic address of one of those below.
  __device__ __forceinline__ char* generic(std::uint32_t address) const {
    return small - (kQueryBytes + 2 * kStages * kKeyBytes) + (address - base);
  }
  __device__ __forceinline__ std::uint32_t query() const { return base; }
  __device__ __forceinline__ std::uint32_t key(std::uint32_t stage) const {
    return base + kQueryBytes + stage * kKeyBytes;
  }
  __device__ __forceinline__ std::uint32_t value(std::uint32_t stage) const {
    return base + kQueryBytes + (kStages + stage) * kKeyBytes;
  }
  __device__ __forceinline__ std::uint32_t key_full(std::uint32_t stage) const {
    return barrier(stage);
  }
  __device__ __forceinline__ std::uint32_t key_empty(std::uint32_t stage) const {
    return barrier(kStages + stage);
  }
  __device__ __forceinline__ std::uint32_t value_full(std::uint32_t stage) const {
    return barrier(2 * kStages + stage);
  }
  __device__ __forceinline__ std::uint32_t value_empty(std::uint32_t stage) const {
    return barrier(3 * kStages + stage);
  }
  __device__ __forceinline__ std::uint32_t query_full() const { return barrier(4 * kStages); }
  __device__ __forceinline__ std::uint32_t query_empty() const { return barrier(4 * kStages + 1); }
  /// Values have come whose last rows the producer has yet to clear.
  __device__ __forceinline__ std::uint32_t value_loaded() const { return barrier(4 * kStages + 4); }
  /// What rows gain is told: of a pair of row blocks each group has its own, else 0 serves both.
  __device__ __forceinline__ std::uint32_t gains_told(int group) const {
    return barrier(4 * kStages + 2 + group);
  }

  __device__ __forceinline__ volatile ItemHeader& header() const {
    return *reinterpret_cast<volatile ItemHeader*>(small + 144);
  }
  __device__ __forceinline__ volatile TileInfo& tile_info(std::uint32_t stage) const {
    return reinterpret_cast<volatile TileInfo*>(small + 176)[stage];
  }
  /// Where warps leave what their rows gain by a tile's units: [2 turns][8 warps][2 units].
  __device__ __forceinline__ volatile float* gains() const {
    return reinterpret_cast<volatile float*>(small + 304);
  }

  __device__ __forceinline__ void init_barriers(bool paired) const {
    for (std::uint32_t stage = 0; stage < kStages; ++stage) {
      ptx::mbarrier_init(key_full(stage), 1);
      ptx::mbarrier_init(value_full(stage), 1);
      ptx::mbarrier_init(key_empty(stage), kConsumerWarps);
      ptx::mbarrier_init(value_empty(stage), kConsumerWarps);
    }
    ptx::mbarrier_init(query_full(), 1);
    ptx::mbarrier_init(query_empty(), kConsumerThreads);
    ptx::mbarrier_init(value_loaded(), 1);
    for (int group = 0; group < 2; ++group) {
      ptx::mbarrier_init(gains_told(group), paired ? kConsumerWarps / 2 : kConsumerWarps);
    }
    ptx::fence_barrier_init();
  }

 private:
  static_assert(sizeof(ItemHeader) <= 32 && sizeof(TileInfo) * kStages <= 128);
  static_assert((4 * kStages + 5) * 8 <= 144 && 304 + 2 * 8 * 2 * 4 <= 512);

  __device__ __forceinline__ std::uint32_t barrier(std::uint32_t index) const {
    return base + kQueryBytes + 2 * kStages * kKeyBytes + index * 8;
  }
};

}  // namespace lvsa::cuda::blocks
