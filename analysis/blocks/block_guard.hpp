#pragma once
// Maps, masks and orders of a call between pages that nobody may touch.

#include "analysis/verify/guard_pages.hpp"
#include "core/blocks/lvsa_blocks.h"

namespace lvsa::analysis {

/// Sets the problem's arrays to copies that live as long as `guarded`; of more than eight maps the
/// entries of the first.
void guard_maps(lvsa_block_problem& problem, GuardedInputs& guarded);

}  // namespace lvsa::analysis
