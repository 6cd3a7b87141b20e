#pragma once
// The tiles of an item, one after the other, from the rows of its map. All 32 lanes of a warp
// together: each holds one of 32 entries, read at once.

#include <climits>
#include <cstdint>

#include "cuda/attention/blocks_hopper/shared_layout.cuh"

namespace lvsa::cuda::blocks {

/// A tile: where its units begin, and what consumers need to know.
struct Tile {
  int begin[2];  ///< places; a unit that is not there begins at the end of all
  TileInfo info;
};

/// Walks one row of a map.
class EntryWalk {
 public:
  struct Entry {
    int column;
    int begin;
    int keys;
    int mask;
  };

  /// `row` -1: an empty one.
  __device__ __forceinline__ EntryWalk(const DeviceMaps& maps, int map, int row, int lane)
      : maps_(maps), lane_(lane) {
    if (row < 0) return;
    const std::int64_t index = std::int64_t{map} * maps.row_blocks + row;
    first_ = maps.row_first[index];
    count_ = maps.row_count[index];
    load();
  }

  __device__ __forceinline__ int count() const { return count_; }
  __device__ __forceinline__ int left() const { return count_ - at_; }
  /// Column of the entry at hand, INT_MAX at the end.
  __device__ __forceinline__ int column() const {
    const int column = __shfl_sync(0xffffffffu, mine_.column, at_ & 31);
    return at_ < count_ ? column : INT_MAX;
  }
  /// The entry at hand; goes on to the next.
  __device__ __forceinline__ Entry take() {
    Entry entry;
    entry.column = __shfl_sync(0xffffffffu, mine_.column, at_ & 31);
    entry.begin = __shfl_sync(0xffffffffu, mine_.begin, at_ & 31);
    entry.keys = __shfl_sync(0xffffffffu, mine_.keys, at_ & 31);
    entry.mask = __shfl_sync(0xffffffffu, mine_.mask, at_ & 31);
    ++at_;
    if ((at_ & 31) == 0) load();
    return entry;
  }

 private:
  __device__ __forceinline__ void load() {
    const int at = at_ + lane_;
    if (at >= count_) return;
    mine_.column = maps_.indices[first_ + at];
    mine_.mask = maps_.entry_mask == nullptr ? kNoMask : maps_.entry_mask[first_ + at];
    mine_.begin = maps_.column_begin[mine_.column];
    mine_.keys = maps_.column_begin[mine_.column + 1] - mine_.begin;
  }

  const DeviceMaps& maps_;
  int lane_;
  std::int64_t first_ = 0;
  int count_ = 0;
  int at_ = 0;
  Entry mine_{};
};

/// Tiles of an item of one row block of up to 128 rows (kPaired false) or of two of up to 64.
template <bool kPaired>
class TileWalk;

template <>
class TileWalk<false> {
 public:
  __device__ __forceinline__ TileWalk(const DeviceMaps& maps, int map, int item, int lane)
      : entries_(maps, map, item, lane), wide_(maps.block_columns > kUnit) {}

  __device__ __forceinline__ int tiles() const {
    return wide_ ? entries_.count() : (entries_.count() + 1) / 2;
  }
  __device__ __forceinline__ bool more() const { return entries_.left() > 0; }

  __device__ __forceinline__ Tile next(int end_of_all) {
    const EntryWalk::Entry first = entries_.take();
    Tile tile;
    tile.begin[0] = first.begin;
    tile.info.keys[0] = min(first.keys, kUnit);
    int mask[2] = {first.mask, first.mask};
    if (wide_) {
      tile.begin[1] = first.begin + kUnit;
      tile.info.keys[1] = max(first.keys - kUnit, 0);
    } else if (more()) {
      const EntryWalk::Entry second = entries_.take();
      tile.begin[1] = second.begin;
      tile.info.keys[1] = second.keys;
      mask[1] = second.mask;
    } else {
      tile.begin[1] = end_of_all;
      tile.info.keys[1] = 0;
    }
    if (tile.info.keys[1] == 0) tile.begin[1] = end_of_all;
    const bool whole = tile.info.keys[0] == kUnit && tile.info.keys[1] == kUnit &&
                       mask[0] == kNoMask && mask[1] == kNoMask;
    tile.info.state = 3 * kAttends + (whole ? 0 : 3 * kCareful);
    if (!more()) {
      const int last = !wide_ && tile.info.keys[1] == 0 ? 1 : wide_ ? 3 : 2;
      tile.info.state += kLastTile + kLastBlock * (last * 5);
    }
    for (int g = 0; g < 2; ++g) {
      for (int u = 0; u < 2; ++u) tile.info.mask[g][u] = mask[u];
    }
    return tile;
  }

 private:
  EntryWalk entries_;
  bool wide_;
};

template <>
class TileWalk<true> {
 public:
  __device__ __forceinline__ TileWalk(const DeviceMaps& maps, int map, int item, int lane)
      : first_(maps, map, 2 * item, lane),
        second_(maps, map, 2 * item + 1 < maps.row_blocks ? 2 * item + 1 : -1, lane) {}

  __device__ __forceinline__ int tiles() const { return first_.count() + second_.count(); }
  __device__ __forceinline__ bool more() const { return first_.left() + second_.left() > 0; }

  __device__ __forceinline__ Tile next(int end_of_all) {
    const int columns[2] = {first_.column(), second_.column()};
    const int column = min(columns[0], columns[1]);
    EntryWalk::Entry entry{};
    Tile tile;
    tile.info.state = 0;
    take(0, column == columns[0], &first_, &entry, &tile);
    take(1, column == columns[1], &second_, &entry, &tile);
    tile.begin[0] = entry.begin;
    tile.begin[1] = entry.keys > kUnit ? entry.begin + kUnit : end_of_all;
    tile.info.keys[0] = min(entry.keys, kUnit);
    tile.info.keys[1] = max(entry.keys - kUnit, 0);
    if (entry.keys < kKeyTile) {
      tile.info.state |= (tile.info.state & 3 * kAttends) * (kCareful / kAttends);
    }
    if (!more()) tile.info.state += kLastTile;
    return tile;
  }

 private:
  __device__ __forceinline__ static void take(int group, bool attends, EntryWalk* walk,
                                              EntryWalk::Entry* entry, Tile* tile) {
    int mask = kNotAttended;
    if (attends) {
      *entry = walk->take();
      mask = entry->mask;
      tile->info.state |= kAttends << group;
      if (mask != kNoMask) tile->info.state |= kCareful << group;
      if (walk->left() == 0) tile->info.state |= 3 * kLastBlock << 2 * group;
    }
    tile->info.mask[group][0] = tile->info.mask[group][1] = mask;
  }

  EntryWalk first_;
  EntryWalk second_;
};

}  // namespace lvsa::cuda::blocks
