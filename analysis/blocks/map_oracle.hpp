#pragma once
// What is due in the rows of a call with maps: the fp64 oracle on the keys that each row attends.

#include <span>
#include <vector>

#include "analysis/blocks/block_maps.hpp"
#include "core/tensor/tensor.hpp"
#include "reference/attention/oracle.hpp"

namespace lvsa::analysis {

/// q [B, Sq, H, D]; k and v [B, Sk, Hkv, D].
struct MapProblem {
  TensorView q;
  TensorView k;
  TensorView v;
  double scale = 1.0;
  const BlockMaps& maps;
};

/// The rows' results. Under a skip rule: without the blocks that every right kernel skips, and with
/// the terms of `score_shift` and `lse_shift` grown by what those do that one kernel may skip and
/// another keep (docs/blocks.md).
std::vector<reference::RowResult> attend_map_rows(const MapProblem& problem,
                                                  std::span<const reference::RowId> rows,
                                                  const reference::ScoreErrorModel& errors);

}  // namespace lvsa::analysis
