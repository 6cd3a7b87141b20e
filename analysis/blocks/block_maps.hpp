#pragma once
// The maps of a call: the patterns of all heads, and the arrays that a block-sparse kernel gets.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analysis/verify/bounds.hpp"
#include "core/blocks/block_problem.hpp"
#include "core/blocks/head_pattern.hpp"
#include "core/blocks/lvsa_blocks.h"
#include "core/blocks/pattern_rule.hpp"
#include "reference/attention/oracle.hpp"

namespace lvsa::analysis {

/// Immutable; the arrays stay where they are.
class BlockMaps {
 public:
  /// `heads`: [batch][heads] patterns. `nominal`: tokens of a whole block; 0: the largest block's.
  /// The kernel must outlive this. Throws Error(kValue) as BlockProblem does.
  BlockMaps(const lvsa_block_kernel& kernel, std::vector<HeadPattern> heads, std::int64_t batch,
            BlockSize nominal);

  const lvsa_block_kernel& kernel() const { return *kernel_; }
  const std::vector<HeadPattern>& heads() const { return heads_; }
  std::int64_t batch() const { return batch_; }
  const BlockSize& nominal() const { return nominal_; }
  const HeadPattern& head(std::int64_t batch, std::int64_t head) const {
    return heads_[static_cast<std::size_t>(batch * per_batch_ + head)];
  }
  const HeadPattern& head(const reference::RowId& row) const { return head(row.batch, row.head); }
  const BlockProblem& arrays() const { return arrays_; }
  bool has_skip() const { return arrays_.has_skip(); }

  /// The same kernel and block size with other patterns.
  BlockMaps with(std::vector<HeadPattern> heads, std::int64_t batch) const {
    return {*kernel_, std::move(heads), batch, nominal_};
  }

  /// Hash of all arrays, to see that a kernel has left them alone.
  std::uint64_t hash() const;
  /// ", place 17 (row block 0)" of a query row.
  std::string place_text(const reference::RowId& row) const;

 private:
  const lvsa_block_kernel* kernel_;
  std::vector<HeadPattern> heads_;
  std::int64_t batch_;
  std::int64_t per_batch_;
  BlockSize nominal_;
  BlockProblem arrays_;
};

/// The place of a token in the head's order.
std::int64_t place_of_token(const HeadPattern& pattern, std::int64_t token);
/// The query block of a query token.
std::int64_t row_block_of(const HeadPattern& pattern, std::int64_t query_token);

/// Rounding steps of a row of `keys` keys, for its bounds: each kept block is cut into tiles of its
/// own, whatever its masks; the worst case where the tile is unknown.
RowSteps map_steps(const BoundModel& model, const BlockMaps& maps, const reference::RowId& row,
                   std::int64_t keys);

}  // namespace lvsa::analysis
