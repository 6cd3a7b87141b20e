#include "cuda/launch/block_problem_check.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "core/blocks/block_arrays_check.hpp"
#include "core/blocks/block_sizes_check.hpp"
#include "core/tensor/tensor.hpp"

namespace lvsa::cuda {
namespace {

constexpr std::int64_t kMostHeads = 1 << 30;
constexpr std::int64_t kMostStrideBytes = std::int64_t{1} << 40;

Verdict invalid(std::string message) { return {LVSA_INVALID, std::move(message)}; }
Verdict unsupported(std::string message) { return {LVSA_UNSUPPORTED, std::move(message)}; }

template <typename... Checks>
Verdict check_all(const lvsa_block_problem& p, Checks... checks) {
  char line[512] = {};
  const Message message{line, sizeof line};
  for (const auto check : {checks...}) {
    const lvsa_status status = check(p, message);
    if (status != LVSA_OK) return {status, line};
  }
  return {};
}

std::string size_text(std::int64_t rows, std::int64_t columns) {
  return std::to_string(rows) + " x " + std::to_string(columns);
}

Verdict check_block_size(const lvsa_block_problem& p, const BlockRules& rules) {
  const std::string given =
      "block_rows x block_columns = " + size_text(p.block_rows, p.block_columns) + ": must be ";
  if (rules.block_sizes.empty()) {
    if (p.block_rows <= rules.block_max && p.block_columns <= rules.block_max) return {};
    return unsupported(given + "of at most " + std::to_string(rules.block_max) + " tokens");
  }
  std::string served;
  for (const auto& size : rules.block_sizes) {
    if (p.block_rows == size[0] && p.block_columns == size[1]) return {};
    served += (served.empty() ? "" : " or ") + size_text(size[0], size[1]);
  }
  return unsupported(given + served + " for this kernel");
}

Verdict check_types(const lvsa_block_problem& p, const BlockRules& rules) {
  if (p.memory != LVSA_CUDA) {
    return unsupported("memory = " + std::to_string(p.memory) + ": this kernel reads device " +
                       "memory (1) only");
  }
  const auto among = [](std::uint32_t bits, int type) {
    return type > 0 && type < 32 && (bits >> type & 1u) != 0;
  };
  if (!among(rules.dtypes, p.dtype)) {
    return unsupported("dtype = " + std::to_string(p.dtype) + ": must be f16 (3) or bf16 (4)");
  }
  const bool as_inputs = (rules.out_dtypes & LVSA_DTYPE_BIT(LVSA_DTYPE_NONE)) != 0;
  if (!among(rules.out_dtypes, p.out_dtype) && !(as_inputs && p.out_dtype == p.dtype)) {
    return unsupported("out_dtype = " + std::to_string(p.out_dtype) + ": must be " +
                       std::to_string(p.dtype) + ", the type of the inputs" +
                       (among(rules.out_dtypes, LVSA_F32) ? ", or f32 (2)" : ""));
  }
  if (p.p_dtype != LVSA_DTYPE_NONE && p.p_dtype != p.dtype) {
    return unsupported("p_dtype = " + std::to_string(p.p_dtype) + ": must be none (0) or " +
                       std::to_string(p.dtype) + ", the type of the inputs");
  }
  return {};
}

Verdict check_numbers(const lvsa_block_problem& p, const BlockRules& rules) {
  if (p.head_dim % rules.head_dim_multiple != 0 || p.head_dim > rules.head_dim_max) {
    return unsupported("head_dim = " + std::to_string(p.head_dim) + ": must be a multiple of " +
                       std::to_string(rules.head_dim_multiple) + " up to " +
                       std::to_string(rules.head_dim_max));
  }
  if (p.batch > kMostHeads || p.heads > kMostHeads || p.batch * p.heads > kMostHeads) {
    return unsupported("batch * heads = " + std::to_string(p.batch) + " * " +
                       std::to_string(p.heads) + ": must be at most 2^30");
  }
  if (!std::isfinite(p.scale) || !std::isfinite(static_cast<float>(p.scale * 2.0))) {
    return invalid("scale = " + std::to_string(p.scale) + ": must be finite in fp32");
  }
  if (rules.copy_engine && !(p.scale > 0.0)) {
    return unsupported("scale = " + std::to_string(p.scale) + ": must be positive");
  }
  return {};
}

// Rows are copied 16 bytes at a time.
Verdict check_alignment(const char* name, const lvsa_tensor& tensor, std::int64_t tokens,
                        std::int64_t heads, lvsa_dtype dtype, const lvsa_block_problem& p,
                        const BlockRules& rules) {
  const std::string of(name);
  if (reinterpret_cast<std::uintptr_t>(tensor.data) % 16 != 0) {
    return invalid(of + " is not aligned to 16 bytes");
  }
  if (tensor.strides[3] != 1) {
    return unsupported(of + ".strides[3] = " + std::to_string(tensor.strides[3]) + ": must be 1");
  }
  const auto bytes = static_cast<std::int64_t>(dtype_bytes(dtype));
  const std::int64_t multiple = std::max<std::int64_t>(16 / bytes, 1);
  const std::int64_t extents[3] = {p.batch, tokens, heads};
  for (int i = 0; i < 3; ++i) {
    const std::int64_t stride = tensor.strides[i];
    if (extents[i] == 1) continue;
    const std::string what =
        of + ".strides[" + std::to_string(i) + "] = " + std::to_string(stride) + ": must be ";
    if (stride % multiple != 0) {
      return unsupported(what + "a multiple of " + std::to_string(multiple));
    }
    if (rules.copy_engine && (stride <= 0 || stride >= kMostStrideBytes / bytes)) {
      return unsupported(what + "above 0 and below 2^40 bytes");
    }
  }
  return {};
}

Verdict check_alignments(const lvsa_block_problem& p, const BlockRules& rules) {
  Verdict verdict = check_alignment("q", p.q, p.query_tokens, p.heads, p.dtype, p, rules);
  if (verdict.ok()) {
    verdict = check_alignment("k", p.k, p.key_tokens, p.kv_heads, p.dtype, p, rules);
  }
  if (verdict.ok()) {
    verdict = check_alignment("v", p.v, p.key_tokens, p.kv_heads, p.dtype, p, rules);
  }
  if (verdict.ok()) {
    verdict = check_alignment("out", p.out, p.query_tokens, p.heads, p.out_dtype, p, rules);
  }
  if (verdict.ok() && reinterpret_cast<std::uintptr_t>(p.lse) % alignof(float) != 0) {
    verdict = invalid("lse is not aligned to 4 bytes");
  }
  return verdict;
}

// The same tensors as a call over one frame, for the checks that look at tensors only.
lvsa_problem one_frame(const lvsa_block_problem& p) {
  lvsa_problem frame{};
  frame.struct_size = sizeof frame;
  frame.batch = p.batch;
  frame.frames = 1;
  frame.patches_per_frame = std::max(p.query_tokens, p.key_tokens);
  frame.heads = p.heads;
  frame.kv_heads = p.kv_heads;
  frame.head_dim = p.head_dim;
  frame.dtype = p.dtype;
  frame.q = p.q;
  frame.k = p.k;
  frame.v = p.v;
  frame.out = p.out;
  frame.lse = p.lse;
  return frame;
}

}  // namespace

Verdict check_block_shape(const lvsa_block_problem* problem, const BlockRules& rules) {
  if (problem == nullptr) return invalid("problem = null: must point to a problem");
  if (problem->struct_size < sizeof(lvsa_block_problem)) {
    return invalid("struct_size = " + std::to_string(problem->struct_size) + ": must be at least " +
                   std::to_string(sizeof(lvsa_block_problem)));
  }
  const lvsa_block_problem& p = *problem;
  Verdict verdict = check_all(p, check_block_sizes);
  if (verdict.ok()) verdict = check_types(p, rules);
  if (verdict.ok()) verdict = check_numbers(p, rules);
  if (verdict.ok()) verdict = check_block_size(p, rules);
  if (verdict.ok()) verdict = check_all(p, check_block_tensors);
  if (verdict.ok()) verdict = check_alignments(p, rules);
  return verdict;
}

Verdict check_block_arrays(const lvsa_block_problem& p) {
  return check_all(p, check_block_axes, check_block_maps, check_block_masks, check_orders,
                   check_thresholds, check_wanted_tokens);
}

Verdict check_block_device(const lvsa_block_problem& p, const BlockRules& rules,
                           const void* workspace) {
  const lvsa_problem frame = one_frame(p);
  Verdict verdict = check_device(frame, rules.device_least, rules.device_major);
  if (verdict.ok()) verdict = check_pointers(frame, workspace);
  return verdict;
}

}  // namespace lvsa::cuda
