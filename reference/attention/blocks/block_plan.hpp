#pragma once
// How a block problem is cut into independent pieces of work, and what memory a thread needs.

#include <cstdint>

#include "core/blocks/lvsa_blocks.h"
#include "reference/attention/tiled/tile_ops.hpp"

namespace lvsa::reference {

/// Some rows of one query block of one head. Where the head has a skip rule, all of them: what is
/// skipped is decided for the whole block.
struct BlockItem {
  std::int64_t batch;
  std::int64_t head;
  std::int64_t row_block;
  std::int64_t first_row;  ///< within the block
  std::int64_t row_count;  ///< 0: nothing to do
  bool skips;
};

/// Buffers of one thread, each aligned for the widest vector. `rows` below: rows an item has at
/// most, in whole vectors.
struct BlockBuffers {
  float* queries;   // panels of queries, as in tile_ops.hpp
  float* outputs;   // panels of outputs
  float* keys;      // one tile
  float* values;    // one tile
  float* scores;    // of one panel, or of all panels and tiles of a block where there is skip
  float* maxima;    // [rows]
  float* sums;      // [rows]
  float* seen;      // [rows] maxima for the skip rule, skipped blocks included
  float* row;       // one row of floats
  float* gathered;  // one row of input elements whose stride is not 1
  std::int32_t* block_row;  // [rows] row within the query block
  std::int32_t* has_keys;   // [rows] whether the row attends anything
};

class BlockPlan {
 public:
  /// `problem` is valid and outlives the plan.
  BlockPlan(const lvsa_block_problem& problem, const TileOps& ops);

  std::int64_t items() const { return items_; }
  BlockItem item(std::int64_t index) const;

  /// Threads that run() uses.
  int threads() const { return threads_; }
  std::size_t workspace_bytes(int threads) const;
  BlockBuffers buffers(void* workspace, int thread) const;

  const lvsa_block_problem& problem() const { return problem_; }
  const TileOps& ops() const { return ops_; }
  const lvsa_block_map& map(std::int64_t batch, std::int64_t head) const {
    return problem_.maps[problem_.map_of_head[batch * problem_.heads + head]];
  }
  /// The tokens at the places of a head's order; null: places are tokens.
  const std::int32_t* order(std::int64_t batch, std::int64_t head) const;
  bool skips(std::int64_t head) const;
  /// Whether the output row of a token will be looked at.
  bool wanted(std::int64_t token) const;

  std::int64_t panel_rows() const { return std::int64_t{kMaxRowVectors} * ops_.lanes; }
  std::int64_t padded_dim() const { return padded_dim_; }
  std::int64_t key_stride() const { return key_stride_; }
  std::int64_t most_rows() const { return most_rows_; }

 private:
  const lvsa_block_problem& problem_;
  const TileOps& ops_;
  std::int64_t padded_dim_;
  std::int64_t key_stride_;
  std::int64_t part_rows_;  ///< rows of an item without skip, at most
  std::int64_t parts_;      ///< items of a query block
  std::int64_t most_rows_;  ///< rows of any item, in whole vectors
  std::int64_t score_floats_;
  std::int64_t items_;
  std::int64_t thread_floats_;
  int threads_;
};

}  // namespace lvsa::reference
