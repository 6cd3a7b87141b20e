#pragma once
// Shared memory of a block of the fp8 kernel: one query tile, a ring of key and value tiles, rows
// of output, barriers.

#include <cstdint>

#include "cuda/attention/fp8/parameters.hpp"
#include "cuda/attention/hopper/shared_layout.cuh"
#include "cuda/ptx/mbarrier.cuh"

namespace lvsa::cuda::fp8 {

/// Queries and keys are rows of 128 bytes with the 128-byte swizzle; values as ValueBlocks says.
class SharedLayout {
 public:
  static constexpr std::uint32_t kQueryBytes = kQueryTile * kHeadDim;
  static constexpr std::uint32_t kQueryHalf = 0;  ///< a row is in one piece
  static constexpr std::uint32_t kTileBytes = kKeyTile * kHeadDim;

  __device__ __forceinline__ explicit SharedLayout(char* dynamic_shared) {
    const std::uint32_t start = ptx::shared_address(dynamic_shared);
    base_ = (start + 1023) & ~1023u;
    small_ = dynamic_shared + (base_ - start) + kSmall;
  }

  __device__ __forceinline__ std::uint32_t query() const { return base_; }
  __device__ __forceinline__ std::uint32_t key(int stage) const {
    return base_ + kQueryBytes + stage * kTileBytes;
  }
  __device__ __forceinline__ std::uint32_t value(int stage) const {
    return base_ + kQueryBytes + (kStages + stage) * kTileBytes;
  }
  /// 16 rows of output of one warp.
  __device__ __forceinline__ std::uint32_t output(int warp) const {
    return base_ + kQueryBytes + 2 * kStages * kTileBytes + warp * (16 * kHeadDim * 2);
  }
  __device__ __forceinline__ std::uint32_t key_full(int stage) const { return barrier(stage); }
  __device__ __forceinline__ std::uint32_t key_empty(int stage) const {
    return barrier(kStages + stage);
  }
  __device__ __forceinline__ std::uint32_t value_full(int stage) const {
    return barrier(2 * kStages + stage);
  }
  __device__ __forceinline__ std::uint32_t value_empty(int stage) const {
    return barrier(3 * kStages + stage);
  }
  __device__ __forceinline__ std::uint32_t query_full() const { return barrier(4 * kStages); }
  __device__ __forceinline__ std::uint32_t query_empty() const { return barrier(4 * kStages + 1); }

  __device__ __forceinline__ volatile hopper::ItemHeader& header() const {
    return *reinterpret_cast<volatile hopper::ItemHeader*>(small_ + 144);
  }
  /// What a tile's blocks need of masking, one word each: 0 nothing, else the number of keys and,
  /// 16 bits up, the mask of a merged item's frames that attend the block.
  __device__ __forceinline__ volatile std::uint32_t* block_notes(int stage) const {
    return reinterpret_cast<volatile std::uint32_t*>(small_ + 160) + 4 * stage;
  }

  /// All notes of a tile, or-ed.
  __device__ __forceinline__ std::uint32_t any_note(int stage) const {
    static_assert(kTileBlocks == 4);
    std::uint32_t word[4];
    asm volatile("ld.volatile.shared.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(word[0]), "=r"(word[1]), "=r"(word[2]), "=r"(word[3])
                 : "r"(base_ + kSmall + 160 + 16 * stage)
                 : "memory");
    return word[0] | word[1] | word[2] | word[3];
  }

  __device__ __forceinline__ void init_barriers() const {
    for (int stage = 0; stage < kStages; ++stage) {
      ptx::mbarrier_init(key_full(stage), 1);
      ptx::mbarrier_init(value_full(stage), 1);
      ptx::mbarrier_init(key_empty(stage), 4 * kGroups);
      ptx::mbarrier_init(value_empty(stage), 4 * kGroups);
    }
    ptx::mbarrier_init(query_full(), 1);
    ptx::mbarrier_init(query_empty(), 4 * kGroups);
    ptx::fence_barrier_init();
  }

 private:
  static constexpr std::uint32_t kSmall = kQueryBytes + 2 * kStages * kTileBytes + kOutputBytes;
  static_assert((4 * kStages + 2) * 8 <= 144 && 160 + kStages * 16 <= 256);

  __device__ __forceinline__ std::uint32_t barrier(int index) const {
    return base_ + kSmall + index * 8;
  }

  std::uint32_t base_;
  char* small_;  ///< generic address of barriers and notes
};

}  // namespace lvsa::cuda::fp8
