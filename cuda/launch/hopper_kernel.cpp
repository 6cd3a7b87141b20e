#include "cuda/launch/hopper_kernel.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "cuda/launch/hopper_attention.hpp"

namespace lvsa::cuda {
namespace {

// Workspace: the item counter, the offsets, the list.
constexpr std::size_t kOffsetsAt = 16;

std::size_t list_at(const lvsa_problem& p) {
  return kOffsetsAt + (static_cast<std::size_t>(p.frames) + 1) * sizeof(std::int64_t);
}

lvsa_status tell(const HopperResult& result, char* message, std::size_t message_size) {
  if (message != nullptr && message_size > 0) {
    const std::size_t length = std::min(result.message.size(), message_size - 1);
    std::memcpy(message, result.message.data(), length);
    message[length] = '\0';
  }
  return result.status;
}

HopperResult invalid(std::string message) { return {LVSA_INVALID, std::move(message)}; }

HopperResult check_row(const lvsa_problem& p, std::int64_t frame) {
  const lvsa_frame_lists& lists = p.frame_lists;
  const std::int64_t begin = lists.offsets[frame];
  const std::int64_t end = lists.offsets[frame + 1];
  const std::string name = "frame list " + std::to_string(frame);
  if (begin < 0 || end < begin) return invalid(name + ": offsets are negative or descending");
  // Of lists that are all empty there may be nothing to point at.
  if (end > begin && lists.list == nullptr) return invalid("frame_lists.list is null");
  if (end - begin > p.frames) return invalid(name + " is longer than there are frames");
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int32_t key_frame = lists.list[i];
    if (key_frame < 0 || key_frame >= p.frames) {
      return invalid(name + " has frame " + std::to_string(key_frame) + ", must be 0 .. " +
                     std::to_string(p.frames - 1));
    }
    if (i > begin && lists.list[i - 1] >= key_frame) {
      return invalid(name + " is not ascending at entry " + std::to_string(i - begin));
    }
  }
  return {};
}

HopperResult check_lists(const lvsa_problem& p) {
  if (p.frame_lists.offsets == nullptr) return invalid("frame_lists.offsets is null");
  for (std::int64_t frame = 0; frame < p.frames; ++frame) {
    HopperResult result = check_row(p, frame);
    if (!result.ok()) return result;
  }
  return {};
}

HopperResult check(const lvsa_problem* problem) {
  if (problem == nullptr) return invalid("the problem is null");
  if (problem->struct_size < sizeof(lvsa_problem)) {
    return invalid("struct_size = " + std::to_string(problem->struct_size) + ", must be " +
                   std::to_string(sizeof(lvsa_problem)) + " at least");
  }
  HopperResult result = hopper_check(*problem);
  if (result.ok()) result = check_lists(*problem);
  return result;
}

/// A host pointer would make the launch fail long after it was queued, and take the context along.
HopperResult check_pointer(const char* name, const void* pointer) {
  cudaPointerAttributes attributes{};
  const cudaError_t error = cudaPointerGetAttributes(&attributes, pointer);
  if (error == cudaErrorNoDevice || error == cudaErrorInsufficientDriver) {
    return {LVSA_NO_DEVICE, cudaGetErrorString(error)};
  }
  if (error != cudaSuccess) return {LVSA_FAILED, cudaGetErrorString(error)};
  if (attributes.devicePointer == nullptr) {
    return invalid(std::string(name) + " is not in memory that the device can reach");
  }
  return {};
}

HopperResult check_pointers(const lvsa_problem& p, const void* workspace) {
  struct Named {
    const char* name;
    const void* pointer;
  };
  for (const Named& one :
       {Named{"q", p.q.data}, Named{"k", p.k.data}, Named{"v", p.v.data}, Named{"out", p.out.data},
        Named{"lse", p.lse}, Named{"the workspace", workspace}}) {
    if (one.pointer == nullptr) continue;
    HopperResult result = check_pointer(one.name, one.pointer);
    if (!result.ok()) return result;
  }
  return {};
}

HopperResult check_workspace(const lvsa_problem& p, const void* workspace, std::size_t bytes) {
  const std::size_t needed =
      list_at(p) + static_cast<std::size_t>(p.frame_lists.offsets[p.frames]) * sizeof(std::int32_t);
  if (workspace == nullptr || bytes < needed) {
    return {LVSA_OUT_OF_MEMORY, "the workspace has " + std::to_string(bytes) + " bytes, needs " +
                                    std::to_string(needed)};
  }
  if (reinterpret_cast<std::uintptr_t>(workspace) % 8 != 0) {
    return invalid("the workspace is not aligned to 8 bytes");
  }
  return {};
}

/// Counter, offsets and list in one copy. The caller's lists may be pinned memory, from which a
/// copy would still read after the call; of pageable memory like this the driver keeps none.
HopperResult copy_lists(const lvsa_problem& p, char* workspace, cudaStream_t stream) {
  const std::size_t offsets_bytes = list_at(p) - kOffsetsAt;
  const std::size_t list_bytes =
      static_cast<std::size_t>(p.frame_lists.offsets[p.frames]) * sizeof(std::int32_t);
  std::vector<char> packed(list_at(p) + list_bytes);
  std::memcpy(packed.data() + kOffsetsAt, p.frame_lists.offsets, offsets_bytes);
  if (list_bytes > 0) std::memcpy(packed.data() + list_at(p), p.frame_lists.list, list_bytes);
  const cudaError_t error =
      cudaMemcpyAsync(workspace, packed.data(), packed.size(), cudaMemcpyHostToDevice, stream);
  if (error == cudaSuccess) return {};
  return {LVSA_FAILED, std::string("cudaMemcpyAsync: ") + cudaGetErrorString(error)};
}

HopperResult run_checked(const lvsa_problem& p, char* workspace, cudaStream_t stream) {
  DeviceFrameLists lists;
  lists.offsets = workspace + kOffsetsAt;
  lists.list = reinterpret_cast<const std::int32_t*>(workspace + list_at(p));
  HopperPlan plan;
  HopperResult result = hopper_plan(p, lists, reinterpret_cast<int*>(workspace), &plan);
  if (result.ok()) result = check_pointers(p, workspace);
  if (result.ok()) result = copy_lists(p, workspace, stream);
  return result.ok() ? hopper_run(plan, stream) : result;
}

extern "C" {

lvsa_status hopper_numerics(const lvsa_problem* problem, lvsa_numerics* numerics) {
  if (problem == nullptr || numerics == nullptr) return LVSA_INVALID;
  const std::size_t size = numerics->struct_size;
  if (size < sizeof(lvsa_numerics)) return LVSA_INVALID;
  *numerics = {};
  numerics->struct_size = size;
  numerics->key_tile = hopper_key_tile(problem->patches_per_frame);
  numerics->p_dtype = problem->dtype;
  numerics->accumulator = LVSA_F32;
  numerics->accumulator_roundoff = 0x1p-23;  // tensor cores cut off where they align the addends
  numerics->exp_ulps = 4.0;                  // ex2.approx: 2^-22
  return LVSA_OK;
}

lvsa_status hopper_workspace(const lvsa_problem* problem, std::size_t* bytes) {
  if (problem == nullptr || bytes == nullptr || problem->frames < 1 ||
      problem->frame_lists.offsets == nullptr ||
      problem->frame_lists.offsets[problem->frames] < 0) {
    return LVSA_INVALID;
  }
  *bytes =
      list_at(*problem) + static_cast<std::size_t>(problem->frame_lists.offsets[problem->frames]) *
                              sizeof(std::int32_t);
  return LVSA_OK;
}

lvsa_status hopper_run_problem(const lvsa_problem* problem, void* workspace,
                               std::size_t workspace_bytes, void* stream, char* message,
                               std::size_t message_size) {
  try {
    HopperResult result = check(problem);
    if (result.ok()) result = check_workspace(*problem, workspace, workspace_bytes);
    if (result.ok()) {
      result =
          run_checked(*problem, static_cast<char*>(workspace), static_cast<cudaStream_t>(stream));
    }
    return tell(result, message, message_size);
  } catch (const std::exception& error) {
    return tell({LVSA_FAILED, error.what()}, message, message_size);
  }
}

}  // extern "C"

lvsa_kernel make_kernel() {
  lvsa_kernel kernel{};
  kernel.abi_version = LVSA_KERNEL_ABI_VERSION;
  kernel.struct_size = sizeof kernel;
  kernel.name = "cuda";
  kernel.description = "LVSA attention for Hopper (TMA, wgmma), bf16 and fp16";
  lvsa_capabilities& can = kernel.capabilities;
  can.struct_size = sizeof can;
  can.dtypes = LVSA_DTYPE_BIT(LVSA_BF16) | LVSA_DTYPE_BIT(LVSA_F16);
  can.p_dtypes = can.dtypes;
  can.memory = LVSA_CUDA;
  can.head_dim_min = 64;
  can.head_dim_max = 128;
  can.head_dim_multiple = 64;
  can.grouped_heads = 1;
  can.text = 1;
  can.batch = 1;
  can.lse = 1;
  kernel.numerics = hopper_numerics;
  kernel.workspace = hopper_workspace;
  kernel.run = hopper_run_problem;
  return kernel;
}

}  // namespace

const lvsa_kernel& hopper_kernel() {
  static const lvsa_kernel kernel = make_kernel();
  return kernel;
}

}  // namespace lvsa::cuda
