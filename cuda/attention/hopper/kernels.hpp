#pragma once
// The compiled instances of the Hopper kernel.

#include "core/kernel/lvsa_kernel.h"

namespace lvsa::cuda::hopper {

/// Key tiles that exist, descending. A frame's keys are cut into tiles of one size, so the one that
/// wastes least is a matter of P: 176 for 1560 and 880, 160 for 920, 144 for 3600.
inline constexpr int kKeyTiles[] = {176, 160, 144};

struct Instance {
  const void* function = nullptr;  ///< null: no such instance
  int shared_bytes = 0;
};

Instance instance_d64(lvsa_dtype dtype, int key_tile);
Instance instance_d128(lvsa_dtype dtype, int key_tile);

}  // namespace lvsa::cuda::hopper
