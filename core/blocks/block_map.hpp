#pragma once
// Which key blocks each query block attends: compressed sparse rows (CSR) over any blocks.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/blocks/block_axis.hpp"

namespace lvsa {

/// Query block r attends the key blocks indices[indptr[r]] .. indices[indptr[r + 1] - 1].
struct BlockMap {
  BlockAxis rows;                     ///< query tokens
  BlockAxis columns;                  ///< key tokens
  std::vector<std::int32_t> indptr;   ///< [rows.blocks() + 1], starts at 0, never falls
  std::vector<std::int32_t> indices;  ///< [indptr.back()], ascending and unique within a row

  std::span<const std::int32_t> row(std::int64_t r) const {
    const auto begin = static_cast<std::size_t>(indptr[static_cast<std::size_t>(r)]);
    const auto end = static_cast<std::size_t>(indptr[static_cast<std::size_t>(r) + 1]);
    return std::span(indices).subspan(begin, end - begin);
  }
  std::int64_t kept() const { return static_cast<std::int64_t>(indices.size()); }
  bool operator==(const BlockMap&) const = default;
};

/// Throws Error(kValue) that starts with `name` and names row, place and column of the first thing
/// wrong: length or fall of indptr, a column out of range, unsorted or repeated.
void check_block_map(const BlockMap& map, const std::string& name);

/// All blocks.
BlockMap full_block_map(BlockAxis rows, BlockAxis columns);
/// The blocks for which `keeps(r, c)` holds. Throws Error(kOverflow) beyond 2^31 - 1 of them.
BlockMap make_block_map(BlockAxis rows, BlockAxis columns,
                        const std::function<bool(std::int64_t, std::int64_t)>& keeps);

/// Kept blocks over all blocks.
double block_density(const BlockMap& map);

}  // namespace lvsa
