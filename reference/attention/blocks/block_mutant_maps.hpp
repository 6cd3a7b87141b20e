#pragma once
// What the emulated block kernel takes for its maps, masks and orders, defects included.

#include <cstdint>
#include <vector>

#include "reference/attention/blocks/block_mutants.hpp"

namespace lvsa::reference {

/// One kept block: places begin .. end - 1 of keys.
struct MutantEntry {
  std::int64_t column = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t nominal_end = 0;  ///< begin + block_columns: phantom keys up to here
  std::int32_t mask = -1;
};

class MutantMaps {
 public:
  MutantMaps(const lvsa_block_problem& p, BlockDefect defect);

  /// The blocks that a query block attends.
  std::vector<MutantEntry> entries(std::int64_t batch, std::int64_t head, std::int64_t row) const;
  /// Whether row `r` of a query block attends key `i` of a block with this mask.
  bool attends(std::int32_t mask, std::int64_t r, std::int64_t i) const;
  /// The token at a place; the place itself without an order.
  std::int64_t token(std::int64_t batch, std::int64_t head, std::int64_t place) const;
  std::int64_t row_begin(std::int64_t row) const { return p_.row_begin[row]; }
  std::int64_t row_end(std::int64_t row) const { return p_.row_begin[row + 1]; }

 private:
  struct Map {
    std::vector<std::int32_t> indptr;
    std::vector<std::int32_t> indices;
    std::vector<std::int32_t> entry_mask;
  };
  struct Memory;
  static Memory& memory();
  friend void forget_previous_block_calls();

  std::vector<Map> maps_of(const lvsa_block_problem& p) const;
  const Map& map(std::int64_t batch, std::int64_t head) const;
  MutantEntry entry(const Map& map, std::int64_t e, std::int64_t end, std::int64_t first) const;
  void place(MutantEntry& entry) const;
  std::vector<std::int64_t> columns_of_row(const Map& map, std::int64_t row) const;

  const lvsa_block_problem& p_;
  BlockDefect defect_;
  std::vector<Map> maps_;
  std::vector<std::int32_t> orders_;  // [order_count][Sq], or their inverses
};

}  // namespace lvsa::reference
