#pragma once
// The key blocks of a work item, one after the other.

#include <cstdint>

#include "cuda/attention/fp8/parameters.hpp"
#include "cuda/attention/hopper/work_item.cuh"

namespace lvsa::cuda::fp8 {

struct KeyBlock {
  int frame;
  int block;  ///< within the frame or the text
  int keys;   ///< 0: past the last block
  bool is_text;
  std::uint32_t attending;  ///< a merged item's frames that attend the block
};

/// Frames in ascending order, then the text; all 32 lanes of a warp together.
class BlockWalk {
 public:
  __device__ __forceinline__ BlockWalk(const Parameters& p, const hopper::WorkItem& item, int lane)
      : p_(p), walk_(p, item, lane) {}

  /// Whether the next tile's blocks are neighbours in one frame or the text.
  __device__ __forceinline__ bool whole_tile() {
    if (left_ == 0 && !in_text_) open();
    return left_ >= kTileBlocks;
  }

  /// The first of such a tile's blocks, `keys` those of the whole tile.
  __device__ __forceinline__ KeyBlock next_tile() {
    KeyBlock first = next();
    left_ -= kTileBlocks - 1;
    first.keys = min((in_text_ ? p_.text : p_.patches) - first.block * kBlockKeys, kKeyTile);
    return first;
  }

  __device__ __forceinline__ KeyBlock next() {
    if (left_ == 0 && !in_text_) open();
    if (left_ == 0) return {0, 0, 0, false, 0};
    const int block = (in_text_ ? p_.text_blocks : p_.frame_blocks) - left_;
    const int keys = (in_text_ ? p_.text : p_.patches) - block * kBlockKeys;
    --left_;
    return {in_text_ ? 0 : frame_, block, min(keys, kBlockKeys), in_text_, attending_};
  }

 private:
  __device__ __forceinline__ void open() {
    frame_ = walk_.next(&attending_);
    left_ = p_.frame_blocks;
    if (frame_ >= 0) return;
    frame_ = 0;
    in_text_ = true;
    attending_ = 0xffffu;
    left_ = p_.text_blocks;
  }

  const Parameters& p_;
  hopper::FrameWalk walk_;
  int frame_ = 0;
  int left_ = 0;  ///< blocks of this frame or the text
  bool in_text_ = false;
  std::uint32_t attending_ = 0;
};

}  // namespace lvsa::cuda::fp8
