#include "cuda/launch/block_arrays.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "cuda/launch/list_workspace.hpp"

namespace lvsa::cuda {
namespace {

constexpr std::size_t kSection = 128;  // alignment of each array

bool has_masks(const lvsa_block_problem& p) {
  return p.mask_count > 0 && std::any_of(p.maps, p.maps + p.map_count, [](const lvsa_block_map& m) {
           return m.entry_mask != nullptr;
         });
}

bool has_orders(const lvsa_block_problem& p) {
  return p.order_of_head != nullptr &&
         std::any_of(p.order_of_head, p.order_of_head + p.batch * p.heads,
                     [](std::int32_t order) { return order >= 0; });
}

bool has_skip(const lvsa_block_problem& p) {
  return p.skip_threshold_log2 != nullptr &&
         std::any_of(p.skip_threshold_log2, p.skip_threshold_log2 + p.heads,
                     [](float threshold) { return !std::isinf(threshold); });
}

std::int64_t all_entries(const lvsa_block_problem& p) {
  std::int64_t entries = 0;
  for (std::int64_t m = 0; m < p.map_count; ++m) entries += p.maps[m].indptr[p.row_blocks];
  return entries;
}

/// One array behind the other, from aligned places on.
class Packer {
 public:
  /// Without memory it only counts.
  Packer(char* memory, char* device) : memory_(memory), device_(device) {}

  /// Room for an array; where it lies in the packed bytes, null when counting.
  template <typename Value>
  Value* take(std::int64_t count, const Value** on_device) {
    Value* const here = memory_ == nullptr ? nullptr : reinterpret_cast<Value*>(memory_ + bytes_);
    *on_device = device_ == nullptr ? nullptr : reinterpret_cast<const Value*>(device_ + bytes_);
    bytes_ +=
        (static_cast<std::size_t>(count) * sizeof(Value) + kSection - 1) / kSection * kSection;
    return here;
  }
  template <typename Value>
  void copy(const Value* from, std::int64_t count, const Value** on_device) {
    Value* const to = take(count, on_device);
    if (to != nullptr && count > 0) std::copy(from, from + count, to);
  }
  std::size_t bytes() const { return bytes_; }

 private:
  char* memory_;
  char* device_;
  std::size_t bytes_ = 0;
};

void pack_axis(Packer& packer, const std::int64_t* begin, std::int64_t blocks,
               const std::int32_t** on_device) {
  std::int32_t* const to = packer.take(blocks + 1, on_device);
  if (to == nullptr) return;
  for (std::int64_t b = 0; b <= blocks; ++b) to[b] = static_cast<std::int32_t>(begin[b]);
}

void pack_rows(Packer& packer, const lvsa_block_problem& p, blocks::DeviceMaps* maps) {
  const std::int64_t rows = p.map_count * p.row_blocks;
  std::int64_t* const first = packer.take(rows, &maps->row_first);
  std::int32_t* const count = packer.take(rows, &maps->row_count);
  if (first == nullptr) return;
  std::int64_t before = 0;
  for (std::int64_t m = 0; m < p.map_count; ++m) {
    const std::int32_t* const indptr = p.maps[m].indptr;
    for (std::int64_t r = 0; r < p.row_blocks; ++r) {
      first[m * p.row_blocks + r] = before + indptr[r];
      count[m * p.row_blocks + r] = indptr[r + 1] - indptr[r];
    }
    before += indptr[p.row_blocks];
  }
}

void pack_entries(Packer& packer, const lvsa_block_problem& p, blocks::DeviceMaps* maps) {
  const std::int64_t entries = all_entries(p);
  std::int32_t* indices = packer.take(entries, &maps->indices);
  std::int32_t* masks = has_masks(p) ? packer.take(entries, &maps->entry_mask) : nullptr;
  if (indices == nullptr) return;
  for (std::int64_t m = 0; m < p.map_count; ++m) {
    const lvsa_block_map& map = p.maps[m];
    const std::int64_t count = map.indptr[p.row_blocks];
    if (count > 0) std::copy(map.indices, map.indices + count, indices);
    indices += count;
    if (masks == nullptr) continue;
    if (map.entry_mask == nullptr) {
      std::fill(masks, masks + count, blocks::kNoMask);
    } else if (count > 0) {
      std::copy(map.entry_mask, map.entry_mask + count, masks);
    }
    masks += count;
  }
}

std::size_t pack(const lvsa_block_problem& p, char* memory, char* device,
                 blocks::DeviceMaps* maps) {
  Packer packer(memory, device);
  *maps = {};
  maps->row_blocks = static_cast<std::int32_t>(p.row_blocks);
  maps->column_blocks = static_cast<std::int32_t>(p.column_blocks);
  maps->block_rows = static_cast<std::int32_t>(p.block_rows);
  maps->block_columns = static_cast<std::int32_t>(p.block_columns);
  pack_axis(packer, p.row_begin, p.row_blocks, &maps->row_begin);
  pack_axis(packer, p.column_begin, p.column_blocks, &maps->column_begin);
  pack_rows(packer, p, maps);
  pack_entries(packer, p, maps);
  packer.copy(p.map_of_head, p.batch * p.heads, &maps->map_of_head);
  if (has_masks(p)) {
    maps->mask_words = static_cast<std::int32_t>(p.mask_words);
    packer.copy(p.mask_bits, p.mask_count * p.block_rows * p.mask_words, &maps->mask_bits);
  }
  if (has_orders(p)) {
    packer.copy(p.orders, p.order_count * p.query_tokens, &maps->orders);
    packer.copy(p.order_of_head, p.batch * p.heads, &maps->order_of_head);
  }
  if (has_skip(p)) packer.copy(p.skip_threshold_log2, p.heads, &maps->skip_log2);
  return packer.bytes();
}

}  // namespace

std::size_t block_arrays_bytes(const lvsa_block_problem& problem) {
  blocks::DeviceMaps nowhere;
  return pack(problem, nullptr, nullptr, &nowhere);
}

Verdict copy_block_arrays(const lvsa_block_problem& problem, char* to, cudaStream_t stream,
                          blocks::DeviceMaps* maps) {
  Verdict verdict = check_stream(stream);
  if (!verdict.ok()) return verdict;
  // Pageable memory, of which the driver keeps its own copy: see copy_lists().
  std::vector<char> packed(block_arrays_bytes(problem));
  pack(problem, packed.data(), to, maps);
  return from_cuda(
      cudaMemcpyAsync(to, packed.data(), packed.size(), cudaMemcpyHostToDevice, stream),
      "cudaMemcpyAsync");
}

}  // namespace lvsa::cuda
