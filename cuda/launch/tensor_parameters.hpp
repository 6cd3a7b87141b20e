#pragma once
// What the portable kernels are told of a problem's tensors, whatever says which keys are attended.

#include <cstdint>

#include "core/kernel/lvsa_kernel.h"
#include "cuda/attention/portable/parameters.hpp"

namespace lvsa::cuda {

/// Problem: lvsa_problem or lvsa_block_problem, in device memory.
template <class Problem>
void tell_tensors(const Problem& p, portable::Tensors* tensors) {
  constexpr double kLog2E = 1.4426950408889634074;
  const auto strides = [](const std::int64_t* of) {
    return portable::Strides{of[0], of[1], of[2]};
  };
  tensors->q = p.q.data;
  tensors->k = p.k.data;
  tensors->v = p.v.data;
  tensors->out = p.out.data;
  tensors->lse = p.lse;
  tensors->q_strides = strides(p.q.strides);
  tensors->k_strides = strides(p.k.strides);
  tensors->v_strides = strides(p.v.strides);
  tensors->out_strides = strides(p.out.strides);
  tensors->lse_strides = strides(p.lse_strides);
  tensors->batch = static_cast<std::int32_t>(p.batch);
  tensors->heads = static_cast<std::int32_t>(p.heads);
  tensors->kv_heads = static_cast<std::int32_t>(p.kv_heads);
  tensors->head_dim = static_cast<std::int32_t>(p.head_dim);
  tensors->scale_log2 = static_cast<float>(p.scale * kLog2E);
  tensors->out_is_f32 = p.out_dtype == LVSA_F32;
}

}  // namespace lvsa::cuda
