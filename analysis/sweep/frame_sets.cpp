#include "analysis/sweep/frame_sets.hpp"

#include <limits>

namespace lvsa::analysis {
namespace {

constexpr std::uint32_t kUnknown = std::numeric_limits<std::uint32_t>::max();

}  // namespace

FrameSets::PairTable::Entry& FrameSets::PairTable::place(SlotPair pair) {
  const std::uint64_t key = (std::uint64_t{pair.left} << 32) | pair.right;
  const std::uint64_t mixed = key * 0x9e3779b97f4a7c15ULL;
  const std::size_t mask = entries_.size() - 1;
  std::size_t at = static_cast<std::size_t>(mixed >> 32) & mask;
  while (entries_[at].used &&
         (entries_[at].pair.left != pair.left || entries_[at].pair.right != pair.right)) {
    at = (at + 1) & mask;
  }
  return entries_[at];
}

void FrameSets::PairTable::grow() {
  std::vector<Entry> old(2 * entries_.size());
  old.swap(entries_);
  for (const Entry& entry : old) {
    if (entry.used) place(entry.pair) = entry;
  }
}

std::uint32_t FrameSets::PairTable::find(SlotPair pair, std::uint32_t fresh) {
  if (2 * used_ >= entries_.size()) grow();
  Entry& entry = place(pair);
  if (!entry.used) {
    entry = {pair, fresh, true};
    ++used_;
  }
  return entry.number;
}

FrameSets::FrameSets(std::int64_t cells)
    : nothing_(static_cast<std::uint32_t>(cells)),
      byte_slots_(static_cast<std::size_t>((cells + 7) / 8)) {
  for (auto& slots : byte_slots_) slots.fill(kUnknown);
}

std::uint32_t FrameSets::sum(std::uint32_t left, std::uint32_t right) {
  if (left == nothing_) return right;
  if (right == nothing_) return left;
  const auto fresh = static_cast<std::uint32_t>(adds_.size());
  const std::uint32_t number = add_numbers_.find({left, right}, fresh);
  if (number == fresh) adds_.push_back({left, right});
  return nothing_ + 1 + number;
}

std::uint32_t FrameSets::nibble(std::size_t first_cell, unsigned mask) {
  const auto cell = [&](unsigned i) {
    return ((mask >> i) & 1U) != 0 ? static_cast<std::uint32_t>(first_cell + i) : nothing_;
  };
  const std::uint32_t left = sum(cell(0), cell(1));
  return sum(left, sum(cell(2), cell(3)));
}

SlotPair FrameSets::halves(std::size_t byte, std::uint8_t mask) {
  const std::uint32_t left = nibble(8 * byte, mask & 15U);
  return {left, nibble(8 * byte + 4, mask >> 4U)};
}

void FrameSets::append_cells(std::uint32_t slot, std::vector<std::int32_t>& cells) const {
  if (slot == nothing_) return;
  if (slot < nothing_) {
    cells.push_back(static_cast<std::int32_t>(slot));
    return;
  }
  const SlotPair pair = adds_[slot - nothing_ - 1];
  append_cells(pair.left, cells);
  append_cells(pair.right, cells);
}

std::vector<std::int32_t> FrameSets::cells_of(std::uint32_t set) const {
  std::vector<std::int32_t> cells;
  append_cells(sets_[set].left, cells);
  append_cells(sets_[set].right, cells);
  return cells;
}

std::uint32_t FrameSets::add(std::span<const std::uint8_t> bits) {
  SlotPair top{};
  if (bits.size() == 1) {
    top = halves(0, bits[0]);
  } else {
    level_.resize(bits.size());
    for (std::size_t b = 0; b < bits.size(); ++b) {
      std::uint32_t& slot = byte_slots_[b][bits[b]];
      if (slot == kUnknown) {
        const SlotPair pair = halves(b, bits[b]);
        slot = sum(pair.left, pair.right);
      }
      level_[b] = slot;
    }
    while (level_.size() > 2) {
      for (std::size_t i = 0; 2 * i < level_.size(); ++i) {
        const std::size_t right = 2 * i + 1;
        level_[i] = right < level_.size() ? sum(level_[2 * i], level_[right]) : level_[2 * i];
      }
      level_.resize((level_.size() + 1) / 2);
    }
    top = {level_[0], level_[1]};
  }
  const auto fresh = static_cast<std::uint32_t>(sets_.size());
  const std::uint32_t number = set_numbers_.find(top, fresh);
  if (number == fresh) sets_.push_back(top);
  return number;
}

}  // namespace lvsa::analysis
