#include "analysis/blocks/device_block_problem.hpp"

#include "analysis/verify/problem_extent.hpp"

namespace lvsa::analysis {

DeviceBlockProblem::DeviceBlockProblem(const lvsa_block_problem& host) : problem_(host) {
  lvsa_block_problem& p = problem_;
  p.memory = LVSA_CUDA;
  add_tensor(p.q, p.query_tokens, p.heads, p.dtype);
  add_tensor(p.k, p.key_tokens, p.kv_heads, p.dtype);
  add_tensor(p.v, p.key_tokens, p.kv_heads, p.dtype);
  add_tensor(p.out, p.query_tokens, p.heads, p.out_dtype);
  if (p.lse == nullptr) return;
  const std::int64_t shape[] = {p.batch, p.query_tokens, p.heads};
  p.lse = static_cast<float*>(
      parts_.add(p.lse, strided_extent(shape, p.lse_strides, 3, sizeof(float))));
}

void DeviceBlockProblem::add_tensor(lvsa_tensor& tensor, std::int64_t tokens, std::int64_t heads,
                                    DType dtype) {
  if (tensor.data == nullptr) return;
  const std::int64_t shape[] = {problem_.batch, tokens, heads, problem_.head_dim};
  tensor.data =
      parts_.add(tensor.data, strided_extent(shape, tensor.strides, 4, dtype_bytes(dtype)));
}

}  // namespace lvsa::analysis
