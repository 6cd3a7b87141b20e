#include "cuda/attention/portable/attention.cuh"

namespace lvsa::cuda::portable {

cudaError_t attend_f16(const Parameters& p, cudaStream_t stream) {
  return launch<__half>(p, stream);
}

}  // namespace lvsa::cuda::portable
