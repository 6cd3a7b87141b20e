#include "cuda/attention/blocks_hopper/kernel.cuh"

namespace lvsa::cuda::blocks {

const void* attention_f16_d64(bool paired, bool skip) { return function<__half, 64>(paired, skip); }

}  // namespace lvsa::cuda::blocks
