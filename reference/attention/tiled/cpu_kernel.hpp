#pragma once
// The tiled attention kernel for the host: the default subject where there is no GPU.
//
// One pass over the attended keys with a running maximum and sum (the flash-attention manner), fp32
// FMA accumulation, memory for a few tiles a thread and nothing of the size of the score matrix.
// Takes bf16, fp16 and fp32, any strides, grouped heads, text, batches; reads frame_lists only and
// leaves block_csr alone. The result does not depend on the number of threads.

#include "core/kernel/lvsa_kernel.h"
#include "reference/attention/simd_level.hpp"

namespace lvsa::reference {

/// The kernel named "cpu": the best level that this machine has.
const lvsa_kernel& cpu_kernel();

/// The kernel held to one level ("cpu-baseline", "cpu-avx2", "cpu-avx512"), or null where the
/// machine or the build lacks it. kAvx2 and kAvx512 give the same bits; kBaseline rounds products
/// and sums apart and differs from them. For tests and for measuring one level against another.
const lvsa_kernel* cpu_kernel_at(SimdLevel level);

}  // namespace lvsa::reference
