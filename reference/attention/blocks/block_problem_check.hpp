#pragma once
// Is this a block problem at all? Everything that run() relies on is held here once.

#include "core/blocks/lvsa_blocks.h"
#include "core/kernel/layout_check.hpp"

namespace lvsa::reference {

/// LVSA_OK for a problem that cpu-blocks computes. LVSA_INVALID names the field, its value, row and
/// column of blocks where there are some, and what would be right; LVSA_UNSUPPORTED is for
/// well-formed problems outside its capabilities.
lvsa_status check_block_problem(const lvsa_block_problem* problem, Message message);

}  // namespace lvsa::reference
