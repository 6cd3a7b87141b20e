#include "reference/attention/blocks/block_problem_check.hpp"

#include <cinttypes>
#include <cmath>

#include "core/blocks/block_arrays_check.hpp"
#include "core/blocks/block_sizes_check.hpp"
#include "reference/attention/blocks/cpu_blocks.hpp"
#include "reference/attention/tiled/problem_check.hpp"

namespace lvsa::reference {
namespace {

lvsa_status check_types(const lvsa_block_problem& p, Message message) {
  if (p.memory != LVSA_HOST) {
    return refuse(message, LVSA_UNSUPPORTED, "memory = %d: this kernel reads host memory (0) only",
                  static_cast<int>(p.memory));
  }
  struct Type {
    const char* name;
    lvsa_dtype dtype;
    bool none;
  };
  for (const Type& t : {Type{"dtype", p.dtype, false}, Type{"out_dtype", p.out_dtype, false},
                        Type{"p_dtype", p.p_dtype, true}}) {
    if (is_served(t.dtype) || (t.none && t.dtype == LVSA_DTYPE_NONE)) continue;
    return refuse(message, LVSA_UNSUPPORTED, "%s = %d: must be %sf32 (2), f16 (3) or bf16 (4)",
                  t.name, static_cast<int>(t.dtype), t.none ? "none (0), " : "");
  }
  if (p.head_dim > kMaxHeadDim) {
    return refuse(message, LVSA_UNSUPPORTED, "head_dim = %" PRId64 ": must be at most %d",
                  p.head_dim, kMaxHeadDim);
  }
  if (p.block_rows > kMostBlock || p.block_columns > kMostBlock) {
    return refuse(message, LVSA_UNSUPPORTED,
                  "blocks of %" PRId64 " x %" PRId64 ": must be of at most %" PRId64 " tokens",
                  p.block_rows, p.block_columns, kMostBlock);
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

}  // namespace

lvsa_status check_block_problem(const lvsa_block_problem* problem, Message message) {
  if (problem == nullptr) {
    return refuse(message, LVSA_INVALID, "problem = null: must point to a problem");
  }
  if (problem->struct_size < sizeof(lvsa_block_problem)) {
    return refuse(message, LVSA_INVALID, "struct_size = %zu: must be at least %zu",
                  problem->struct_size, sizeof(lvsa_block_problem));
  }
  for (const auto check :
       {check_block_sizes, check_types, check_block_tensors, check_block_axes, check_block_maps,
        check_block_masks, check_orders, check_thresholds, check_wanted_tokens}) {
    const lvsa_status status = check(*problem, message);
    if (status != LVSA_OK) return status;
  }
  return LVSA_OK;
}

}  // namespace lvsa::reference
