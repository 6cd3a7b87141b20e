#pragma once
// Checks of the arrays of a block problem whose sizes are known to be right. Each names what is
// wrong first, and the later ones rely on the earlier.

#include "core/blocks/lvsa_blocks.h"
#include "core/kernel/layout_check.hpp"

namespace lvsa {

lvsa_status check_block_axes(const lvsa_block_problem& p, Message message);
lvsa_status check_block_maps(const lvsa_block_problem& p, Message message);
lvsa_status check_block_masks(const lvsa_block_problem& p, Message message);
lvsa_status check_orders(const lvsa_block_problem& p, Message message);
lvsa_status check_thresholds(const lvsa_block_problem& p, Message message);

}  // namespace lvsa
