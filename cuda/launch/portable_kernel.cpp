#include "cuda/launch/portable_kernel.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "cuda/launch/portable_check.hpp"

namespace lvsa::cuda {
namespace {

// Workspace: the offsets, then the list.
std::size_t list_at(const lvsa_problem& p) {
  return (static_cast<std::size_t>(p.frames) + 1) * sizeof(std::int64_t);
}

std::size_t list_bytes(const lvsa_problem& p) {
  return static_cast<std::size_t>(p.frame_lists.offsets[p.frames]) * sizeof(std::int32_t);
}

Verdict failed(const char* call, cudaError_t status) {
  static_cast<void>(cudaGetLastError());
  return {LVSA_FAILED, std::string(call) + ": " + cudaGetErrorString(status)};
}

Verdict check_workspace(const lvsa_problem& p, const void* workspace, std::size_t bytes) {
  const std::size_t due = list_at(p) + list_bytes(p);
  if (workspace == nullptr || bytes < due) {
    return {LVSA_OUT_OF_MEMORY, "the workspace has " + std::to_string(bytes) + " bytes, " +
                                    std::to_string(due) + " are due"};
  }
  if (reinterpret_cast<std::uintptr_t>(workspace) % sizeof(std::int64_t) != 0) {
    return {LVSA_INVALID, "the workspace is not aligned to 8 bytes"};
  }
  return {};
}

Verdict check_stream(cudaStream_t stream) {
  cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
  const cudaError_t status = cudaStreamIsCapturing(stream, &capture);
  if (status != cudaSuccess) return failed("cudaStreamIsCapturing", status);
  if (capture != cudaStreamCaptureStatusNone) {
    return {LVSA_UNSUPPORTED, "the stream is being captured, but run() copies lists of the host"};
  }
  return {};
}

// Both lists in one copy. The caller's may be pinned, from which a copy would still read after the
// call; of pageable memory like this the driver keeps its own copy.
Verdict copy_lists(const lvsa_problem& p, void* workspace, cudaStream_t stream) {
  std::vector<char> packed(list_at(p) + list_bytes(p));
  std::memcpy(packed.data(), p.frame_lists.offsets, list_at(p));
  if (list_bytes(p) > 0) {
    std::memcpy(packed.data() + list_at(p), p.frame_lists.list, list_bytes(p));
  }
  const cudaError_t status =
      cudaMemcpyAsync(workspace, packed.data(), packed.size(), cudaMemcpyHostToDevice, stream);
  return status == cudaSuccess ? Verdict{} : failed("cudaMemcpyAsync", status);
}

Verdict run_checked(const lvsa_problem& p, char* workspace, cudaStream_t stream) {
  Verdict verdict = check_stream(stream);
  if (verdict.ok()) verdict = copy_lists(p, workspace, stream);
  if (!verdict.ok()) return verdict;
  portable::Parameters parameters = portable_parameters(p);
  parameters.offsets = reinterpret_cast<const std::int64_t*>(workspace);
  parameters.list = reinterpret_cast<const std::int32_t*>(workspace + list_at(p));
  const cudaError_t status = p.dtype == LVSA_BF16 ? portable::attend_bf16(parameters, stream)
                                                  : portable::attend_f16(parameters, stream);
  return status == cudaSuccess ? Verdict{} : failed("attention kernel", status);
}

Verdict run_problem(const lvsa_problem* problem, void* workspace, std::size_t bytes, void* stream) {
  if (problem == nullptr) return {LVSA_INVALID, "the problem is null"};
  if (problem->struct_size < sizeof(lvsa_problem)) {
    return {LVSA_INVALID, "struct_size is " + std::to_string(problem->struct_size) + ", " +
                              std::to_string(sizeof(lvsa_problem)) + " is due"};
  }
  Verdict verdict = check_portable_sizes(*problem);
  if (verdict.ok()) verdict = check_portable_lists(*problem);
  if (verdict.ok()) verdict = check_portable_device(*problem);
  if (verdict.ok()) verdict = check_workspace(*problem, workspace, bytes);
  if (verdict.ok()) verdict = check_portable_pointers(*problem, workspace);
  if (!verdict.ok()) return verdict;
  return run_checked(*problem, static_cast<char*>(workspace), static_cast<cudaStream_t>(stream));
}

lvsa_status tell(const Verdict& verdict, char* message, std::size_t message_size) {
  if (message != nullptr && message_size > 0) {
    const std::size_t length = std::min(verdict.message.size(), message_size - 1);
    std::memcpy(message, verdict.message.data(), length);
    message[length] = '\0';
  }
  return verdict.status;
}

extern "C" {

lvsa_status portable_numerics(const lvsa_problem* problem, lvsa_numerics* numerics) {
  if (problem == nullptr || numerics == nullptr || numerics->struct_size < sizeof(lvsa_numerics)) {
    return LVSA_INVALID;
  }
  const std::size_t size = numerics->struct_size;
  *numerics = {};
  numerics->struct_size = size;
  numerics->key_tile = portable::key_tile(problem->head_dim);
  numerics->p_dtype = problem->dtype;
  numerics->accumulator = LVSA_F32;
  numerics->accumulator_roundoff = 0x1p-23;  // tensor cores cut off where they align the addends
  numerics->exp_ulps = 4.0;                  // ex2.approx: 2^-22
  return LVSA_OK;
}

lvsa_status portable_workspace(const lvsa_problem* problem, std::size_t* bytes) {
  if (problem == nullptr || bytes == nullptr || problem->frames < 1 ||
      problem->frame_lists.offsets == nullptr ||
      problem->frame_lists.offsets[problem->frames] < 0) {
    return LVSA_INVALID;
  }
  *bytes = list_at(*problem) + list_bytes(*problem);
  return LVSA_OK;
}

lvsa_status portable_run(const lvsa_problem* problem, void* workspace, std::size_t workspace_bytes,
                         void* stream, char* message, std::size_t message_size) {
  try {
    return tell(run_problem(problem, workspace, workspace_bytes, stream), message, message_size);
  } catch (const std::exception& error) {
    return tell({LVSA_FAILED, error.what()}, message, message_size);
  }
}

}  // extern "C"

lvsa_kernel make_kernel() {
  lvsa_kernel kernel{};
  kernel.abi_version = LVSA_KERNEL_ABI_VERSION;
  kernel.struct_size = sizeof kernel;
  kernel.name = "cuda-portable";
  kernel.description = "LVSA attention for compute capability 8.0 and up (mma.sync), bf16 and fp16";
  lvsa_capabilities& can = kernel.capabilities;
  can.struct_size = sizeof can;
  can.dtypes = LVSA_DTYPE_BIT(LVSA_BF16) | LVSA_DTYPE_BIT(LVSA_F16);
  can.p_dtypes = can.dtypes;
  can.memory = LVSA_CUDA;
  can.head_dim_min = 8;
  can.head_dim_max = portable::kMaxHeadDim;
  can.head_dim_multiple = 8;
  can.grouped_heads = 1;
  can.text = 1;
  can.batch = 1;
  can.lse = 1;
  kernel.numerics = portable_numerics;
  kernel.workspace = portable_workspace;
  kernel.run = portable_run;
  return kernel;
}

}  // namespace

const lvsa_kernel& portable_kernel() {
  static const lvsa_kernel kernel = make_kernel();
  return kernel;
}

}  // namespace lvsa::cuda
