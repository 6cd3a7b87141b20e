#pragma once
// What a block pattern is in figures, and what two of them differ in.

#include <cstdint>
#include <optional>
#include <string>

#include "core/blocks/head_pattern.hpp"

namespace lvsa::analysis {

struct PatternFigures {
  std::int64_t queries = 0;
  std::int64_t keys = 0;
  std::int64_t rows = 0;           ///< blocks of queries
  std::int64_t columns = 0;        ///< blocks of keys
  std::int64_t block_rows = 0;     ///< tokens of the largest
  std::int64_t block_columns = 0;  ///< tokens of the largest
  bool segments = false;           ///< blocks are shorter elsewhere than at the end
  std::int64_t kept = 0;
  double block_density = 0.0;
  double token_density = 0.0;
  std::int64_t row_least = 0;  ///< kept blocks of the row that has the fewest
  std::int64_t row_most = 0;
  std::int64_t empty_rows = 0;     ///< rows of blocks without a key
  std::int64_t masks = 0;          ///< different element masks
  std::int64_t masked_blocks = 0;  ///< kept blocks that have one
  std::int64_t moved_tokens = 0;   ///< by the order: those whose place is not their own number
  bool ordered = false;
  std::optional<double> skip_threshold_log2;
  std::string choice;
};
PatternFigures pattern_figures(const HeadPattern& pattern);

struct PatternDifference {
  std::int64_t only_first = 0;   ///< pairs of tokens that the first alone attends
  std::int64_t only_second = 0;  ///< and the second
  /// The first pair of tokens that one of them alone attends: queries in the order of the sequence,
  /// then keys. -1: there is none.
  std::int64_t query = -1;
  std::int64_t key = -1;
  /// Whether blocks and order are the same, so that the maps can be held against each other.
  bool same_blocks = false;
  std::int64_t blocks_only_first = 0;
  std::int64_t blocks_only_second = 0;
  std::int64_t row = -1;  ///< the first block that one of the maps alone keeps; -1: none
  std::int64_t column = -1;
  bool none() const { return only_first == 0 && only_second == 0; }
};
/// Throws Error(kValue) for patterns of sequences of other lengths.
PatternDifference pattern_difference(const HeadPattern& first, const HeadPattern& second);

}  // namespace lvsa::analysis
