#pragma once
// Who does what: the query rows of a block, the key tiles that it walks, and how tiles come into
// shared memory.

#include <cstdint>

#include "cuda/attention/portable/mma.cuh"
#include "cuda/attention/portable/parameters.hpp"

namespace lvsa::cuda::portable {

inline constexpr int kThreads = 128;

template <int kDim>
struct Shape {
  static constexpr int kQueries = query_tile(kDim);
  static constexpr int kFragments = kQueries / 64;  // of 16 query rows, a warp
  static constexpr int kKeys = key_tile(kDim);
  // 16 bytes more than a row: the eight rows of a matrix then lie in different banks.
  static constexpr int kRow = kDim + 8;
  static constexpr int kQueryElements = kQueries * kRow;
  static constexpr int kKeyElements = kKeys * kRow;
  static constexpr int kBytes = 2 * (kQueryElements + 2 * kKeyElements);  // Q, K and V
};

/// Query rows of a block, and the frames that they attend.
struct Item {
  int batch;
  int head;
  std::int64_t token;        // first query row
  int rows;                  // 1 .. kQueries
  const std::int32_t* list;  // null: all frames
  int frames;                // entries of the list
};

__device__ inline int div_up(int a, int b) { return (a + b - 1) / b; }

template <int kQueries>
__device__ Item find_item(const Parameters& p, std::int64_t block) {
  const int frame_tiles = div_up(p.patches, kQueries);
  const std::int64_t video_tiles = static_cast<std::int64_t>(p.frames) * frame_tiles;
  const std::int64_t head_tiles = video_tiles + div_up(p.text, kQueries);
  const std::int64_t sequence = block / head_tiles;
  const std::int64_t tile = block % head_tiles;
  Item item;
  item.head = static_cast<int>(sequence % p.heads);
  item.batch = static_cast<int>(sequence / p.heads);
  if (tile >= video_tiles) {
    const int first = static_cast<int>(tile - video_tiles) * kQueries;
    item.token = static_cast<std::int64_t>(p.frames) * p.patches + first;
    item.rows = min(kQueries, p.text - first);
    item.list = nullptr;
    item.frames = p.frames;
    return item;
  }
  const int frame = static_cast<int>(tile / frame_tiles);
  const int first = static_cast<int>(tile % frame_tiles) * kQueries;
  item.token = static_cast<std::int64_t>(frame) * p.patches + first;
  item.rows = min(kQueries, p.patches - first);
  const std::int64_t begin = p.offsets[frame];
  item.list = p.list + begin;
  item.frames = static_cast<int>(p.offsets[frame + 1] - begin);
  return item;
}

/// The key tiles of an item in their order.
template <int kKeys>
struct KeyTiles {
  const Parameters& p;
  const Item& item;
  int frame_tiles;  // tiles a frame
  int video_tiles;

  __device__ KeyTiles(const Parameters& parameters, const Item& of)
      : p(parameters),
        item(of),
        frame_tiles(div_up(parameters.patches, kKeys)),
        video_tiles(of.frames * frame_tiles) {}

  __device__ int count() const { return video_tiles + div_up(p.text, kKeys); }
  __device__ int keys(int tile) const {
    return tile < video_tiles ? min(kKeys, p.patches - tile % frame_tiles * kKeys)
                              : min(kKeys, p.text - (tile - video_tiles) * kKeys);
  }
  __device__ std::int64_t token(int tile) const {
    const auto patches = static_cast<std::int64_t>(p.patches);
    if (tile >= video_tiles) return p.frames * patches + (tile - video_tiles) * kKeys;
    const int entry = tile / frame_tiles;
    const int frame = item.list != nullptr ? item.list[entry] : entry;
    return frame * patches + tile % frame_tiles * kKeys;
  }
};

/// Starts to copy `rows` rows; the rest of the tile becomes zero.
template <typename Element, int kDim, int kRows>
__device__ void copy_tile(Element* tile, const Element* source, std::int64_t stride, int rows,
                          int head_dim) {
  constexpr int kChunks = kDim / 8;  // of 16 bytes, a row
  constexpr int kStep = kThreads / kChunks;
  static_assert(kThreads % kChunks == 0 && kRows % kStep == 0);
  const int column = static_cast<int>(threadIdx.x) % kChunks * 8;
  const int first = static_cast<int>(threadIdx.x) / kChunks;
  const Element* from = source + first * stride + column;
  Element* to = tile + first * Shape<kDim>::kRow + column;
  const int last = column < head_dim ? rows : 0;
#pragma unroll 4
  for (int row = first; row < kRows; row += kStep) {
    const bool inside = row < last;
    copy_16_async(to, inside ? from : source, inside);
    from += kStep * stride;
    to += kStep * Shape<kDim>::kRow;
  }
}

}  // namespace lvsa::cuda::portable
