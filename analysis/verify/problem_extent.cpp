#include "analysis/verify/problem_extent.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

std::int64_t tokens_of(const lvsa_problem& problem) {
  return problem.frames * problem.patches_per_frame + problem.text_tokens;
}

}  // namespace

std::size_t strided_extent(const std::int64_t* shape, const std::int64_t* strides, int dimensions,
                           std::size_t width) {
  std::int64_t last = 0;
  for (int i = 0; i < dimensions; ++i) {
    if (strides[i] < 0) {
      throw Error(ErrorKind::kValue,
                  fmt::format("problem: stride {} of a tensor; 0 or more is due", strides[i]));
    }
    last += (shape[i] - 1) * strides[i];
  }
  return (static_cast<std::size_t>(last) + 1) * width;
}

std::size_t tensor_extent(const lvsa_problem& problem, const lvsa_tensor& tensor,
                          std::int64_t heads, DType dtype) {
  const std::int64_t shape[] = {problem.batch, tokens_of(problem), heads, problem.head_dim};
  return strided_extent(shape, tensor.strides, 4, dtype_bytes(dtype));
}

std::size_t lse_extent(const lvsa_problem& problem) {
  const std::int64_t shape[] = {problem.batch, tokens_of(problem), problem.heads};
  return strided_extent(shape, problem.lse_strides, 3, sizeof(float));
}

}  // namespace lvsa::analysis
