#pragma once
// The share of blocks that a schedule keeps at each denoising step. The RFC names the schedules;
// no formula was published, so these are this project's own.

#include <cstdint>

#include "reference/plugin/backend_config.hpp"

namespace lvsa::reference {

/// Kept share at `step` of 0 .. steps - 1, with k = `topk` in (0, 1] and m = steps - 1:
///
///   constant      k
///   conservative  ((m - step) + step k) / m    dense (exactly 1) at step 0, exactly k at the last
///   aggressive    ((m - step) k + step) / m    exactly k at step 0, dense at the last
///
/// so aggressive(step) = conservative(m - step). A run of one step is step 0. Always within
/// [k, 1]. Throws Error(kValue) for a step outside the run, or k outside (0, 1].
double kept_share(SparsitySchedule schedule, double topk, std::int64_t step, std::int64_t steps);

}  // namespace lvsa::reference
