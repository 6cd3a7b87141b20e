#pragma once
// The fp8 kernels, for the host side.

#include <cuda_runtime_api.h>

#include "cuda/attention/fp8/parameters.hpp"

namespace lvsa::cuda::fp8 {

/// The attention kernel for this output type (bf16, fp16); null: there is none.
const void* attention_function(lvsa_dtype out_dtype);

/// Queues the pass that writes ValueBlocks.
cudaError_t arrange_values(const ValueSource& source, const ValueBlocks& blocks,
                           cudaStream_t stream);

}  // namespace lvsa::cuda::fp8
