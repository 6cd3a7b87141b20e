#include "cuda/attention/portable/attention.cuh"

namespace lvsa::cuda::portable {

cudaError_t attend_bf16(const Parameters& p, cudaStream_t stream) {
  return launch<__nv_bfloat16>(p, stream);
}

std::int64_t block_count(const Parameters& p) {
  const std::int64_t tile = query_tile(p.head_dim);
  const auto tiles = [tile](std::int64_t rows) { return (rows + tile - 1) / tile; };
  return static_cast<std::int64_t>(p.batch) * p.heads *
         (p.frames * tiles(p.patches) + tiles(p.text));
}

}  // namespace lvsa::cuda::portable
