#pragma once
// What the Hopper attention kernel is given: sizes, tensor maps, lists. Filled by the host side in
// cuda/launch/hopper_attention.cpp, passed by value.

#include <cuda.h>

#include <cstdint>

namespace lvsa::cuda::hopper {

/// Query rows of a work item: two warpgroups of 64.
inline constexpr int kQueryTile = 128;
/// Most frames whose last rows share one work item; a bit each in a tile's mask.
inline constexpr int kMaxMergedFrames = 16;

/// A [batch, token, head] address: element strides, 64-bit.
struct RowStrides {
  std::int64_t batch;
  std::int64_t token;
  std::int64_t head;
};

/// Work items, in the order in which they are handed out: first the text query tiles (the longest
/// items), then head by head and frame by frame, so that blocks that run together read the same
/// frames. Rows of a frame past its last full tile are few; `merged_frames` neighbouring frames
/// share one item for them, of which each frame has `merged_rows` rows (a multiple of 8).
struct ItemLayout {
  int query_tile;     ///< query rows of an item
  int full_tiles;     ///< query tiles a frame that are items of their own
  int merged_frames;  ///< frames that share the item of their last rows; 0: none are left over
  int merged_rows;
  int groups;       ///< of such frames a head
  int group_items;  ///< items of `merged_frames` (or one) neighbouring frames
  std::int64_t head_items;
  std::int64_t text_tiles;  ///< query tiles of text a head
  std::int64_t text_items;
  std::int64_t total;
  std::int64_t again;  ///< items of the second run: each frame of each merged item by itself
};

/// What any of the Hopper kernels needs of the problem to find its work and to write its rows.
struct WorkParameters {
  const void* offsets;       ///< [T + 1], int32 or int64
  const std::int32_t* list;  ///< null: each frame attends all
  int* next_item;            ///< zero when the kernel starts

  /// A frame that some of a merged item's frames attend is multiplied with zeros for the others,
  /// which a NaN or an infinity in its v survives. Items whose result is not finite are marked
  /// here, [batch, head, group], and a second run does their frames one by one.
  int* marked;
  int again;  ///< 1: this is the second run

  void* out;
  RowStrides out_strides;
  float* lse;  ///< null: not wanted
  RowStrides lse_strides;

  ItemLayout items;
  int offsets_64;
  int frames;
  int patches;  ///< P
  int text;
  int heads;
  int heads_per_group;  ///< query heads that read one kv head
  float scale;
  float scale_log2;  ///< scale * log2(e)
};

struct Parameters : WorkParameters {
  CUtensorMap query;         ///< (D, P, T, heads, batch), boxes of 64 columns x 128 rows
  CUtensorMap query_merged;  ///< the same, boxes of merged_rows rows
  CUtensorMap key;           ///< (D, P, T, kv heads, batch), boxes of one key tile
  CUtensorMap value;
  CUtensorMap text_query;  ///< (D, text, 1, heads, batch)
  CUtensorMap text_key;
  CUtensorMap text_value;

  int frame_tiles;  ///< key tiles a frame
  int frame_tail;   ///< keys of its last tile
  int text_tiles;   ///< key tiles of the text
  int text_tail;
};

/// Threads of a block: two warpgroups that compute, one that loads.
inline constexpr int kThreads = 384;

/// Shared memory of a block, in bytes; `alignment` included.
template <int kHeadDim, int kKeyTile>
constexpr int shared_bytes() {
  return 1024 + 2 * kHeadDim * (kQueryTile + 4 * kKeyTile) + 256;
}

}  // namespace lvsa::cuda::hopper
