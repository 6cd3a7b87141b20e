#include "cuda/launch/portable_check.hpp"

#include <cuda_runtime_api.h>

#include <cmath>
#include <cstdint>

namespace lvsa::cuda {
namespace {

constexpr std::int64_t kChunkElements = 8;  // one copy: 16 bytes of 16-bit elements
constexpr std::int64_t kMaxTokens = INT32_MAX;
constexpr std::int64_t kMaxBlocks = INT32_MAX;

Verdict invalid(std::string message) { return {LVSA_INVALID, std::move(message)}; }
Verdict unsupported(std::string message) { return {LVSA_UNSUPPORTED, std::move(message)}; }

Verdict at_least(const char* name, std::int64_t value, std::int64_t least) {
  if (value >= least) return {};
  return invalid(std::string(name) + " is " + std::to_string(value) + ", at least " +
                 std::to_string(least) + " is due");
}

Verdict check_counts(const lvsa_problem& p) {
  struct Named {
    const char* name;
    std::int64_t value;
    std::int64_t least;
  };
  for (const Named& one : {Named{"batch", p.batch, 1}, Named{"frames", p.frames, 1},
                           Named{"patches_per_frame", p.patches_per_frame, 1},
                           Named{"text_tokens", p.text_tokens, 0}, Named{"heads", p.heads, 1},
                           Named{"kv_heads", p.kv_heads, 1}, Named{"head_dim", p.head_dim, 1}}) {
    const Verdict verdict = at_least(one.name, one.value, one.least);
    if (!verdict.ok()) return verdict;
  }
  if (p.heads % p.kv_heads != 0) {
    return invalid("heads (" + std::to_string(p.heads) + ") is no multiple of kv_heads (" +
                   std::to_string(p.kv_heads) + ")");
  }
  if (p.head_dim % kChunkElements != 0 || p.head_dim > portable::kMaxHeadDim) {
    return unsupported("head_dim is " + std::to_string(p.head_dim) + ", a multiple of 8 up to " +
                       std::to_string(portable::kMaxHeadDim) + " is due");
  }
  std::int64_t tokens = 0;
  if (__builtin_mul_overflow(p.frames, p.patches_per_frame, &tokens) ||
      __builtin_add_overflow(tokens, p.text_tokens, &tokens) || tokens > kMaxTokens) {
    return unsupported("frames * patches_per_frame + text_tokens is above " +
                       std::to_string(kMaxTokens));
  }
  if (p.batch > INT32_MAX || p.heads > INT32_MAX)
    return unsupported("batch or heads is above 2^31 - 1");
  return {};
}

Verdict check_types(const lvsa_problem& p) {
  if (p.memory != LVSA_CUDA) return unsupported("the tensors are not in device memory");
  if (p.dtype != LVSA_BF16 && p.dtype != LVSA_F16) {
    return unsupported("input type " + std::to_string(p.dtype) + ", bf16 or fp16 is due");
  }
  if (p.out_dtype != p.dtype && p.out_dtype != LVSA_F32) {
    return unsupported("output type " + std::to_string(p.out_dtype) +
                       ", that of the inputs or fp32 is due");
  }
  if (p.p_dtype != LVSA_DTYPE_NONE && p.p_dtype != p.dtype) {
    return unsupported("P rounded to type " + std::to_string(p.p_dtype) +
                       ", only that of the inputs can be had");
  }
  if (!std::isfinite(p.scale)) return invalid("scale is not finite");
  return {};
}

Verdict check_tensor(const char* name, const lvsa_tensor& tensor) {
  const std::string of(name);
  if (tensor.data == nullptr) return invalid(of + " is null");
  if (reinterpret_cast<std::uintptr_t>(tensor.data) % 16 != 0) {
    return invalid(of + " is not aligned to 16 bytes");
  }
  if (tensor.strides[3] != 1) {
    return unsupported(of + ": element stride is " + std::to_string(tensor.strides[3]) +
                       ", 1 is due");
  }
  static constexpr const char* kDimensions[] = {"batch", "token", "head"};
  for (int i = 0; i < 3; ++i) {
    if (tensor.strides[i] % kChunkElements != 0) {
      return unsupported(of + ": " + kDimensions[i] + " stride is " +
                         std::to_string(tensor.strides[i]) + ", a multiple of 8 elements is due");
    }
  }
  return {};
}

// Rows of the output that fall on each other would be written by several blocks at once.
Verdict check_output(const lvsa_problem& p) {
  const std::int64_t sizes[] = {p.batch, p.frames * p.patches_per_frame + p.text_tokens, p.heads};
  for (int i = 0; i < 3; ++i) {
    if (sizes[i] > 1 && p.out.strides[i] == 0) return invalid("out has a stride of 0");
    if (sizes[i] > 1 && p.lse != nullptr && p.lse_strides[i] == 0) {
      return invalid("lse has a stride of 0");
    }
  }
  if (reinterpret_cast<std::uintptr_t>(p.lse) % alignof(float) != 0) {
    return invalid("lse is not aligned to 4 bytes");
  }
  return {};
}

std::string cuda_text(cudaError_t status) {
  static_cast<void>(cudaGetLastError());  // must not surface at a later launch
  return std::string(cudaGetErrorString(status)) + " (" + cudaGetErrorName(status) + ")";
}

Verdict check_pointer(const char* name, const void* pointer) {
  cudaPointerAttributes attributes{};
  const cudaError_t status = cudaPointerGetAttributes(&attributes, pointer);
  if (status != cudaSuccess) return {LVSA_FAILED, "cudaPointerGetAttributes: " + cuda_text(status)};
  if (attributes.devicePointer == nullptr) {
    return invalid(std::string(name) + " is not in memory that the device reaches");
  }
  return {};
}

portable::Strides strides(const lvsa_tensor& t) {
  return {t.strides[0], t.strides[1], t.strides[2]};
}

}  // namespace

Verdict check_portable_sizes(const lvsa_problem& p) {
  Verdict verdict = check_counts(p);
  if (verdict.ok()) verdict = check_types(p);
  struct Named {
    const char* name;
    const lvsa_tensor& tensor;
  };
  for (const Named& one :
       {Named{"q", p.q}, Named{"k", p.k}, Named{"v", p.v}, Named{"out", p.out}}) {
    if (verdict.ok()) verdict = check_tensor(one.name, one.tensor);
  }
  if (verdict.ok()) verdict = check_output(p);
  if (verdict.ok()) {
    // The blocks are the one dimension of the grid.
    portable::Parameters one = portable_parameters(p);
    one.batch = 1;
    one.heads = 1;
    std::int64_t blocks = 0;
    if (__builtin_mul_overflow(portable::block_count(one), p.batch * p.heads, &blocks) ||
        blocks > kMaxBlocks) {
      verdict = unsupported("more than 2^31 - 1 query tiles");
    }
  }
  return verdict;
}

Verdict check_portable_lists(const lvsa_problem& p) {
  const lvsa_frame_lists& lists = p.frame_lists;
  if (lists.offsets == nullptr) return invalid("frame_lists.offsets is null");
  if (lists.offsets[0] != 0) return invalid("frame_lists.offsets does not start at 0");
  for (std::int64_t f = 0; f < p.frames; ++f) {
    const std::string row = "frame list " + std::to_string(f);
    const std::int64_t begin = lists.offsets[f];
    const std::int64_t end = lists.offsets[f + 1];
    if (end < begin) return invalid(row + ": its offsets descend");
    if (end - begin > p.frames) {
      return invalid(row + " has " + std::to_string(end - begin) + " entries for " +
                     std::to_string(p.frames) + " frames");
    }
    if (end > begin && lists.list == nullptr) return invalid("frame_lists.list is null");
    for (std::int64_t i = begin; i < end; ++i) {
      if (lists.list[i] < 0 || lists.list[i] >= p.frames) {
        return invalid(row + " holds frame " + std::to_string(lists.list[i]) + ", 0 .. " +
                       std::to_string(p.frames - 1) + " is due");
      }
      if (i > begin && lists.list[i] <= lists.list[i - 1]) {
        return invalid(row + " is not ascending: " + std::to_string(lists.list[i]) + " follows " +
                       std::to_string(lists.list[i - 1]));
      }
    }
  }
  return {};
}

Verdict check_portable_device(const lvsa_problem& p) {
  int device = 0;
  int major = 0;
  int minor = 0;
  cudaError_t status = cudaGetDevice(&device);
  if (status == cudaSuccess) {
    status = cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
  }
  if (status == cudaSuccess) {
    status = cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device);
  }
  if (status != cudaSuccess) return {LVSA_NO_DEVICE, "no usable CUDA device: " + cuda_text(status)};
  if (major < 8) {
    return {LVSA_NO_DEVICE, "the device has compute capability " + std::to_string(major) + "." +
                                std::to_string(minor) + ", 8.0 or more is due"};
  }
  // Asking for the memory takes longer than the launch, and every device of this class has more.
  constexpr double kAlwaysThere = 0x1p31;
  const std::int64_t tokens = p.frames * p.patches_per_frame + p.text_tokens;
  const double bytes = 2.0 * static_cast<double>(p.batch * p.heads) *
                       static_cast<double>(p.head_dim) * static_cast<double>(tokens);
  if (bytes <= kAlwaysThere) return {};
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  status = cudaMemGetInfo(&free_bytes, &total_bytes);
  if (status != cudaSuccess) return {LVSA_FAILED, "cudaMemGetInfo: " + cuda_text(status)};
  if (bytes > static_cast<double>(total_bytes)) {
    return {LVSA_OUT_OF_MEMORY,
            "batch * seq_len * heads * head_dim is more than the device's memory holds"};
  }
  return {};
}

