#include "cuda/launch/host_memory.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>

#include "core/error.hpp"
#include "core/tensor/tensor.hpp"
#include "cuda/error.hpp"
#include "cuda/launch/device.hpp"
#include "cuda/launch/device_mirror.hpp"
#include "cuda/launch/problem_check.hpp"

namespace lvsa::cuda {
namespace {

// Gaps are copied, too: what is far apart would take the device's memory and seconds for nothing.
constexpr std::size_t kMostGapBytes = std::size_t{1} << 30;

/// A tensor of a problem, in bytes.
struct Span {
  std::size_t reach;  ///< from its first element past its last one
  std::size_t gaps;   ///< of these, between elements; elements may share places, too
};

Span span_of(const lvsa_problem& p, const lvsa_tensor& t, std::int64_t heads, lvsa_dtype dtype) {
  if (t.data == nullptr) throw Error(ErrorKind::kKernel, "a tensor is null");
  const std::int64_t sizes[] = {p.batch, p.frames * p.patches_per_frame + p.text_tokens, heads,
                                p.head_dim};
  const auto dense = static_cast<std::size_t>(sizes[0] * sizes[1] * sizes[2] * sizes[3]);
  const std::size_t reach = extent(sizes, t.strides, 4);
  const std::size_t bytes = dtype_bytes(dtype);
  return {reach * bytes, reach > dense ? (reach - dense) * bytes : 0};
}

Mirror mirror_lse(const lvsa_problem& p) {
  if (p.lse == nullptr) return Mirror(nullptr, 0);
  const std::int64_t sizes[] = {p.batch, p.frames * p.patches_per_frame + p.text_tokens, p.heads};
  return Mirror(p.lse, extent(sizes, p.lse_strides, 3) * sizeof(float));
}

Mirror mirror_scales(const float* scales, std::int64_t batch, std::int64_t heads) {
  const std::int64_t count = scales == nullptr ? 0 : batch * heads;
  return Mirror(const_cast<float*>(scales), static_cast<std::size_t>(count) * sizeof(float));
}

const float* there_or_null(const float* scales, const Mirror& mirror) {
  return scales == nullptr ? nullptr : reinterpret_cast<const float*>(mirror.data());
}

lvsa_status run(const lvsa_kernel& kernel, const lvsa_problem& p, char* message,
                std::size_t message_size) {
  const Span spans[] = {span_of(p, p.q, p.heads, p.dtype), span_of(p, p.k, p.kv_heads, p.dtype),
                        span_of(p, p.v, p.kv_heads, p.dtype),
                        span_of(p, p.out, p.heads, p.out_dtype)};
  for (const Span& span : spans) {
    if (span.gaps > kMostGapBytes) {
      return tell({LVSA_UNSUPPORTED,
                   "a tensor has gaps of more than 2^30 bytes in all, which are copied too: fewer "
                   "are due for tensors of the host"},
                  message, message_size);
    }
  }
  const Mirror q(p.q.data, spans[0].reach);
  const Mirror k(p.k.data, spans[1].reach);
  const Mirror v(p.v.data, spans[2].reach);
  const Mirror out(p.out.data, spans[3].reach);
  const Mirror lse = mirror_lse(p);
  const Mirror q_scale = mirror_scales(p.q_scale, p.batch, p.heads);
  const Mirror k_scale = mirror_scales(p.k_scale, p.batch, p.kv_heads);
  const Mirror v_scale = mirror_scales(p.v_scale, p.batch, p.kv_heads);
  lvsa_problem there = p;
  there.memory = LVSA_CUDA;
  there.q.data = q.data();
  there.k.data = k.data();
  there.v.data = v.data();
  there.out.data = out.data();
  there.q_scale = there_or_null(p.q_scale, q_scale);
  there.k_scale = there_or_null(p.k_scale, k_scale);
  there.v_scale = there_or_null(p.v_scale, v_scale);
  if (p.lse != nullptr) there.lse = reinterpret_cast<float*>(lse.data());

  std::size_t bytes = 0;
  if (kernel.workspace != nullptr) {
    const lvsa_status status = kernel.workspace(&there, &bytes);
    if (status != LVSA_OK) throw Error(ErrorKind::kKernel, "the workspace query was refused");
  }
  const DeviceBytes workspace(std::max<std::size_t>(bytes, 16));
  const lvsa_status status =
      kernel.run(&there, workspace.get(), bytes, nullptr, message, message_size);
  // Also after a refusal: nothing may be left running on memory that is freed now.
  check(cudaDeviceSynchronize(), kernel.name);
  if (status != LVSA_OK) return status;
  out.copy_back();
  lse.copy_back();
  return LVSA_OK;
}

}  // namespace

lvsa_status run_on_host_tensors(const lvsa_kernel& kernel, const lvsa_problem* problem,
                                char* message, std::size_t message_size) {
  try {
    if (problem == nullptr || problem->struct_size < LVSA_PROBLEM_LEAST_SIZE) {
      return tell({LVSA_INVALID, "the problem is null or too small"}, message, message_size);
    }
    const Device device = current_device();
    if (!device.usable) return tell({LVSA_NO_DEVICE, device.reason}, message, message_size);
    lvsa_problem known{};  // of a caller that knows fewer fields, the others stay zero
    std::memcpy(&known, problem, std::min(problem->struct_size, sizeof known));
    known.struct_size = sizeof known;
    return run(kernel, known, message, message_size);
  } catch (const std::exception& error) {
    return tell({LVSA_FAILED, error.what()}, message, message_size);
  }
}

}  // namespace lvsa::cuda
