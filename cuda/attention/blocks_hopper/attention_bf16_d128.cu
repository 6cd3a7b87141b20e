#include "cuda/attention/blocks_hopper/kernel.cuh"

namespace lvsa::cuda::blocks {

const void* attention_bf16_d128(bool paired, bool skip) {
  return function<__nv_bfloat16, 128>(paired, skip);
}

}  // namespace lvsa::cuda::blocks
