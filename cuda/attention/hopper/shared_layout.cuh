#pragma once
// Shared memory of a block: one query tile, a ring of two key and two value tiles, their barriers.

#include <cstdint>

#include "cuda/attention/hopper/parameters.hpp"
#include "cuda/ptx/mbarrier.cuh"

namespace lvsa::cuda::hopper {

inline constexpr int kStages = 2;
inline constexpr int kConsumerWarps = 8;

/// What consumers are told of an item.
struct ItemHeader {
  int item;  ///< -1: no more work
  int tiles;
};

/// Tiles are stored as [D / 64][rows][64], each row of 128 bytes swizzled as TMA and wgmma do.
template <int kHeadDim, int kKeyTile>
struct SharedLayout {
  static constexpr std::uint32_t kQueryHalf = kQueryTile * 128;
  static constexpr std::uint32_t kKeyHalf = kKeyTile * 128;
  static constexpr std::uint32_t kQueryBytes = kQueryHalf * (kHeadDim / 64);
  static constexpr std::uint32_t kKeyBytes = kKeyHalf * (kHeadDim / 64);
  static_assert(kKeyHalf % 1024 == 0, "the swizzle repeats every 1024 bytes");

  std::uint32_t base;
  char* small;  ///< generic address of barriers and headers

  __device__ __forceinline__ explicit SharedLayout(char* dynamic_shared) {
    const std::uint32_t start = ptx::shared_address(dynamic_shared);
    base = (start + 1023) & ~1023u;
    small = dynamic_shared + (base - start) + kQueryBytes + 2 * kStages * kKeyBytes;
  }

  __device__ __forceinline__ std::uint32_t query() const { return base; }
  __device__ __forceinline__ std::uint32_t key(int stage) const {
    return base + kQueryBytes + stage * kKeyBytes;
  }
  __device__ __forceinline__ std::uint32_t value(int stage) const {
    return base + kQueryBytes + (kStages + stage) * kKeyBytes;
  }
  __device__ __forceinline__ std::uint32_t key_full(int stage) const { return barrier(stage); }
  __device__ __forceinline__ std::uint32_t key_empty(int stage) const { return barrier(2 + stage); }
  __device__ __forceinline__ std::uint32_t value_full(int stage) const {
    return barrier(4 + stage);
  }
  __device__ __forceinline__ std::uint32_t value_empty(int stage) const {
    return barrier(6 + stage);
  }
  __device__ __forceinline__ std::uint32_t query_full() const { return barrier(8); }
  __device__ __forceinline__ std::uint32_t query_empty() const { return barrier(9); }

  __device__ __forceinline__ volatile ItemHeader& header() const {
    return *reinterpret_cast<volatile ItemHeader*>(small + 128);
  }
  /// Mask of a merged item's frames that attend the tile in a stage.
  __device__ __forceinline__ volatile std::uint32_t& tile_frames(int stage) const {
    return reinterpret_cast<volatile std::uint32_t*>(small + 160)[stage];
  }

  __device__ __forceinline__ void init_barriers() const {
    for (int stage = 0; stage < kStages; ++stage) {
      ptx::mbarrier_init(key_full(stage), 1);
      ptx::mbarrier_init(value_full(stage), 1);
      ptx::mbarrier_init(key_empty(stage), kConsumerWarps);
      ptx::mbarrier_init(value_empty(stage), kConsumerWarps);
    }
    ptx::mbarrier_init(query_full(), 1);
    ptx::mbarrier_init(query_empty(), kConsumerWarps);
    ptx::fence_barrier_init();
  }

 private:
  __device__ __forceinline__ std::uint32_t barrier(int index) const {
    return base + kQueryBytes + 2 * kStages * kKeyBytes + index * 8;
  }
};

}  // namespace lvsa::cuda::hopper
