#include "cuda/attention/blocks_hopper/kernel.cuh"

namespace lvsa::cuda::blocks {

const void* attention_f16_d128(bool paired, bool skip) {
  return function<__half, 128>(paired, skip);
}

}  // namespace lvsa::cuda::blocks
