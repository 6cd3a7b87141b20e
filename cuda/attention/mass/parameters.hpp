#pragma once
// What the frame-mass kernels are given. Filled by the host side in cuda/launch/frame_mass.cpp.

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <cstdint>

#include "core/kernel/lvsa_kernel.h"
#include "cuda/attention/hopper/parameters.hpp"

namespace lvsa::cuda::mass {

inline constexpr int kKeyTile = 176;
inline constexpr int kStages = 3;
inline constexpr int kConsumerWarps = 8;

struct Parameters : hopper::WorkParameters {
  CUtensorMap query;  ///< as in hopper::Parameters
  CUtensorMap key;
  CUtensorMap text_query;
  CUtensorMap text_key;
  int frame_tiles;
  int frame_tail;
  int text_tiles;
  int text_tail;
  int groups;  ///< frames, and one more for the text where there is some

  /// log2 of each row's sum over each group: [block of the grid][groups][128 rows].
  float* row_sums;
  /// Masses summed over the rows of a warp: [item][warp][groups].
  float* partial;
};

/// What the last step reads: partial masses become means over a group's rows.
struct Means {
  const float* partial;
  float* mass;  ///< [batch, heads, groups, groups]
  std::int64_t batch_heads;
  std::int64_t text_items;
  std::int64_t head_items;
  int text_tiles;   ///< query tiles of the text
  int frame_tiles;  ///< query tiles of a frame
  int frames;
  int groups;
  float patches;
  float text;
};

template <int kHeadDim>
constexpr int shared_bytes() {
  return 1024 + 2 * kHeadDim * (hopper::kQueryTile + kStages * kKeyTile) + 256;
}

/// The kernel for inputs of this type and head size; null: there is none.
const void* mass_function(lvsa_dtype dtype, std::int64_t head_dim);

cudaError_t take_means(const Means& means, cudaStream_t stream);

}  // namespace lvsa::cuda::mass
