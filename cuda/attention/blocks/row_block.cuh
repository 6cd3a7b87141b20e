#pragma once
// Which rows a thread block serves and which key blocks they attend.

#include <cmath>
#include <cstdint>

#include "cuda/attention/blocks/parameters.hpp"

namespace lvsa::cuda::portable_blocks {

/// A query block of one head.
struct RowBlock {
  int batch;
  int head;
  int kv_head;
  int place;                  ///< of its first row
  int rows;                   ///< 1 .. block_rows
  const std::int32_t* order;  ///< the token at each place; null: the place itself
  std::int64_t first;         ///< of its entries in the arrays of the maps
  int entries;
  float threshold;  ///< of the online skip, log2 units; infinite: none

  __device__ int token(int at) const { return order != nullptr ? order[at] : at; }
};

/// `item` counts row blocks of a head, then heads, then batch elements.
__device__ inline RowBlock find_row_block(const Parameters& p, std::int64_t item) {
  const DeviceMaps& maps = p.maps;
  const std::int64_t sequence = item / maps.row_blocks;
  const int line = static_cast<int>(item % maps.row_blocks);
  RowBlock block;
  block.batch = static_cast<int>(sequence / p.heads);
  block.head = static_cast<int>(sequence % p.heads);
  block.kv_head = block.head / (p.heads / p.kv_heads);
  block.place = maps.row_begin[line];
  block.rows = maps.row_begin[line + 1] - block.place;
  const int order = maps.order_of_head != nullptr ? maps.order_of_head[sequence] : -1;
  block.order = order >= 0 ? maps.orders + order * p.query_tokens : nullptr;
  const std::int64_t row =
      static_cast<std::int64_t>(maps.map_of_head[sequence]) * maps.row_blocks + line;
  block.first = maps.row_first[row];
  block.entries = maps.row_count[row];
  block.threshold = maps.skip_log2 != nullptr ? maps.skip_log2[block.head] : INFINITY;
  return block;
}

/// One of the key blocks that a row block attends.
struct KeyBlock {
  int place;  ///< of its first key
  int keys;   ///< 1 .. block_columns
  int mask;   ///< kNoMask: all pairs

  __device__ KeyBlock(const DeviceMaps& maps, const RowBlock& row, int entry)
      : mask(maps.entry_mask != nullptr ? maps.entry_mask[row.first + entry] : kNoMask) {
    const int column = maps.indices[row.first + entry];
    place = maps.column_begin[column];
    keys = maps.column_begin[column + 1] - place;
  }
};

/// Which of the keys [word * 64, word * 64 + 64) of a block a row of the row block attends: bit i
/// for key word * 64 + i. Needs row < rows where the block has a mask.
__device__ inline std::uint64_t attended_keys(const DeviceMaps& maps, const KeyBlock& block,
                                              int row, int word) {
  const int keys = block.keys - word * 64;
  const std::uint64_t inside = keys >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << keys) - 1;
  if (block.mask == kNoMask) return inside;
  const std::int64_t line = static_cast<std::int64_t>(block.mask) * maps.block_rows + row;
  return inside & maps.mask_bits[line * maps.mask_words + word];
}

}  // namespace lvsa::cuda::portable_blocks
