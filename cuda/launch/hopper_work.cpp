#include "cuda/launch/hopper_work.hpp"

#include <algorithm>
#include <limits>

#include "core/tensor/tensor.hpp"
#include "cuda/launch/hopper_tensor_map.hpp"

namespace lvsa::cuda {
namespace {

constexpr int kCounters = 4;  // items handed out in the first and the second run, two unused

/// A dimension of size 1 may come with any stride; the copy engine wants a proper one.
std::int64_t stride_or(std::int64_t extent, std::int64_t stride, std::int64_t other) {
  return extent == 1 ? other : stride;
}

hopper::RowStrides row_strides(const std::int64_t* strides) {
  return {strides[0], strides[1], strides[2]};
}

hopper::ItemLayout item_layout(const lvsa_problem& p, int query_tile, bool merge) {
  hopper::ItemLayout layout{};
  layout.query_tile = query_tile;
  const std::int64_t tail = p.patches_per_frame % query_tile;
  const std::int64_t tail_rows = ceil_div(tail, 8) * 8;
  std::int64_t full = ceil_div(p.patches_per_frame, query_tile);
  std::int64_t groups = p.frames;
  if (merge && tail != 0 && tail_rows * 2 <= query_tile) {
    const std::int64_t merged =
        std::min<std::int64_t>({query_tile / tail_rows, hopper::kMaxMergedFrames, p.frames});
    --full;
    layout.merged_frames = static_cast<int>(merged);
    layout.merged_rows = static_cast<int>(tail_rows);
    groups = ceil_div(p.frames, merged);
    layout.groups = static_cast<int>(groups);
    layout.again = merged > 1 ? groups * merged * p.heads * p.batch : 0;
  }
  layout.full_tiles = static_cast<int>(full);
  layout.group_items =
      static_cast<int>(full * std::max(layout.merged_frames, 1) + (layout.merged_frames > 0));
  layout.head_items = full * p.frames + (layout.merged_frames > 0 ? groups : 0);
  layout.text_tiles = ceil_div(p.text_tokens, query_tile);
  layout.text_items = layout.text_tiles * p.heads * p.batch;
  layout.total = layout.text_items + layout.head_items * p.heads * p.batch;
  return layout;
}

}  // namespace

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

std::size_t counter_bytes(const lvsa_problem& p, int query_tile) {
  const hopper::ItemLayout layout = item_layout(p, query_tile, true);
  const std::int64_t marks = layout.groups * p.heads * p.batch;
  const std::int64_t bytes = (kCounters + marks) * static_cast<std::int64_t>(sizeof(int));
  return static_cast<std::size_t>(ceil_div(bytes, 128) * 128);
}

Verdict clear_counters(const hopper::WorkParameters& work, std::size_t bytes, cudaStream_t stream) {
  return from_cuda(cudaMemsetAsync(work.next_item, 0, bytes, stream), "cudaMemsetAsync");
}

bool second_run(hopper::WorkParameters* work) {
  work->again = 1;
  ++work->next_item;
  return work->items.again > 0;
}

std::string fill_work(const lvsa_problem& p, int query_tile, bool merge,
                      const DeviceFrameLists& lists, int* counters, hopper::WorkParameters* work) {
  work->items = item_layout(p, query_tile, merge);
  if (work->items.total > std::numeric_limits<int>::max() - 65536) {
    return "more work items than the kernel can count";
  }
  work->offsets = lists.offsets;
  work->offsets_64 = lists.offsets_64 ? 1 : 0;
  work->list = lists.list;
  work->next_item = counters;
  work->marked = counters + kCounters;
  work->out = p.out.data;
  work->out_strides = row_strides(p.out.strides);
  work->lse = p.lse;
  work->lse_strides = row_strides(p.lse_strides);
  work->frames = static_cast<int>(p.frames);
  work->patches = static_cast<int>(p.patches_per_frame);
  work->text = static_cast<int>(p.text_tokens);
  work->heads = static_cast<int>(p.heads);
  work->heads_per_group = static_cast<int>(p.heads / p.kv_heads);
  work->scale = static_cast<float>(p.scale);
  work->scale_log2 = static_cast<float>(p.scale * 1.4426950408889634);
  return {};
}

void MapBuilder::video(const lvsa_tensor& tensor, std::int64_t heads, std::int64_t rows,
                       CUtensorMap* map) {
  build(tensor, heads, 0, p_.patches_per_frame, p_.frames, rows, map);
}

void MapBuilder::text(const lvsa_tensor& tensor, std::int64_t heads, std::int64_t rows,
                      CUtensorMap* map) {
  if (p_.text_tokens == 0) return;
  build(tensor, heads, p_.frames * p_.patches_per_frame, p_.text_tokens, 1, rows, map);
}

void MapBuilder::build(const lvsa_tensor& tensor, std::int64_t heads, std::int64_t first_token,
                       std::int64_t tokens, std::int64_t frames, std::int64_t rows,
                       CUtensorMap* map) {
  if (!message_.empty()) return;
  const auto bytes = static_cast<std::int64_t>(dtype_bytes(p_.dtype));
  const std::int64_t all_tokens = p_.frames * p_.patches_per_frame + p_.text_tokens;
  const std::int64_t token = stride_or(all_tokens, tensor.strides[1], p_.head_dim);
  const std::int64_t head = stride_or(heads, tensor.strides[2], p_.head_dim);
  const std::int64_t batch = stride_or(p_.batch, tensor.strides[0], p_.head_dim);
  TensorMapShape shape{};
  shape.data = static_cast<const char*>(tensor.data) + first_token * token * bytes;
  shape.dtype = p_.dtype;
  const std::int64_t sizes[5] = {p_.head_dim, tokens, frames, heads, p_.batch};
  const std::int64_t strides[5] = {1, token, token * p_.patches_per_frame, head, batch};
  for (int i = 0; i < 5; ++i) {
    shape.sizes[i] = static_cast<std::uint64_t>(sizes[i]);
    shape.strides[i] = strides[i];
  }
  shape.box_rows = static_cast<std::uint32_t>(rows);
  message_ = make_tensor_map(shape, map);
}

}  // namespace lvsa::cuda
