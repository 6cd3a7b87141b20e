#pragma once
// The emulated kernel's skip decisions, defects included.

#include <vector>

#include "reference/attention/blocks/block_mutant_maps.hpp"

namespace lvsa::reference {

/// Rows of a query block against its kept blocks.
struct SkipInput {
  std::vector<const float*> queries;            ///< [rows], in the order of places
  std::vector<std::vector<const float*>> keys;  ///< [entries][keys of the block]
  std::vector<MutantEntry> entries;
  std::int64_t dim = 0;
  float factor = 1.0F;  ///< of q.k, log2 units
  float threshold = 0.0F;
};

/// [entries][rows]: whether the row leaves the block out.
std::vector<std::vector<bool>> mutant_skips(const SkipInput& input, const MutantMaps& maps,
                                            BlockDefect defect);

}  // namespace lvsa::reference
