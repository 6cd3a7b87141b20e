#pragma once
// The block-sparse kernels of this library: what each takes, and who runs it.

#include <cstdint>

#include "core/blocks/lvsa_blocks.h"
#include "cuda/attention/blocks/parameters.hpp"
#include "cuda/launch/block_attention.hpp"
#include "cuda/launch/block_problem_check.hpp"

namespace lvsa::cuda {

inline constexpr std::int64_t kHopperBlocks[][2] = {{128, 64}, {64, 128}, {128, 128}};

struct HopperBlocks {
  static constexpr BlockRules kRules{
      .dtypes = LVSA_DTYPE_BIT(LVSA_BF16) | LVSA_DTYPE_BIT(LVSA_F16),
      .out_dtypes = LVSA_DTYPE_BIT(LVSA_DTYPE_NONE),
      .head_dim_multiple = 64,
      .head_dim_max = 128,
      .block_sizes = kHopperBlocks,
      .block_max = 128,
      .copy_engine = true,
      .device_least = 90,
      .device_major = 9,
  };
  static constexpr auto kScratch = hopper_blocks_scratch_bytes;
  static constexpr auto kRun = run_hopper_blocks;
  static constexpr std::int64_t kKeyTile = 128;
  static constexpr int kScoreStep = 16;
};

struct PortableBlocks {
  static constexpr BlockRules kRules{
      .dtypes = LVSA_DTYPE_BIT(LVSA_BF16) | LVSA_DTYPE_BIT(LVSA_F16),
      .out_dtypes = LVSA_DTYPE_BIT(LVSA_DTYPE_NONE) | LVSA_DTYPE_BIT(LVSA_F32),
      .head_dim_multiple = 8,
      .head_dim_max = portable_blocks::kMostHeadDim,
      .block_sizes = {},
      .block_max = portable_blocks::kMostBlock,
      .copy_engine = false,
      .device_least = 80,
      .device_major = 0,
  };
  static constexpr auto kScratch = portable_blocks_scratch_bytes;
  static constexpr auto kRun = run_portable_blocks;
  static constexpr std::int64_t kKeyTile = 64;
  static constexpr int kScoreStep = 8;
};

/// Shape and arrays of a problem for one of the two.
template <typename Kernel>
Verdict check_all(const lvsa_block_problem* problem) {
  Verdict verdict = check_block_shape(problem, Kernel::kRules);
  return verdict.ok() ? check_block_arrays(*problem) : verdict;
}

}  // namespace lvsa::cuda
