#pragma once
// The sets of key frames that one query frame attends under many patterns, each once, and how their
// sums are made of each other.
//
// A sum over a set of cells is taken along a fixed binary tree over all cells: cells 0 and 1, 2 and
// 3, ... are added, then pairs of neighbouring sums, and so on; what the set does not hold is left
// out. So the order of the additions depends on the set alone, and sets that agree on a stretch of
// cells share its sum.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "analysis/sweep/partials_loops.hpp"

namespace lvsa::analysis {

/// Slots hold sums: 0 .. cells-1 the cells alone, slot `cells` nothing (zero), slot cells + 1 + i
/// the sum of the two slots adds()[i], which come before it.
class FrameSets {
 public:
  explicit FrameSets(std::int64_t cells);

  /// The number of a set, counting from 0 in the order of their first appearance. `bits`: bit c % 8
  /// of byte c / 8 says whether the set holds cell c.
  std::uint32_t add(std::span<const std::uint8_t> bits);

  std::size_t bytes() const { return byte_slots_.size(); }
  std::size_t slots() const { return static_cast<std::size_t>(nothing_) + 1 + adds_.size(); }
  std::uint32_t nothing() const { return nothing_; }
  const std::vector<SlotPair>& adds() const { return adds_; }
  /// Each set as the sum of two slots.
  const std::vector<SlotPair>& sets() const { return sets_; }
  /// The cells of a set, ascending.
  std::vector<std::int32_t> cells_of(std::uint32_t set) const;

 private:
  /// From pairs of slots to numbers; open addressing.
  class PairTable {
   public:
    /// The number of a pair; `fresh` where it is new.
    std::uint32_t find(SlotPair pair, std::uint32_t fresh);

   private:
    struct Entry {
      SlotPair pair;
      std::uint32_t number = 0;
      bool used = false;
    };
    Entry& place(SlotPair pair);
    void grow();
    std::vector<Entry> entries_ = std::vector<Entry>(64);
    std::size_t used_ = 0;
  };

  std::uint32_t sum(std::uint32_t left, std::uint32_t right);
  void append_cells(std::uint32_t slot, std::vector<std::int32_t>& cells) const;
  SlotPair halves(std::size_t byte, std::uint8_t mask);
  std::uint32_t nibble(std::size_t first_cell, unsigned mask);

  std::uint32_t nothing_;
  std::vector<SlotPair> adds_;
  std::vector<SlotPair> sets_;
  PairTable add_numbers_;
  PairTable set_numbers_;
  std::vector<std::array<std::uint32_t, 256>> byte_slots_;
  std::vector<std::uint32_t> level_;  // scratch of add()
};

}  // namespace lvsa::analysis
