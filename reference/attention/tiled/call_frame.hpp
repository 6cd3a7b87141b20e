#pragma once
// What the two kernels on the host, over frame lists and over block maps, do alike around their
// items: numbers of threads, what they declare.

#include <cstddef>

#include "core/kernel/lvsa_kernel.h"
#include "reference/attention/tiled/problem_check.hpp"
#include "reference/attention/tiled/tile_ops.hpp"

namespace lvsa::reference {

/// Threads that the workspace has room for. Where the caller left their number to the kernel, fewer
/// will do: the default may differ between the thread that asked for the size and the one that
/// runs. `Plan` has threads(), workspace_bytes(threads) and problem().
template <typename Plan>
lvsa_status fit_threads(const Plan& plan, std::size_t bytes, int& threads, Message message) {
  threads = plan.threads();
  while (plan.problem().threads == 0 && threads > 1 && plan.workspace_bytes(threads) > bytes) {
    --threads;
  }
  const std::size_t needed = plan.workspace_bytes(threads);
  if (bytes >= needed) return LVSA_OK;
  return refuse(message, LVSA_OUT_OF_MEMORY,
                "workspace_bytes = %zu: must be at least %zu for %d %s", bytes, needed, threads,
                threads == 1 ? "thread" : "threads");
}

/// Tiles over a row's keys as one sequence, P rounded to `p_dtype` where that is a smaller type.
inline lvsa_numerics tiled_numerics(lvsa_dtype p_dtype, double exp_ulps) {
  const bool rounds_p = p_dtype == LVSA_F16 || p_dtype == LVSA_BF16;
  lvsa_numerics n{};
  n.struct_size = sizeof(lvsa_numerics);
  n.key_tile = kKeyTile;
  n.tiles_cross_frames = 1;
  n.p_dtype = rounds_p ? p_dtype : LVSA_F32;
  n.accumulator = LVSA_F32;
  n.accumulator_roundoff = 0x1p-24;
  n.exp_ulps = exp_ulps;
  n.key_order = LVSA_KEYS_ASCENDING;
  n.max_rule = LVSA_MAX_RUNNING;
  n.rescale_exact = 1;
  n.sum_step = kKeyTile;
  n.score_step = 1;
  return n;
}

}  // namespace lvsa::reference
