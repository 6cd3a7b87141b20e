#pragma once
// The corpus of block-sparse kernels with known defects (reference/attention/blocks/block_mutants)
// through the checks: is the judge any good with maps?

#include <functional>
#include <vector>

#include "analysis/verify/case.hpp"
#include "analysis/verify/selftest.hpp"
#include "core/blocks/lvsa_blocks.h"

namespace lvsa::analysis {

/// Small cases that between them hold whatever a map may hold.
const std::vector<Case>& block_selftest_cases();

/// What accuses a kernel, each once: "gauss/output" (input and failure_kind()) for a case judged by
/// its bounds, the name of a relation. kFirstKill: the first accusation alone.
std::vector<std::string> block_accusations(const lvsa_block_kernel& kernel, SelftestDepth depth);

struct BlockSelftestReport {
  SelftestLine healthy;
  std::vector<SelftestLine> defects;
  std::int64_t killed() const;
  /// Every defect is accused, and the healthy kernel of nothing.
  bool good() const;
};

/// Runs the healthy emulated kernel and every defect. `done` is called after each kernel with the
/// number done and the number of all.
BlockSelftestReport run_block_selftest(
    SelftestDepth depth, const std::function<void(std::size_t, std::size_t)>& done = {});

}  // namespace lvsa::analysis
