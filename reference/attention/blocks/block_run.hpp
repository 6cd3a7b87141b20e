#pragma once
// One piece of work of cpu-blocks, from packing the queries to writing the output.

#include "reference/attention/blocks/block_plan.hpp"

namespace lvsa::reference {

/// Computes out (and lse) for the wanted rows of `item`.
void attend_block_item(const BlockPlan& plan, const BlockItem& item, const BlockBuffers& buffers);

}  // namespace lvsa::reference
