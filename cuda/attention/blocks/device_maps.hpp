#pragma once
// Block maps of all heads as the block-sparse kernels read them: arrays in device memory. They come
// from the host arrays of core/blocks/lvsa_blocks.h (cuda/launch/block_arrays.hpp) or from a
// prediction that never leaves the device (cuda/prediction).

#include <cstdint>

namespace lvsa::cuda::blocks {

/// An entry whose pairs all count.
inline constexpr std::int32_t kNoMask = -1;

/// Marks of row blocks that are to be computed again: rows that are not finite, or all.
inline constexpr std::int32_t kSpoiltRows = 1;
inline constexpr std::int32_t kAllRows = 2;

/// Passed to kernels by value. Blocks are over places, as in lvsa_blocks.h.
struct DeviceMaps {
  const std::int32_t* row_begin = nullptr;     ///< [row_blocks + 1] places
  const std::int32_t* column_begin = nullptr;  ///< [column_blocks + 1] places
  std::int32_t row_blocks = 0;
  std::int32_t column_blocks = 0;
  std::int32_t block_rows = 0;     ///< the nominal size, which no block exceeds
  std::int32_t block_columns = 0;  ///< likewise

  /// Row r of map m: `row_count[m * row_blocks + r]` key blocks, ascending and unique, from
  /// `indices + row_first[m * row_blocks + r]` on; rows may leave gaps between them.
  const std::int64_t* row_first = nullptr;
  const std::int32_t* row_count = nullptr;
  const std::int32_t* indices = nullptr;
  const std::int32_t* entry_mask = nullptr;   ///< like indices: mask or kNoMask; null: no masks
  const std::int32_t* map_of_head = nullptr;  ///< [batch * heads]

  /// Mask m, row i of the block: `mask_words` words from mask_bits[(m * block_rows + i) *
  /// mask_words]; key j of the block is bit j % 64 of word j / 64.
  const std::uint64_t* mask_bits = nullptr;
  std::int32_t mask_words = 0;

  const std::int32_t* orders = nullptr;         ///< [order][tokens]: the token at each place
  const std::int32_t* order_of_head = nullptr;  ///< [batch * heads], -1: none; null: none at all
  const float* skip_log2 = nullptr;             ///< [heads], +inf: none; null: none at all
};

}  // namespace lvsa::cuda::blocks
