#pragma once
// Checks of the sizes and tensors of a block problem, for kernels on any device. Each names what is
// wrong first; those of block_arrays_check.hpp rely on the sizes.

#include "core/blocks/lvsa_blocks.h"
#include "core/kernel/layout_check.hpp"

namespace lvsa {

/// Sizes of at least 1, heads a multiple of kv_heads, products that 64 bits hold.
lvsa_status check_block_sizes(const lvsa_block_problem& p, Message message);
/// q, k, v, out and lse: there, offsets that 64 bits hold, no two outputs in one place.
lvsa_status check_block_tensors(const lvsa_block_problem& p, Message message);
/// wanted_tokens ascending and in the sequence.
lvsa_status check_wanted_tokens(const lvsa_block_problem& p, Message message);

}  // namespace lvsa
