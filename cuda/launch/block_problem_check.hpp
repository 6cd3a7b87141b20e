#pragma once
// What a block-sparse kernel of this library refuses, in one line each, before anything is queued.

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/blocks/lvsa_blocks.h"
#include "cuda/launch/problem_check.hpp"

namespace lvsa::cuda {

/// The problems that a kernel takes.
struct BlockRules {
  std::uint32_t dtypes;      ///< bits of the input types
  std::uint32_t out_dtypes;  ///< of the output types; bit LVSA_DTYPE_NONE: that of the inputs
  std::int64_t head_dim_multiple;
  std::int64_t head_dim_max;
  std::span<const std::int64_t[2]> block_sizes;  ///< (rows, columns); empty: all up to block_max
  std::int64_t block_max;
  bool copy_engine;  ///< strides positive and below 2^40 bytes, scale positive
  int device_least;  ///< compute capability, as 80 or 90
  int device_major;  ///< 0: any
};

/// Sizes, types, alignment and strides; not the arrays of maps, masks and orders. Asks no device.
Verdict check_block_shape(const lvsa_block_problem* problem, const BlockRules& rules);

/// The host's arrays of a problem whose shape is right: axes, maps, masks, orders, thresholds. Row
/// and column of what is wrong are named.
Verdict check_block_arrays(const lvsa_block_problem& problem);

/// The current device serves the rules and holds the tensors; tensors, log-sum-exp and workspace
/// lie in memory that it reaches.
Verdict check_block_device(const lvsa_block_problem& problem, const BlockRules& rules,
                           const void* workspace);

}  // namespace lvsa::cuda
