#pragma once
// What the block-sparse Hopper kernel is given. Filled in cuda/launch/hopper_blocks.cpp, passed by
// value.
//
// A unit is 64 keys, a tile two units: two blocks of 64 keys, wherever they lie, or one of 128. So
// blocks of 128 x 64 and of 128 x 128 are one kernel. Blocks of 64 rows come in pairs, one for each
// of the two warpgroups that compute; a tile that only one of them attends is skipped by the other.

#include <cuda.h>

#include <cstdint>

#include "cuda/attention/blocks/device_maps.hpp"
#include "cuda/attention/hopper/parameters.hpp"

namespace lvsa::cuda::blocks {

inline constexpr int kUnit = 64;
inline constexpr int kKeyTile = 2 * kUnit;
inline constexpr int kGroupRows = 64;  ///< rows of a warpgroup
/// Tiles of keys and of values on their way.
inline constexpr int kStages = 3;

struct Parameters {
  CUtensorMap query;  ///< (D, Sq, 1, heads, batch), boxes of 64 columns x 64 rows
  CUtensorMap key;    ///< (D, Sk, 1, kv heads, batch), likewise; in the head's order where one is
  CUtensorMap value;

  DeviceMaps maps;

  int* next_item;             ///< zero when the kernel starts
  const int* long_count;      ///< items that are much longer than most and begin first
  const int* long_items;      ///< these
  std::int32_t* marks;        ///< [batch * heads][row_blocks]: results to be made again, exactly
  const void* ordered_query;  ///< q, read row by row where a head has an order; null: no orders
  hopper::RowStrides query_strides;

  void* out;
  hopper::RowStrides out_strides;
  float* lse;  ///< null: not wanted
  hopper::RowStrides lse_strides;

  int batch_heads;
  int heads;
  int heads_per_group;  ///< query heads that read one head of `key`
  int tokens;           ///< Sq: places of an order
  int key_tokens;
  int head_items;  ///< items a head: row blocks, or pairs of them
  float scale;
  float scale_log2;  ///< scale * log2(e)
};

/// Shared memory of a block, in bytes; alignment included.
template <int kHeadDim>
constexpr int shared_bytes() {
  return 1024 + 2 * kHeadDim * (hopper::kQueryTile + 2 * kStages * kKeyTile) + 512;
}

}  // namespace lvsa::cuda::blocks
