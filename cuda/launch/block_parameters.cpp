#include "cuda/launch/block_parameters.hpp"

namespace lvsa::cuda {
namespace {

portable::Strides strides(const std::int64_t* of) { return {of[0], of[1], of[2]}; }

}  // namespace

portable_blocks::Parameters block_parameters(const BlockWork& work) {
  constexpr double kLog2E = 1.4426950408889634074;
  const lvsa_block_problem& p = *work.problem;
  portable_blocks::Parameters parameters{};
  parameters.q = p.q.data;
  parameters.k = p.k.data;
  parameters.v = p.v.data;
  parameters.out = p.out.data;
  parameters.lse = p.lse;
  parameters.q_strides = strides(p.q.strides);
  parameters.k_strides = strides(p.k.strides);
  parameters.v_strides = strides(p.v.strides);
  parameters.out_strides = strides(p.out.strides);
  parameters.lse_strides = strides(p.lse_strides);
  parameters.query_tokens = p.query_tokens;
  parameters.batch = static_cast<std::int32_t>(p.batch);
  parameters.heads = static_cast<std::int32_t>(p.heads);
  parameters.kv_heads = static_cast<std::int32_t>(p.kv_heads);
  parameters.head_dim = static_cast<std::int32_t>(p.head_dim);
  parameters.scale_log2 = static_cast<float>(p.scale * kLog2E);
  parameters.out_is_f32 = p.out_dtype == LVSA_F32;
  parameters.maps = work.maps;
  return parameters;
}

}  // namespace lvsa::cuda
