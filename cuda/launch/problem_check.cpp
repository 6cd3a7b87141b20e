#include "cuda/launch/problem_check.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/tensor/tensor.hpp"

namespace lvsa::cuda {
namespace {

constexpr std::int64_t kMostTokens = INT32_MAX;
constexpr std::int64_t kMostHeads = 1 << 30;
constexpr std::int64_t kMostStrideBytes = std::int64_t{1} << 40;

Verdict invalid(std::string message) { return {LVSA_INVALID, std::move(message)}; }
Verdict unsupported(std::string message) { return {LVSA_UNSUPPORTED, std::move(message)}; }

std::int64_t tokens_of(const lvsa_problem& p) {
  return p.frames * p.patches_per_frame + p.text_tokens;
}

Verdict check_counts(const lvsa_problem& p, const ProblemRules& rules) {
  struct Named {
    const char* name;
    std::int64_t value;
    std::int64_t least;
  };
  for (const Named& one : {Named{"batch", p.batch, 1}, Named{"frames", p.frames, 1},
                           Named{"patches_per_frame", p.patches_per_frame, 1},
                           Named{"text_tokens", p.text_tokens, 0}, Named{"heads", p.heads, 1},
                           Named{"kv_heads", p.kv_heads, 1}, Named{"head_dim", p.head_dim, 1}}) {
    if (one.value < one.least) {
      return invalid(std::string(one.name) + " is " + std::to_string(one.value) + ", at least " +
                     std::to_string(one.least) + " is due");
    }
  }
  if (p.heads % p.kv_heads != 0) {
    return invalid("heads (" + std::to_string(p.heads) + ") is no multiple of kv_heads (" +
                   std::to_string(p.kv_heads) + ")");
  }
  if (p.head_dim % rules.head_dim_multiple != 0 || p.head_dim > rules.head_dim_max) {
    return unsupported("head_dim is " + std::to_string(p.head_dim) + ", a multiple of " +
                       std::to_string(rules.head_dim_multiple) + " up to " +
                       std::to_string(rules.head_dim_max) + " is due");
  }
  std::int64_t tokens = 0;
  if (__builtin_mul_overflow(p.frames, p.patches_per_frame, &tokens) ||
      __builtin_add_overflow(tokens, p.text_tokens, &tokens) || tokens > kMostTokens) {
    return unsupported("frames * patches_per_frame + text_tokens is above " +
                       std::to_string(kMostTokens));
  }
  if (p.batch > kMostHeads || p.heads > kMostHeads || p.batch * p.heads > kMostHeads) {
    return unsupported("batch * heads is above 2^30");
  }
  return {};
}

Verdict check_types(const lvsa_problem& p, const ProblemRules& rules) {
  if (p.memory != LVSA_CUDA) return unsupported("the tensors are not in device memory");
  const auto among = [](std::uint32_t bits, int type) {
    return type > 0 && type < 32 && (bits >> type & 1u) != 0;
  };
  if (!among(rules.dtypes, p.dtype)) {
    return unsupported("input type " + std::to_string(p.dtype) + " is none that this kernel takes");
  }
  const bool as_inputs = (rules.out_dtypes & LVSA_DTYPE_BIT(LVSA_DTYPE_NONE)) != 0;
  if (!among(rules.out_dtypes, p.out_dtype) && !(as_inputs && p.out_dtype == p.dtype)) {
    return unsupported("output type " + std::to_string(p.out_dtype) +
                       " is none that this kernel writes for these inputs");
  }
  if (p.p_dtype != LVSA_DTYPE_NONE && p.p_dtype != p.dtype) {
    return unsupported("P rounded to type " + std::to_string(p.p_dtype) +
                       ", only that of the inputs can be had");
  }
  if (!std::isfinite(p.scale)) return invalid("scale is not finite");
  if (rules.copy_engine && !(p.scale > 0.0 && std::isfinite(static_cast<float>(p.scale)))) {
    return unsupported("scale is " + std::to_string(p.scale) +
                       ", a positive one that is finite in fp32 is due");
  }
  if (!rules.scales && LVSA_PROBLEM_HAS_SCALES(&p)) {
    return unsupported("q_scale, k_scale or v_scale is given, this kernel takes none");
  }
  return {};
}

/// Rows are copied 16 bytes at a time.
Verdict check_tensor(const char* name, const lvsa_tensor& tensor, std::int64_t heads,
                     lvsa_dtype dtype, const lvsa_problem& p, const ProblemRules& rules) {
  const std::string of(name);
  if (tensor.data == nullptr) return invalid(of + " is null");
  if (reinterpret_cast<std::uintptr_t>(tensor.data) % 16 != 0) {
    return invalid(of + " is not aligned to 16 bytes");
  }
  if (tensor.strides[3] != 1) {
    return unsupported(of + ": element stride is " + std::to_string(tensor.strides[3]) +
                       ", 1 is due");
  }
  const auto bytes = static_cast<std::int64_t>(dtype_bytes(dtype));
  const std::int64_t multiple = std::max<std::int64_t>(16 / bytes, 1);
  const std::int64_t extents[3] = {p.batch, tokens_of(p), heads};
  static constexpr const char* kDimensions[] = {"batch", "token", "head"};
  for (int i = 0; i < 3; ++i) {
    const std::int64_t stride = tensor.strides[i];
    if (extents[i] == 1) continue;
    const std::string what = of + ": " + kDimensions[i] + " stride is " + std::to_string(stride);
    if (stride % multiple != 0) {
      return unsupported(what + ", a multiple of " + std::to_string(multiple) + " elements is due");
    }
    const std::int64_t factor = i == 1 ? p.patches_per_frame : 1;
    if (rules.copy_engine && (stride <= 0 || stride >= kMostStrideBytes / bytes / factor)) {
      return unsupported(what + ", above 0 and below 2^40 bytes (a frame's likewise) is due");
    }
  }
  return {};
}

// Rows of the output that fall on each other would be written by several blocks at once.
Verdict check_output(const lvsa_problem& p) {
  const std::int64_t sizes[] = {p.batch, tokens_of(p), p.heads};
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

Verdict check_row(const lvsa_problem& p, std::int64_t frame) {
  const lvsa_frame_lists& lists = p.frame_lists;
  const std::string row = "frame list " + std::to_string(frame);
  const std::int64_t begin = lists.offsets[frame];
  const std::int64_t end = lists.offsets[frame + 1];
  if (end < begin) return invalid(row + ": its offsets descend");
  if (end - begin > p.frames) {
    return invalid(row + " has " + std::to_string(end - begin) + " entries for " +
                   std::to_string(p.frames) + " frames");
  }
  // Of lists that are all empty there may be nothing to point at.
  if (end > begin && lists.list == nullptr) return invalid("frame_lists.list is null");
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int32_t key = lists.list[i];
    if (key < 0 || key >= p.frames) {
      return invalid(row + " holds frame " + std::to_string(key) + ", 0 .. " +
                     std::to_string(p.frames - 1) + " is due");
    }
    if (i > begin && key <= lists.list[i - 1]) {
      return invalid(row + " is not ascending: " + std::to_string(key) + " follows " +
                     std::to_string(lists.list[i - 1]));
    }
  }
  return {};
}

std::string text_of(cudaError_t status) {
  return std::string(cudaGetErrorString(status)) + " (" + cudaGetErrorName(status) + ")";
}

// Asking for the memory takes longer than a launch, and every device of this class has the least.
Verdict check_memory(const lvsa_problem& p) {
  constexpr double kAlwaysThere = 0x1p31;
  const double bytes = static_cast<double>(dtype_bytes(p.dtype)) *
                       static_cast<double>(p.batch * p.heads) * static_cast<double>(p.head_dim) *
                       static_cast<double>(tokens_of(p));
  if (bytes <= kAlwaysThere) return {};
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  Verdict verdict = from_cuda(cudaMemGetInfo(&free_bytes, &total_bytes), "cudaMemGetInfo");
  if (verdict.ok() && bytes > static_cast<double>(total_bytes)) {
    verdict = {LVSA_OUT_OF_MEMORY,
               "batch * seq_len * heads * head_dim is more than the device's memory holds"};
  }
  return verdict;
}

/// A host pointer would make the launch fail long after it was queued, and take the context along.
Verdict check_pointer(const char* name, const void* pointer) {
  if (pointer == nullptr) return {};
  cudaPointerAttributes attributes{};
  Verdict verdict =
      from_cuda(cudaPointerGetAttributes(&attributes, pointer), "cudaPointerGetAttributes");
  if (verdict.ok() && attributes.devicePointer == nullptr) {
    verdict = invalid(std::string(name) + " is not in memory that the device reaches");
  }
  return verdict;
}

}  // namespace

Verdict check_problem(const lvsa_problem* problem, const ProblemRules& rules) {
  if (problem == nullptr) return invalid("the problem is null");
  if (problem->struct_size < LVSA_PROBLEM_LEAST_SIZE) {
    return invalid("struct_size is " + std::to_string(problem->struct_size) + ", at least " +
                   std::to_string(LVSA_PROBLEM_LEAST_SIZE) + " is due");
  }
  const lvsa_problem& p = *problem;
  Verdict verdict = check_counts(p, rules);
  if (verdict.ok()) verdict = check_types(p, rules);
  if (verdict.ok()) verdict = check_tensor("q", p.q, p.heads, p.dtype, p, rules);
  if (verdict.ok()) verdict = check_tensor("k", p.k, p.kv_heads, p.dtype, p, rules);
  if (verdict.ok()) verdict = check_tensor("v", p.v, p.kv_heads, p.dtype, p, rules);
  if (verdict.ok()) verdict = check_tensor("out", p.out, p.heads, p.out_dtype, p, rules);
  if (verdict.ok()) verdict = check_output(p);
  return verdict;
}

Verdict check_lists(const lvsa_problem& p) {
  if (p.frame_lists.offsets == nullptr) return invalid("frame_lists.offsets is null");
  if (p.frame_lists.offsets[0] != 0) return invalid("frame_lists.offsets does not start at 0");
  for (std::int64_t frame = 0; frame < p.frames; ++frame) {
    Verdict verdict = check_row(p, frame);
    if (!verdict.ok()) return verdict;
  }
  return {};
}

Verdict check_device(const lvsa_problem& p, int least, int major) {
  int device = 0;
  int has_major = 0;
  int has_minor = 0;
  cudaError_t status = cudaGetDevice(&device);
  if (status == cudaSuccess) {
    status = cudaDeviceGetAttribute(&has_major, cudaDevAttrComputeCapabilityMajor, device);
  }
  if (status == cudaSuccess) {
    status = cudaDeviceGetAttribute(&has_minor, cudaDevAttrComputeCapabilityMinor, device);
  }
  if (status != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    return {LVSA_NO_DEVICE, "no usable CUDA device: " + text_of(status)};
  }
  if (has_major * 10 + has_minor < least || (major != 0 && has_major != major)) {
    return {LVSA_NO_DEVICE, "the device has compute capability " + std::to_string(has_major) + "." +
                                std::to_string(has_minor) + ", " + std::to_string(least / 10) +
                                "." + std::to_string(least % 10) +
                                (major != 0 ? " is due" : " or more is due")};
  }
  return check_memory(p);
}

Verdict check_pointers(const lvsa_problem& p, const void* workspace) {
  struct Named {
    const char* name;
    const void* pointer;
  };
  const bool scales = LVSA_PROBLEM_HAS_SCALES(&p);
  for (const Named& one :
       {Named{"q", p.q.data}, Named{"k", p.k.data}, Named{"v", p.v.data}, Named{"out", p.out.data},
        Named{"lse", p.lse}, Named{"the workspace", workspace},
        Named{"q_scale", scales ? p.q_scale : nullptr},
        Named{"k_scale", scales ? p.k_scale : nullptr},
        Named{"v_scale", scales ? p.v_scale : nullptr}}) {
    Verdict verdict = check_pointer(one.name, one.pointer);
    if (!verdict.ok()) return verdict;
  }
  return {};
}

Verdict from_cuda(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return {};
  static_cast<void>(cudaGetLastError());
  const bool none = status == cudaErrorNoDevice || status == cudaErrorInsufficientDriver;
  return {none                                  ? LVSA_NO_DEVICE
          : status == cudaErrorMemoryAllocation ? LVSA_OUT_OF_MEMORY
                                                : LVSA_FAILED,
          std::string(call) + ": " + text_of(status)};
}

Verdict count_multiprocessors(int* count) {
  int device = 0;
  Verdict verdict = from_cuda(cudaGetDevice(&device), "cudaGetDevice");
  if (!verdict.ok()) return verdict;
  return from_cuda(cudaDeviceGetAttribute(count, cudaDevAttrMultiProcessorCount, device),
                   "cudaDeviceGetAttribute");
}

lvsa_status tell(const Verdict& verdict, char* message, std::size_t message_size) {
  if (message != nullptr && message_size > 0) {
    const std::size_t length = std::min(verdict.message.size(), message_size - 1);
    std::memcpy(message, verdict.message.data(), length);
    message[length] = '\0';
  }
  return verdict.status;
}

}  // namespace lvsa::cuda
