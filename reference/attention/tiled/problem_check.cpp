#include "reference/attention/tiled/problem_check.hpp"

#include <array>
#include <cinttypes>
#include <cmath>
#include <limits>

namespace lvsa::reference {
namespace {

// Sizes one by one, then that batch * seq_len * heads * head_dim elements of 8 bytes can be
// counted.
lvsa_status check_sizes(const lvsa_problem& p, Message message) {
  struct Size {
    const char* name;
    std::int64_t value;
    std::int64_t least;
  };
  const Size sizes[] = {{"batch", p.batch, 1},       {"frames", p.frames, 1},
                        {"heads", p.heads, 1},       {"patches_per_frame", p.patches_per_frame, 1},
                        {"kv_heads", p.kv_heads, 1}, {"text_tokens", p.text_tokens, 0},
                        {"head_dim", p.head_dim, 1}};
  for (const Size& size : sizes) {
    const lvsa_status status = check_size(size.name, size.value, size.least, message);
    if (status != LVSA_OK) return status;
  }
  if (p.heads % p.kv_heads != 0) {
    return refuse(message, LVSA_INVALID,
                  "heads = %" PRId64 ": must be a multiple of kv_heads = %" PRId64, p.heads,
                  p.kv_heads);
  }
  if (p.frames > std::numeric_limits<std::int32_t>::max()) {
    return refuse(message, LVSA_INVALID,
                  "frames = %" PRId64 ": frame numbers are 32 bits, at most 2147483647", p.frames);
  }
  std::int64_t elements = 0;
  bool overflow = __builtin_mul_overflow(p.frames, p.patches_per_frame, &elements) ||
                  __builtin_add_overflow(elements, p.text_tokens, &elements);
  for (const std::int64_t factor : {p.batch, p.heads, p.head_dim, std::int64_t{8}}) {
    overflow = overflow || __builtin_mul_overflow(elements, factor, &elements);
  }
  if (overflow) {
    return refuse(message, LVSA_INVALID,
                  "batch * (frames * patches_per_frame + text_tokens) * heads * head_dim = %" PRId64
                  " * (%" PRId64 " * %" PRId64 " + %" PRId64 ") * %" PRId64 " * %" PRId64
                  ": must fit 64 bits",
                  p.batch, p.frames, p.patches_per_frame, p.text_tokens, p.heads, p.head_dim);
  }
  return LVSA_OK;
}

lvsa_status check_types(const lvsa_problem& p, Message message) {
  if (LVSA_PROBLEM_HAS_SCALES(&p)) {
    return refuse(message, LVSA_UNSUPPORTED, "q_scale, k_scale or v_scale: this kernel takes none");
  }
  if (p.memory != LVSA_HOST) {
    return refuse(message, LVSA_UNSUPPORTED, "memory = %d: this kernel reads host memory (0) only",
                  static_cast<int>(p.memory));
  }
  if (!is_served(p.dtype)) {
    return refuse(message, LVSA_UNSUPPORTED, "dtype = %d: must be f32 (2), f16 (3) or bf16 (4)",
                  static_cast<int>(p.dtype));
  }
  if (!is_served(p.out_dtype)) {
    return refuse(message, LVSA_UNSUPPORTED, "out_dtype = %d: must be f32 (2), f16 (3) or bf16 (4)",
                  static_cast<int>(p.out_dtype));
  }
  if (p.p_dtype != LVSA_DTYPE_NONE && !is_served(p.p_dtype)) {
    return refuse(message, LVSA_UNSUPPORTED,
                  "p_dtype = %d: must be none (0), f32 (2), f16 (3) or bf16 (4)",
                  static_cast<int>(p.p_dtype));
  }
  if (p.head_dim > kMaxHeadDim) {
    return refuse(message, LVSA_UNSUPPORTED, "head_dim = %" PRId64 ": must be at most %d",
                  p.head_dim, kMaxHeadDim);
  }
  if (!std::isfinite(p.scale) || std::fabs(p.scale) > 0x1p126) {
    return refuse(message, LVSA_INVALID, "scale = %g: must be a finite number below 2^126",
                  p.scale);
  }
  if (p.threads < 0) {
    return refuse(message, LVSA_INVALID,
                  "threads = %d: must be at least 1, or 0 to leave it to the kernel",
                  static_cast<int>(p.threads));
  }
  return LVSA_OK;
}

lvsa_status check_tensors(const lvsa_problem& p, Message message) {
  const std::int64_t tokens = p.frames * p.patches_per_frame + p.text_tokens;
  const std::array<std::int64_t, 4> query = {p.batch, tokens, p.heads, p.head_dim};
  const std::array<std::int64_t, 4> key = {p.batch, tokens, p.kv_heads, p.head_dim};
  const StridedTensor inputs[] = {{"q", p.q.data, p.q.strides, query, 4},
                                  {"k", p.k.data, p.k.strides, key, 4},
                                  {"v", p.v.data, p.v.strides, key, 4}};
  for (const StridedTensor& layout : inputs) {
    const lvsa_status status = check_reach(layout, message);
    if (status != LVSA_OK) return status;
  }
  const StridedTensor outputs[] = {{"out", p.out.data, p.out.strides, query, 4},
                                   {"lse", p.lse, p.lse_strides, {p.batch, tokens, p.heads, 1}, 3}};
  for (const StridedTensor& layout : outputs) {
    if (layout.data == nullptr && layout.rank == 3) continue;  // lse is not wanted
    lvsa_status status = check_reach(layout, message);
    if (status == LVSA_OK) status = check_distinct(layout, message);
    if (status != LVSA_OK) return status;
  }
  return LVSA_OK;
}

lvsa_status check_row(const lvsa_problem& p, std::int64_t frame, Message message) {
  const std::int64_t begin = p.frame_lists.offsets[frame];
  const std::int64_t end = p.frame_lists.offsets[frame + 1];
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t value = p.frame_lists.list[i];
    if (value < 0 || value >= p.frames) {
      return refuse(message, LVSA_INVALID,
                    "frame_lists.list[%" PRId64 "] = %" PRId64 " (row of frame %" PRId64
                    "): must be in 0 .. %" PRId64,
                    i, value, frame, p.frames - 1);
    }
    if (i > begin && value <= p.frame_lists.list[i - 1]) {
      return refuse(message, LVSA_INVALID,
                    "frame_lists.list[%" PRId64 "] = %" PRId64 " (row of frame %" PRId64
                    "): must be greater than the entry before it, %d",
                    i, value, frame, static_cast<int>(p.frame_lists.list[i - 1]));
    }
  }
  return LVSA_OK;
}

lvsa_status check_lists(const lvsa_problem& p, Message message) {
  const lvsa_frame_lists& lists = p.frame_lists;
  if (lists.offsets == nullptr) {
    return refuse(message, LVSA_INVALID,
                  "frame_lists.offsets = null: must hold frames + 1 offsets");
  }
  if (lists.offsets[0] != 0) {
    return refuse(message, LVSA_INVALID, "frame_lists.offsets[0] = %" PRId64 ": must be 0",
                  lists.offsets[0]);
  }
  for (std::int64_t f = 0; f < p.frames; ++f) {
    const std::int64_t begin = lists.offsets[f];
    const std::int64_t end = lists.offsets[f + 1];
    // Rows are unique, so none is longer than `frames`; held before any entry is read.
    if (end < begin || end - begin > p.frames) {
      return refuse(message, LVSA_INVALID,
                    "frame_lists.offsets[%" PRId64 "] = %" PRId64 ": must be in %" PRId64
                    " .. %" PRId64 ", the offset before it and at most `frames` more",
                    f + 1, end, begin, begin + p.frames);
    }
    if (end > begin && lists.list == nullptr) {
      return refuse(message, LVSA_INVALID, "frame_lists.list = null: must hold %" PRId64 " entries",
                    lists.offsets[p.frames]);
    }
    const lvsa_status status = check_row(p, f, message);
    if (status != LVSA_OK) return status;
  }
  return LVSA_OK;
}

lvsa_status check_wanted(const lvsa_problem& p, Message message) {
  if (p.wanted_tokens == nullptr) return LVSA_OK;
  const std::int64_t tokens = p.frames * p.patches_per_frame + p.text_tokens;
  if (p.wanted_count < 0 || p.wanted_count > tokens) {
    return refuse(message, LVSA_INVALID, "wanted_count = %" PRId64 ": must be in 0 .. %" PRId64,
                  p.wanted_count, tokens);
  }
  for (std::int64_t i = 0; i < p.wanted_count; ++i) {
    const std::int64_t token = p.wanted_tokens[i];
    const std::int64_t least = i == 0 ? 0 : p.wanted_tokens[i - 1] + 1;
    if (token < least || token >= tokens) {
      return refuse(message, LVSA_INVALID,
                    "wanted_tokens[%" PRId64 "] = %" PRId64 ": must be in %" PRId64 " .. %" PRId64
                    ", the list ascending",
                    i, token, least, tokens - 1);
    }
  }
  return LVSA_OK;
}

}  // namespace

lvsa_status check_problem(const lvsa_problem* problem, Message message) {
  if (problem == nullptr) {
    return refuse(message, LVSA_INVALID, "problem = null: must point to a problem");
  }
  if (problem->struct_size < LVSA_PROBLEM_LEAST_SIZE) {
    return refuse(message, LVSA_INVALID, "struct_size = %zu: must be at least %zu",
                  problem->struct_size, LVSA_PROBLEM_LEAST_SIZE);
  }
  for (const auto check : {check_sizes, check_types, check_tensors, check_lists, check_wanted}) {
    const lvsa_status status = check(*problem, message);
    if (status != LVSA_OK) return status;
  }
  return LVSA_OK;
}

}  // namespace lvsa::reference
