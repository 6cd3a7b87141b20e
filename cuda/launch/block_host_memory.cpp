#include "cuda/launch/block_host_memory.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdint>
#include <exception>

#include "core/blocks/block_sizes_check.hpp"
#include "core/tensor/tensor.hpp"
#include "cuda/error.hpp"
#include "cuda/launch/device.hpp"
#include "cuda/launch/device_mirror.hpp"
#include "cuda/launch/problem_check.hpp"

namespace lvsa::cuda {
namespace {

// Gaps are copied, too: what is far apart would take the device's memory for nothing.
constexpr std::size_t kMostBytes = std::size_t{1} << 32;

std::size_t bytes_of(const lvsa_block_problem& p, const lvsa_tensor& t, std::int64_t tokens,
                     std::int64_t heads, lvsa_dtype dtype) {
  const std::int64_t sizes[] = {p.batch, tokens, heads, p.head_dim};
  return extent(sizes, t.strides, 4) * dtype_bytes(dtype);
}

Mirror mirror(const lvsa_block_problem& p, const lvsa_tensor& t, std::int64_t tokens,
              std::int64_t heads, lvsa_dtype dtype) {
  return Mirror(t.data, bytes_of(p, t, tokens, heads, dtype));
}

Mirror mirror_lse(const lvsa_block_problem& p) {
  if (p.lse == nullptr) return Mirror(nullptr, 0);
  const std::int64_t sizes[] = {p.batch, p.query_tokens, p.heads};
  return Mirror(p.lse, extent(sizes, p.lse_strides, 3) * sizeof(float));
}

lvsa_status run(const lvsa_block_kernel& kernel, const lvsa_block_problem& p, char* message,
                std::size_t message_size) {
  const Mirror q = mirror(p, p.q, p.query_tokens, p.heads, p.dtype);
  const Mirror k = mirror(p, p.k, p.key_tokens, p.kv_heads, p.dtype);
  const Mirror v = mirror(p, p.v, p.key_tokens, p.kv_heads, p.dtype);
  const Mirror out = mirror(p, p.out, p.query_tokens, p.heads, p.out_dtype);
  const Mirror lse = mirror_lse(p);
  lvsa_block_problem there = p;
  there.memory = LVSA_CUDA;
  there.q.data = q.data();
  there.k.data = k.data();
  there.v.data = v.data();
  there.out.data = out.data();
  if (p.lse != nullptr) there.lse = reinterpret_cast<float*>(lse.data());

  std::size_t bytes = 0;
  // Refused problems have no workspace; run() says why.
  if (kernel.workspace(&there, &bytes) != LVSA_OK) bytes = 0;
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

// What the copies rely on; the kernel checks the rest.
lvsa_status check_copies(const lvsa_block_problem* problem, Message message) {
  if (problem == nullptr || problem->struct_size < sizeof(lvsa_block_problem)) {
    return refuse(message, LVSA_INVALID, "the problem is null or too small");
  }
  if (problem->memory != LVSA_HOST) {
    return refuse(message, LVSA_UNSUPPORTED, "memory = %d: this kernel reads host memory (0) only",
                  static_cast<int>(problem->memory));
  }
  lvsa_status status = check_block_sizes(*problem, message);
  if (status == LVSA_OK) status = check_block_tensors(*problem, message);
  if (status != LVSA_OK) return status;
  const lvsa_block_problem& p = *problem;
  const std::size_t largest = std::max({bytes_of(p, p.q, p.query_tokens, p.heads, p.dtype),
                                        bytes_of(p, p.k, p.key_tokens, p.kv_heads, p.dtype),
                                        bytes_of(p, p.v, p.key_tokens, p.kv_heads, p.dtype),
                                        bytes_of(p, p.out, p.query_tokens, p.heads, p.out_dtype)});
  if (largest <= kMostBytes) return LVSA_OK;
  return refuse(message, LVSA_UNSUPPORTED,
                "a tensor reaches over %zu bytes: must be at most 2^32 for tensors of the host",
                largest);
}

}  // namespace

lvsa_status run_blocks_on_host_tensors(const lvsa_block_kernel& kernel,
                                       const lvsa_block_problem* problem, char* message,
                                       std::size_t message_size) {
  try {
    const lvsa_status status = check_copies(problem, {message, message_size});
    if (status != LVSA_OK) return status;
    const Device device = current_device();
    if (!device.usable) return tell({LVSA_NO_DEVICE, device.reason}, message, message_size);
    return run(kernel, *problem, message, message_size);
  } catch (const std::exception& error) {
    return tell({LVSA_FAILED, error.what()}, message, message_size);
  }
}

}  // namespace lvsa::cuda
