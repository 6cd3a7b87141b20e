#pragma once
// What the portable block-sparse kernel and that for marked row blocks are told, and their
// host-side launches.

#include <cuda_runtime_api.h>

#include <cstdint>

#include "cuda/attention/blocks/device_maps.hpp"
#include "cuda/attention/portable/parameters.hpp"

namespace lvsa::cuda::portable_blocks {

using blocks::DeviceMaps;
using blocks::kNoMask;

/// Largest block, in rows or columns, and head size that these kernels take.
inline constexpr std::int64_t kMostBlock = 128;
inline constexpr std::int64_t kMostHeadDim = 128;

struct Parameters {
  const void* q;  ///< [B, Sq, H, D]
  const void* k;  ///< [B, Sk, Hkv, D]
  const void* v;  ///< [B, Sk, Hkv, D]
  void* out;      ///< [B, Sq, H, D]
  float* lse;     ///< [B, Sq, H]; null: not wanted
  portable::Strides q_strides;
  portable::Strides k_strides;
  portable::Strides v_strides;
  portable::Strides out_strides;
  portable::Strides lse_strides;
  std::int64_t query_tokens;  ///< the length of an order
  std::int32_t batch;
  std::int32_t heads;
  std::int32_t kv_heads;
  std::int32_t head_dim;  ///< a multiple of 8, up to kMostHeadDim
  float scale_log2;       ///< scale * log2(e)
  bool out_is_f32;        ///< else the type of the inputs
  DeviceMaps maps;
};

/// Row blocks of all heads and batch elements.
inline std::int64_t row_block_count(const Parameters& p) {
  return static_cast<std::int64_t>(p.batch) * p.heads * p.maps.row_blocks;
}

/// Queue the portable kernel, one thread block a row block. Row blocks with an element mask and an
/// output that is not finite are marked: marks [batch * heads][row_blocks], 0 before; not touched
/// and may be null where the maps have no masks.
cudaError_t attend_bf16(const Parameters& p, std::int32_t* marks, cudaStream_t stream);
cudaError_t attend_f16(const Parameters& p, std::int32_t* marks, cudaStream_t stream);

/// Queues the kernel that computes row blocks with a mark other than 0 again, on `thread_blocks`
/// thread blocks.
cudaError_t attend_marked_bf16(const Parameters& p, const std::int32_t* marks, int thread_blocks,
                               cudaStream_t stream);
cudaError_t attend_marked_f16(const Parameters& p, const std::int32_t* marks, int thread_blocks,
                              cudaStream_t stream);

}  // namespace lvsa::cuda::portable_blocks
