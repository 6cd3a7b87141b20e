#pragma once
// The block-sparse attention kernel for the host: the tiled kernel over block maps.
//
// Takes everything that lvsa_blocks.h can say: blocks of any size up to kMostBlock, segments, maps,
// masks and orders of each head, the online skip, grouped heads, batches, any strides, bf16, fp16
// and fp32. Without a skip rule a row's kept keys are cut into tiles of 128 as one sequence, across
// blocks; with one each block has tiles of its own. The result does not depend on the number of
// threads nor on wanted_tokens.

#include <cstdint>

#include "core/blocks/lvsa_blocks.h"
#include "reference/attention/simd_level.hpp"

namespace lvsa::reference {

constexpr std::int64_t kMostBlock = 8192;

/// The kernel named "cpu-blocks": the best level that this machine has.
const lvsa_block_kernel& cpu_blocks_kernel();

/// The kernel held to one level ("cpu-blocks-baseline", ...), or null where the machine or the
/// build lacks it. As for cpu_kernel_at(), kAvx2 and kAvx512 give the same bits.
const lvsa_block_kernel* cpu_blocks_kernel_at(SimdLevel level);

}  // namespace lvsa::reference
