#pragma once
// What the fp8 kernels are given. Filled by the host side in cuda/launch/fp8_attention.cpp.

#include <cuda.h>

#include <cstdint>

#include "core/kernel/lvsa_kernel.h"
#include "cuda/attention/hopper/parameters.hpp"

namespace lvsa::cuda::fp8 {

inline constexpr int kHeadDim = 128;
/// Warpgroups that compute, 64 query rows each; one more loads.
inline constexpr int kGroups = 3;
inline constexpr int kQueryTile = 64 * kGroups;
inline constexpr int kThreads = 128 * (kGroups + 1);
/// Keys come in blocks of one product step; a frame's last block is filled up with masked keys.
/// Four blocks are a tile, whichever frames they belong to.
inline constexpr int kBlockKeys = 32;
inline constexpr int kTileBlocks = 4;
inline constexpr int kKeyTile = kBlockKeys * kTileBlocks;
inline constexpr int kBlockBytes = kBlockKeys * kHeadDim;
inline constexpr int kStages = 4;
/// P is multiplied by 2^6 before it is rounded: what is below 2^-15 of the largest becomes zero,
/// and scores may grow to seven times the P of the maximum at hand before P leaves e4m3's range.
inline constexpr int kBias = 6;

/// V with its columns as rows, block by block, as the products read it. Block 0 is zeros; behind it
/// (batch, kv head, frame 0 .. T - 1 and text, block), `head_blocks` a head. In a block, column d
/// of key i lies at byte place / 16 * 2048 + d * 16 + place % 16, where place is that of key i in
/// the operand that P makes without any exchange between threads: keys 8e + 2q + b of each 16 stand
/// at place 4q + 2e + b (e, b: 0 or 1; q: 0 to 3).
struct ValueBlocks {
  char* data;
  std::int64_t head_blocks;
};

struct Parameters : hopper::WorkParameters {
  CUtensorMap query;         ///< (D, P, T, heads, batch), boxes of kQueryTile rows
  CUtensorMap query_merged;  ///< the same, boxes of merged_rows rows
  CUtensorMap key;           ///< (D, P, T, kv heads, batch), boxes of a block's rows
  CUtensorMap key_tile;      ///< the same, boxes of a tile's rows
  CUtensorMap text_query;    ///< (D, text, 1, heads, batch)
  CUtensorMap text_key;
  CUtensorMap text_key_tile;
  ValueBlocks values;
  const float* q_scale;  ///< [batch, heads], null: 1
  const float* k_scale;  ///< [batch, kv heads]
  const float* v_scale;
  int frame_blocks;  ///< key blocks a frame
  int text_blocks;
  int kv_heads;
};

/// What the pass that makes ValueBlocks reads.
struct ValueSource {
  const char* data;  ///< e4m3
  hopper::RowStrides strides;
  std::int64_t batch;
  int kv_heads;
  int frames;
  int patches;
  int text;
  int frame_blocks;
  int text_blocks;
};

/// Bytes of ValueBlocks::data, a multiple of the block's.
constexpr std::int64_t value_bytes(std::int64_t heads, std::int64_t head_blocks) {
  return (heads * head_blocks + 1) * kBlockBytes;
}

/// Shared memory of a block, in bytes: queries, the ring, rows of output, barriers and notes.
inline constexpr int kOutputBytes = kQueryTile * kHeadDim * 2;
inline constexpr int kSharedBytes =
    1024 + kQueryTile * kHeadDim + 2 * kStages * kKeyTile * kHeadDim + kOutputBytes + 256;

}  // namespace lvsa::cuda::fp8
