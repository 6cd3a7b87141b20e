#pragma once
// Which keys a block-sparse kernel attends, from its outputs alone, against the maps it was given
// (docs/recover.md).

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "analysis/verify/case.hpp"
#include "core/blocks/lvsa_blocks.h"

namespace lvsa::analysis {

/// What is wrong in one block of pairs.
struct MapDifference {
  std::int64_t batch = 0;
  std::int64_t head = 0;
  std::int64_t row_block = 0;
  std::int64_t column_block = 0;
  std::int64_t due = 0;       ///< pairs that the map has there
  std::int64_t lacking = 0;   ///< of them, pairs without weight
  std::int64_t added = 0;     ///< pairs with weight that the map does not have
  std::int64_t repeated = 0;  ///< pairs that weigh more than others of their row
};

struct MapRecovery {
  Case c;
  std::int64_t runs = 0;
  std::int64_t rows = 0;
  std::int64_t rows_without_numbers = 0;   ///< NaN, infinite, not written, or below 0
  std::vector<MapDifference> differences;  ///< by batch element, head, query block, key block
  bool exact() const { return differences.empty() && rows_without_numbers == 0; }
};

struct RecoverMapOptions {
  std::int64_t max_runs = 20;
  std::int32_t threads = 0;
  std::function<void()> before_each;  ///< call of the kernel
};

/// All scores are 0 in these runs; V is 1 in one column for each of D keys a run. A pair that the
/// kernel leaves out has exactly 0 there, whatever the type. Throws Error(kKernel) for a kernel
/// that does not serve the case or fails, Error(kValue) for a skip threshold of 0 or less (which
/// leaves out blocks of equal scores), too many runs or pairs, and what make_block_case() throws.
MapRecovery recover_map(const Case& c, const lvsa_block_kernel& kernel,
                        const RecoverMapOptions& options);

/// "head 1, query block 3, key block 5: lacks 512 of 512 pairs".
std::string difference_text(const MapDifference& difference, const Case& c);

}  // namespace lvsa::analysis
