#include "analysis/blocks/block_guard.hpp"

#include <algorithm>
#include <vector>

namespace lvsa::analysis {

void guard_maps(lvsa_block_problem& p, GuardedInputs& guarded) {
  constexpr std::int64_t kMostMaps = 8;  // guards are few
  std::vector<lvsa_block_map> maps(p.maps, p.maps + p.map_count);
  for (std::int64_t m = 0; m < std::min(p.map_count, kMostMaps); ++m) {
    lvsa_block_map& map = maps[static_cast<std::size_t>(m)];
    const std::int64_t kept = map.indptr[p.row_blocks];
    map.indptr = guarded.guarded("indptr of a map", map.indptr, p.row_blocks + 1);
    map.indices = guarded.guarded("indices of a map", map.indices, kept);
    map.entry_mask = guarded.guarded("entry_mask of a map", map.entry_mask, kept);
  }
  p.maps = guarded.guarded("maps", maps.data(), p.map_count);
  p.map_of_head = guarded.guarded("map_of_head", p.map_of_head, p.batch * p.heads);
  p.row_begin = guarded.guarded("row_begin", p.row_begin, p.row_blocks + 1);
  p.column_begin = guarded.guarded("column_begin", p.column_begin, p.column_blocks + 1);
  p.mask_bits =
      guarded.guarded("mask_bits", p.mask_bits, p.mask_count * p.block_rows * p.mask_words);
  p.orders = guarded.guarded("orders", p.orders, p.order_count * p.query_tokens);
  p.order_of_head = guarded.guarded("order_of_head", p.order_of_head, p.batch * p.heads);
  p.skip_threshold_log2 = guarded.guarded("skip_threshold_log2", p.skip_threshold_log2, p.heads);
}

}  // namespace lvsa::analysis
