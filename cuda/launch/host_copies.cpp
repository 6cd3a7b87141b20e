#include "cuda/launch/host_copies.hpp"

#include <cuda_runtime_api.h>

#include "core/error.hpp"
#include "core/tensor/tensor.hpp"
#include "cuda/error.hpp"

namespace lvsa::cuda {
namespace {

constexpr std::size_t kMostGapBytes = std::size_t{1} << 30;

}  // namespace

Span span_of(const lvsa_tensor& tensor, const std::int64_t (&sizes)[4], lvsa_dtype dtype) {
  if (tensor.data == nullptr) throw Error(ErrorKind::kKernel, "a tensor is null");
  const std::size_t reach = extent(sizes, tensor.strides, 4);
  const auto dense = static_cast<std::size_t>(sizes[0] * sizes[1] * sizes[2] * sizes[3]);
  const std::size_t bytes = dtype_bytes(dtype);
  return {reach * bytes, reach > dense ? (reach - dense) * bytes : 0};
}

Verdict check_gaps(const HostSpans& spans) {
  const std::size_t most = std::max({spans.q.gaps, spans.k.gaps, spans.v.gaps, spans.out.gaps});
  if (most <= kMostGapBytes) return {};
  return {
      LVSA_UNSUPPORTED,
      "a tensor has gaps of more than 2^30 bytes in all, which are copied too: fewer are due for "
      "tensors of the host"};
}

void HostCopies::synchronise(const char* what) { check(cudaDeviceSynchronize(), what); }

}  // namespace lvsa::cuda
