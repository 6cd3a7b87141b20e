#pragma once
// The arrays that lvsa_blocks.h takes, made from the patterns of all heads.

#include <cstdint>
#include <span>
#include <vector>

#include "core/blocks/head_pattern.hpp"
#include "core/blocks/lvsa_blocks.h"

namespace lvsa {

/// Owns maps, masks, orders and thresholds as a block-sparse kernel reads them. Equal maps, masks
/// and orders are there once, whichever heads they come from. The addresses stay while this lives,
/// also when it is moved.
class BlockProblem {
 public:
  /// `patterns`: one for each head, the same for all batch elements, or [batch][heads].
  /// `block_rows` and `block_columns` are the nominal sizes of blocks, which a sequence shorter
  /// than one block does not show; 0: those of the largest block. Throws Error(kValue) that names
  /// batch element and head: what check_head_pattern() throws, blocks that differ from those of the
  /// first pattern or exceed the nominal size, thresholds that differ between batch elements (the
  /// interface has one for each head), or another number of patterns.
  BlockProblem(std::span<const HeadPattern> patterns, std::int64_t batch, std::int64_t heads,
               std::int64_t block_rows = 0, std::int64_t block_columns = 0);
  BlockProblem(const BlockProblem&) = delete;
  BlockProblem& operator=(const BlockProblem&) = delete;
  BlockProblem(BlockProblem&&) = default;
  BlockProblem& operator=(BlockProblem&&) = default;

  /// Sets batch, heads, query_tokens, key_tokens and everything from block_rows to
  /// skip_threshold_log2; leaves the other fields alone. A head without a skip rule beside heads
  /// with one has the threshold +infinity.
  void fill(lvsa_block_problem& problem) const;

  std::int64_t maps() const { return static_cast<std::int64_t>(maps_.size()); }
  std::int64_t masks() const { return mask_count_; }
  std::int64_t orders() const { return order_count_; }
  bool has_skip() const { return !thresholds_.empty(); }

 private:
  struct Map {
    std::vector<std::int32_t> indptr;
    std::vector<std::int32_t> indices;
    std::vector<std::int32_t> entry_mask;  // empty: no masks
    bool operator==(const Map&) const = default;
  };
  class Builder;

  std::int64_t batch_ = 0;
  std::int64_t heads_ = 0;
  BlockAxis rows_;
  BlockAxis columns_;
  std::int64_t block_rows_ = 0;
  std::int64_t block_columns_ = 0;
  std::int64_t mask_words_ = 0;
  std::int64_t mask_count_ = 0;
  std::int64_t order_count_ = 0;
  std::vector<Map> maps_;
  std::vector<lvsa_block_map> c_maps_;
  std::vector<std::int32_t> map_of_head_;
  std::vector<std::uint64_t> mask_bits_;
  std::vector<std::int32_t> orders_;
  std::vector<std::int32_t> order_of_head_;  // empty: no orders
  std::vector<float> thresholds_;            // empty: no skip
};

}  // namespace lvsa
