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

/// head_dim is at most kMostHeadDim.
struct Parameters : portable::Tensors {
  std::int64_t query_tokens;  ///< the length of an order
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