Verdict check_portable_pointers(const lvsa_problem& p, const void* workspace) {
  struct Named {
    const char* name;
    const void* pointer;
  };
  for (const Named& one :
       {Named{"q", p.q.data}, Named{"k", p.k.data}, Named{"v", p.v.data}, Named{"out", p.out.data},
        Named{"lse", p.lse}, Named{"the workspace", workspace}}) {
    if (one.pointer == nullptr) continue;
    const Verdict verdict = check_pointer(one.name, one.pointer);
    if (!verdict.ok()) return verdict;
  }
  return {};
}

portable::Parameters portable_parameters(const lvsa_problem& p) {
  constexpr double kLog2E = 1.4426950408889634074;
  portable::Parameters parameters{};
  parameters.q = p.q.data;
  parameters.k = p.k.data;
  parameters.v = p.v.data;
  parameters.out = p.out.data;
  parameters.lse = p.lse;
  parameters.q_strides = strides(p.q);
  parameters.k_strides = strides(p.k);
  parameters.v_strides = strides(p.v);
  parameters.out_strides = strides(p.out);
  parameters.lse_strides = {p.lse_strides[0], p.lse_strides[1], p.lse_strides[2]};
  parameters.batch = static_cast<std::int32_t>(p.batch);
  parameters.frames = static_cast<std::int32_t>(p.frames);
  parameters.patches = static_cast<std::int32_t>(p.patches_per_frame);
  parameters.text = static_cast<std::int32_t>(p.text_tokens);
  parameters.heads = static_cast<std::int32_t>(p.heads);
  parameters.kv_heads = static_cast<std::int32_t>(p.kv_heads);
  parameters.head_dim = static_cast<std::int32_t>(p.head_dim);
  parameters.scale_log2 = static_cast<float>(p.scale * kLog2E);
  parameters.out_is_f32 = p.out_dtype == LVSA_F32;
  return parameters;
}

}  // namespace lvsa::cuda
