#pragma once
// Which pairs of a kept block are attended where not all of them are. Equal masks are stored once.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/blocks/block_map.hpp"

namespace lvsa {

/// Bit i of a mask's row r, counted from the lowest bit of its first word: whether the r-th query
/// of the block attends the block's i-th key. Bits past the ends of a ragged block are 0.
struct ElementMask {
  std::int64_t block_rows = 0;  ///< rows of each mask: the map's rows.largest()
  std::int64_t words = 0;       ///< 64-bit words a row: ceil(columns.largest() / 64)
  std::vector<std::int32_t>
      entry;  ///< [map.kept()]: number of a mask, -1: all pairs; empty: all -1
  std::vector<std::uint64_t> bits;  ///< [masks][block_rows][words]

  std::int64_t masks() const {
    return bits.empty() ? 0 : static_cast<std::int64_t>(bits.size()) / (block_rows * words);
  }
  /// Of the map's entry number `kept`; -1: all pairs.
  std::int32_t mask_of(std::int64_t kept) const {
    return entry.empty() ? -1 : entry[static_cast<std::size_t>(kept)];
  }
  const std::uint64_t* row_bits(std::int32_t mask, std::int64_t row) const {
    return bits.data() + (mask * block_rows + row) * words;
  }
  bool attends(std::int32_t mask, std::int64_t row, std::int64_t column) const {
    return mask < 0 || ((row_bits(mask, row)[column / 64] >> (column % 64)) & 1u) != 0;
  }
  bool operator==(const ElementMask&) const = default;
};

/// Throws Error(kValue) that starts with `name`: lengths, mask numbers out of range (row and column
/// named), bits past the end of a ragged block, a mask without any pair.
void check_element_mask(const ElementMask& mask, const BlockMap& map, const std::string& name);

/// Collects masks, each different one once.
class ElementMaskBuilder {
 public:
  ElementMaskBuilder(const BlockAxis& rows, const BlockAxis& columns);
  /// The next entry of the map attends all of its pairs.
  void add_full();
  /// The next entry of the map attends the pairs of `bits` [block_rows][words]; returns the number
  /// of their mask.
  std::int32_t add(const std::vector<std::uint64_t>& bits);
  /// The next entry of the map has a mask that add() returned before.
  void add_again(std::int32_t mask);
  std::int64_t block_rows() const { return mask_.block_rows; }
  std::int64_t words() const { return mask_.words; }
  /// `entry` is empty when all entries are full.
  ElementMask take();

 private:
  ElementMask mask_;
  std::map<std::vector<std::uint64_t>, std::int32_t> known_;
};

}  // namespace lvsa
