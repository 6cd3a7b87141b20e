#include "cuda/attention/blocks/portable.cuh"

namespace lvsa::cuda::portable_blocks {

cudaError_t attend_bf16(const Parameters& p, std::int32_t* marks, cudaStream_t stream) {
  return launch<__nv_bfloat16>(p, marks, stream);
}

}  // namespace lvsa::cuda::portable_blocks
