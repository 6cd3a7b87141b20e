#pragma once
// The rows of one item in the layout of tile_ops.hpp: queries packed, tiles of keys against all
// panels, masks, results.

#include <cstdint>
#include <vector>

#include "reference/attention/blocks/block_plan.hpp"

namespace lvsa::reference {

/// Neighbouring keys of one kept block within a tile.
struct TileSegment {
  std::int64_t place;  ///< of the first key
  std::int32_t count;
  std::int32_t at;              ///< key of the tile
  std::int32_t mask;            ///< -1: all pairs
  std::int32_t first_in_block;  ///< the first key, counted from the block's begin
};

/// Up to kKeyTile keys.
struct BlockTile {
  std::vector<TileSegment> segments;
  std::int32_t keys = 0;
  bool masked = false;

  void clear() {
    segments.clear();
    keys = 0;
    masked = false;
  }
  void add(const TileSegment& segment) {
    segments.push_back(segment);
    keys += segment.count;
    masked = masked || segment.mask >= 0;
  }
};

class BlockPanels {
 public:
  BlockPanels(const BlockPlan& plan, const BlockItem& item, const BlockBuffers& buffers);

  /// Takes the rows of the item that are wanted, or all of them where it has a skip rule and any is
  /// wanted; packs their queries. False: there are none.
  bool take_rows();
  void pack_keys(const BlockTile& tile) const;
  void pack_values(const BlockTile& tile);
  /// Scores, masks, softmax and P.V of a tile whose keys and values are packed.
  void attend(const BlockTile& tile);
  /// The same in two steps; `scores` has room for kKeyTile floats a row.
  void make_scores(const BlockTile& tile, float* scores) const;
  void finish(const BlockTile& tile, float* scores);
  /// The largest score of each row of a tile's scores, masked ones being -infinity, in log2 units,
  /// joined into `top` [rows].
  void join_maxima(const BlockTile& tile, const float* scores, float* top) const;
  void mark_keys(const BlockTile& tile) const;
  void write() const;

  std::int64_t rows() const { return rows_; }

 private:
  std::int64_t vectors() const { return (rows_ + plan_.ops().lanes - 1) / plan_.ops().lanes; }
  std::int64_t panel_vectors(std::int64_t first) const;
  std::int64_t panel_place(std::int64_t row, std::int64_t dims, std::int64_t& width) const;
  std::int64_t query_token(std::int64_t row) const;
  std::int64_t key_token(std::int64_t place) const { return order_ ? order_[place] : place; }
  const std::uint64_t* mask_row(std::int32_t mask, std::int64_t row) const;
  TileArgs args(const BlockTile& tile, std::int64_t first_vector, float* scores) const;
  // One panel, its scores alone.
  void score_panel(const BlockTile& tile, std::int64_t first_vector, float* scores) const;
  void finish_panel(const BlockTile& tile, std::int64_t first_vector, float* scores) const;
  void apply_masks(const BlockTile& tile, std::int64_t first_vector, float* scores) const;
  void take_out_bad_values(const BlockTile& tile);
  void add_bad_values(const BlockTile& tile, std::int64_t first_vector, const float* scores) const;
  bool attends(const TileSegment& segment, std::int64_t row, std::int64_t key) const;
  void pack_queries() const;
  const char* key_row(const lvsa_tensor& tensor, std::int64_t place) const;

  const BlockPlan& plan_;
  const lvsa_block_problem& p_;
  const BlockItem& item_;
  const BlockBuffers& b_;
  const std::int32_t* order_;
  std::int64_t kv_head_;
  std::int64_t rows_ = 0;
  float factor_;                          // of q.k, log2 units
  std::vector<std::int32_t> bad_values_;  // keys of the tile whose values are not all finite
};

}  // namespace lvsa::reference
