#pragma once
// Block-sparse attention with maps that are on the device already.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "core/blocks/lvsa_blocks.h"
#include "cuda/attention/blocks/device_maps.hpp"
#include "cuda/launch/problem_check.hpp"

namespace lvsa::cuda {

/// What a block-sparse kernel runs on: of `problem` only sizes, types, strides and the device
/// addresses of q, k, v, out and lse are read; maps, masks, orders and thresholds are those of
/// `maps`, whose contents are not checked.
struct BlockWork {
  const lvsa_block_problem* problem = nullptr;
  blocks::DeviceMaps maps;
  char* scratch = nullptr;  ///< device memory, aligned to 128
};

/// The Hopper kernel (TMA, wgmma): bf16 and fp16, head sizes 64 and 128, blocks of 128 x 64,
/// 64 x 128 and 128 x 128.
std::size_t hopper_blocks_scratch_bytes(const lvsa_block_problem& problem);
Verdict run_hopper_blocks(const BlockWork& work, cudaStream_t stream);

/// The portable kernel: sm_80 and later, any block size, any head size that it lists.
std::size_t portable_blocks_scratch_bytes(const lvsa_block_problem& problem);
Verdict run_portable_blocks(const BlockWork& work, cudaStream_t stream);

/// Computes again, exactly as the definition has it, the rows with an output that is not finite in
/// row blocks whose mark is kSpoiltRows, all rows where it is kAllRows; 0 is no mark. Marks are
/// [batch * heads][row_blocks]. A pair that a mask or a
/// block's end leaves out is multiplied with zero by a tensor core product, which an infinity or a
/// NaN in its v survives; here such pairs are not touched. Other rows keep their bits. Queues one
/// launch, cheap where no mark is set. Serves all dtypes and block sizes of both kernels, orders
/// and the skip included.
Verdict run_marked_blocks(const BlockWork& work, const std::int32_t* marks, cudaStream_t stream);

}  // namespace lvsa::cuda
