#pragma once
// Which rows a work item computes and which keys they attend.

#include <climits>
#include <cstdint>

#include "cuda/attention/hopper/parameters.hpp"

namespace lvsa::cuda::hopper {

struct WorkItem {
  int batch;
  int head;
  int frame;   ///< the first one when several are merged
  int row;     ///< first query row, within its frame or the text
  int merged;  ///< frames whose last rows this item has; 0: an ordinary item
  bool is_text;
};

__device__ __forceinline__ WorkItem work_item(const WorkParameters& p, std::int64_t index) {
  WorkItem item{};
  const ItemLayout& layout = p.items;
  if (p.again != 0) {
    const std::int64_t marked = index / layout.merged_frames;
    const std::int64_t head_index = marked / layout.groups;
    item.batch = static_cast<int>(head_index / p.heads);
    item.head = static_cast<int>(head_index - static_cast<std::int64_t>(item.batch) * p.heads);
    item.frame = static_cast<int>(marked - head_index * layout.groups) * layout.merged_frames +
                 static_cast<int>(index - marked * layout.merged_frames);
    item.row = layout.full_tiles * layout.query_tile;
    item.merged = 1;
    return item;
  }
  item.is_text = index < layout.text_items;
  const std::int64_t per_head = item.is_text ? layout.text_tiles : layout.head_items;
  if (!item.is_text) index -= layout.text_items;
  const std::int64_t head_index = index / per_head;
  const auto rest = static_cast<std::uint32_t>(index - head_index * per_head);
  item.batch = static_cast<int>(head_index / p.heads);
  item.head = static_cast<int>(head_index - static_cast<std::int64_t>(item.batch) * p.heads);
  if (item.is_text) {
    item.row = static_cast<int>(rest) * layout.query_tile;
    return item;
  }
  const int group_frames = layout.merged_frames > 0 ? layout.merged_frames : 1;
  const auto group = static_cast<int>(rest / static_cast<std::uint32_t>(layout.group_items));
  const auto slot = static_cast<int>(rest) - group * layout.group_items;
  const int first = group * group_frames;
  const int frames = min(group_frames, p.frames - first);
  if (slot < frames * layout.full_tiles) {
    item.frame = first + slot / layout.full_tiles;
    item.row = slot % layout.full_tiles * layout.query_tile;
  } else {
    item.frame = first;
    item.row = layout.full_tiles * layout.query_tile;
    item.merged = frames;
  }
  return item;
}

__device__ __forceinline__ std::int64_t item_count(const WorkParameters& p) {
  return p.again != 0 ? p.items.again : p.items.total;
}

/// Whether there is anything to do for this index: in the second run, few have.
__device__ __forceinline__ bool item_is_due(const WorkParameters& p, std::int64_t index) {
  if (p.again == 0) return true;
  return p.marked[index / p.items.merged_frames] != 0 && work_item(p, index).frame < p.frames;
}

/// Marks a merged item whose results are not all finite, of a warp's rows; all lanes together.
template <int kCount>
__device__ __forceinline__ void mark_if_not_finite(const WorkParameters& p, const WorkItem& item,
                                                   const float (&o)[kCount], int lane) {
  if (item.merged <= 1 || p.again != 0) return;
  float zero = 0.0f;
#pragma unroll
  for (int i = 0; i < kCount; ++i) zero = fmaf(o[i], 0.0f, zero);
  if (__any_sync(0xffffffffu, !(zero == 0.0f)) && lane == 0) {
    p.marked[(static_cast<std::int64_t>(item.batch) * p.heads + item.head) * p.items.groups +
             item.frame / p.items.merged_frames] = 1;
  }
}

/// Walks the key frames of an item in ascending order, all 32 lanes of a warp together: lane i
/// holds the place in the list of the item's i-th frame, and the union of the lists comes out with
/// a mask of who attends. A text item attends all frames, and where there is no list everyone does.
class FrameWalk {
 public:
  __device__ __forceinline__ FrameWalk(const WorkParameters& p, const WorkItem& item, int lane)
      : list_(p.list), all_frames_(item.is_text || p.list == nullptr) {
    const int lists = item.is_text ? 1 : max(item.merged, 1);
    if (lane < lists) {
      place_ = all_frames_ ? 0 : offset(p, item.frame + lane);
      end_ = all_frames_ ? p.frames : offset(p, item.frame + lane + 1);
    }
    load();
  }

  /// The next key frame, or -1 at the end; `mask` says which of the item's frames attend it.
  __device__ __forceinline__ int next(std::uint32_t* mask) {
    const int frame = __reduce_min_sync(0xffffffffu, frame_);
    if (frame == INT_MAX) return -1;
    const bool mine = frame_ == frame;
    *mask = __ballot_sync(0xffffffffu, mine);
    if (mine) {
      ++place_;
      load();
    }
    return frame;
  }

  /// Number of key frames to come; ends the walk.
  __device__ __forceinline__ int count(int lists) {
    if (lists <= 1) return __shfl_sync(0xffffffffu, static_cast<int>(end_ - place_), 0);
    int frames = 0;
    std::uint32_t mask = 0;
    while (next(&mask) >= 0) ++frames;
    return frames;
  }

 private:
  static __device__ __forceinline__ std::int64_t offset(const WorkParameters& p, int frame) {
    return p.offsets_64 ? static_cast<const std::int64_t*>(p.offsets)[frame]
                        : static_cast<const std::int32_t*>(p.offsets)[frame];
  }
  __device__ __forceinline__ void load() {
    frame_ = place_ >= end_ ? INT_MAX : all_frames_ ? static_cast<int>(place_) : list_[place_];
  }

  const std::int32_t* list_;
  bool all_frames_;
  std::int64_t place_ = 0;
  std::int64_t end_ = 0;
  int frame_ = INT_MAX;
};

}  // namespace lvsa::cuda::hopper
