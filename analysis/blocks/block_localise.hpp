#pragma once
// What the failing rows of a case with maps have in common, in the terms of maps: query blocks, key
// blocks, places, heads.

#include <span>
#include <string>

#include "analysis/blocks/block_maps.hpp"
#include "analysis/verify/bounds.hpp"
#include "analysis/verify/case.hpp"
#include "analysis/verify/judge.hpp"
#include "reference/attention/oracle.hpp"

namespace lvsa::analysis {

struct JudgedMaps {
  const Case& c;
  const BlockMaps& maps;
  const KernelOutputs& outputs;
  const BoundModel& model;
  std::span<const reference::RowId> rows;
  std::span<const reference::RowResult> exact;
};

/// One line; empty when no row failed. "only head 1 (128 of 128 checked rows); only row block 3;
/// no weight on key block 2 (modulo 64)".
std::string where_maps_fail(const JudgedMaps& judged);

}  // namespace lvsa::analysis
