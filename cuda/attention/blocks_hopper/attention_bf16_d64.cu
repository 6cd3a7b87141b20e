#include "cuda/attention/blocks_hopper/kernel.cuh"

namespace lvsa::cuda::blocks {

const void* attention_bf16_d64(bool paired, bool skip) {
  return function<__nv_bfloat16, 64>(paired, skip);
}

}  // namespace lvsa::cuda::blocks
