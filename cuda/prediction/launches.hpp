#pragma once
// The launches of the prediction, in the order in which they are queued.

#include <cuda_runtime_api.h>

#include "core/kernel/lvsa_kernel.h"
#include "cuda/prediction/parameters.hpp"

namespace lvsa::cuda::prediction {

/// Each queues one launch.
cudaError_t write_tables(const Tables& tables, const HeadNumbersPart& part, cudaStream_t stream);
cudaError_t add_up_tokens(const MeanWork& work, lvsa_dtype dtype, int head_dim,
                          cudaStream_t stream);
cudaError_t take_centre(const MeanWork& work, lvsa_dtype dtype, int head_dim, cudaStream_t stream);
cudaError_t pool_blocks(const PoolWork& work, lvsa_dtype dtype, int head_dim, int block_rows,
                        cudaStream_t stream);
cudaError_t score_blocks(const ScoreWork& work, lvsa_dtype dtype, int head_dim,
                         cudaStream_t stream);
cudaError_t select_blocks(const SelectWork& work, lvsa_dtype dtype, cudaStream_t stream);

}  // namespace lvsa::cuda::prediction
