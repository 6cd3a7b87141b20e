#pragma once
// Replay files of cases with block maps: the maps are data in the file, as the tensors are.

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/verify/replay_case.hpp"
#include "analysis/verify/shrink.hpp"
#include "core/blocks/lvsa_blocks.h"

namespace lvsa::analysis {

/// Computes what is due in these rows, by the numerics that the kernel declares (null: nothing is
/// known of it); for the check "schedule" by the replay of its schedule.
void set_block_rows(ReplayCase& replay, const lvsa_block_kernel* kernel,
                    const std::vector<reference::RowId>& rows);

/// Runs the kernel on a copy of the replay and holds what it leaves behind against the rows; for a
/// relation runs that. Throws Error(kKernel) when the kernel does not serve sizes, types or maps.
ReplayVerdict judge_block_replay(const ReplayCase& replay, const lvsa_block_kernel& kernel,
                                 std::int32_t threads = 0);

/// A replay of a case with pattern= in which the kernel fails a check, as smallest_replay() makes
/// it. The maps are those of the case's own tensors and stay as they are.
ReplayCase smallest_block_replay(const Case& c, const lvsa_block_kernel& kernel,
                                 const std::string& check, const ShrinkBudget& budget);

}  // namespace lvsa::analysis
