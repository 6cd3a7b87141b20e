#pragma once
// Runs one case with a pattern on a block-sparse kernel and judges what comes out: the sister of
// run_case().

#include "analysis/blocks/block_maps.hpp"
#include "analysis/verify/result.hpp"
#include "analysis/verify/run_case.hpp"
#include "core/blocks/lvsa_blocks.h"

namespace lvsa::analysis {

/// Never throws for what the kernel does; throws Error for a case that cannot be made: a rule that
/// does not serve the grid, sizes beyond memory, e4m3.
CaseResult run_block_case(const Case& c, const lvsa_block_kernel& kernel,
                          const RunOptions& options);

/// Fills in what the report says of the maps: density in token pairs, the mean of all heads, and
/// the frames that frames attend, by the first head.
void describe_maps(CaseResult& result, const std::vector<HeadPattern>& heads);

/// Rows that are checked: sample_rows(), and of each head the first and the last place of some
/// query blocks.
std::vector<reference::RowId> sample_map_rows(const Case& c, const BlockMaps& maps);

}  // namespace lvsa::analysis
