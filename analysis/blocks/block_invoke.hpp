#pragma once
// The functions of a block-sparse kernel, called as analysis/verify/kernel_invoke.hpp calls those
// of others.

#include <cstddef>
#include <optional>

#include "analysis/blocks/block_maps.hpp"
#include "analysis/verify/guarded_tensor.hpp"
#include "analysis/verify/kernel_invoke.hpp"
#include "core/blocks/lvsa_blocks.h"
#include "core/kernel/lvsa_kernel.h"

namespace lvsa::analysis {

/// A table with the name and the capabilities that both interfaces have, and no functions: what the
/// rest of the engine asks a kernel. Text is served, being nothing but tokens.
lvsa_kernel table_of(const lvsa_block_kernel& kernel);

/// The block problem with the tensors, sizes and wishes of `p` and the maps.
lvsa_block_problem with_maps(const lvsa_problem& p, const BlockMaps& maps);

/// As query_workspace(), invoke_kernel() and query_numerics(): the problem is in host memory, and
/// moved to the device and back for kernels that want it there.
KernelStatus block_workspace(const lvsa_block_kernel& kernel, const lvsa_block_problem& problem,
                             std::size_t& bytes);
KernelStatus invoke_block_kernel(const lvsa_block_kernel& kernel, const lvsa_block_problem& problem,
                                 GuardedBytes& workspace);
std::optional<lvsa_numerics> block_numerics(const lvsa_block_kernel& kernel,
                                            const lvsa_block_problem& problem);

}  // namespace lvsa::analysis
