#pragma once
// In which order a case's times are taken. A block is A B B A or B A A B, then A against itself in
// the same order; each is the same read backwards, so that what rises or falls evenly is the same
// for both.

#include <array>
#include <cstdint>

namespace lvsa::analysis {

/// Whose call a time is of. kAgain is A once more, in B's place.
enum class Side { kA, kB, kAgain };
inline constexpr std::size_t kSides = 3;

struct BlockSlot {
  Side side = Side::kA;
  bool noise = false;  ///< belongs to the second half: A against itself
};
inline constexpr std::size_t kSlots = 8;
using BlockOrder = std::array<BlockSlot, kSlots>;

/// Which of the two begins, and which half comes first, changes from block to block, so that what
/// follows on what is the same for both.
constexpr BlockOrder block_order(std::int64_t block) {
  const bool b_first = block % 2 != 0;
  const bool noise_first = block / 2 % 2 != 0;
  BlockOrder order{};
  for (std::size_t i = 0; i < kSlots; ++i) {
    const bool noise = (i >= kSlots / 2) != noise_first;
    const std::size_t place = i % (kSlots / 2);
    const bool outer = place == 0 || place == 3;
    const Side other = noise ? Side::kAgain : Side::kB;
    order[i] = {outer != b_first ? Side::kA : other, noise};
  }
  return order;
}

/// Times of one block, summed: [half][side].
struct BlockTimes {
  std::array<double, kSides> compared{};
  std::array<double, kSides> noise{};
};
constexpr void add_time(BlockTimes& times, BlockSlot slot, double seconds) {
  (slot.noise ? times.noise : times.compared)[static_cast<std::size_t>(slot.side)] += seconds;
}
/// B / A, and A / A.
constexpr double block_ratio(const BlockTimes& times) {
  return times.compared[1] / times.compared[0];
}
constexpr double noise_ratio(const BlockTimes& times) { return times.noise[2] / times.noise[0]; }

/// Blocks of A against itself that tell how many are to be measured.
inline constexpr std::int64_t kPilotBlocks = 15;

/// Number of the process that measures a block, from 0: all have as many, give or take one.
constexpr std::int64_t round_of(std::int64_t block, std::int64_t blocks, std::int64_t rounds) {
  return block * rounds / blocks;
}

}  // namespace lvsa::analysis
