#pragma once
// Blocks of rows by their means, and what SpargeAttn knows of them beside: whether rows look alike.

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/blocks/block_axis.hpp"
#include "core/blocks/permutation.hpp"
#include "core/tensor/tensor.hpp"

namespace lvsa::sparse {

struct PooledBlocks {
  std::vector<double> means;    ///< [blocks][D], numbers of the tensor's type
  std::vector<float> likeness;  ///< [blocks] mean cosine of all pairs of rows, NaN where a row is 0
};

/// Mean of all rows of x [1, S, 1, D]: fp64 sum in ascending order, rounded to fp32, divided by S
/// in fp32, rounded to x's type.
std::vector<double> mean_row(const TensorView& x);

/// `centre`, where it is not empty, is taken off every row first, which is then rounded to x's
/// type. Sums in fp64 over ascending rows; a mean's sum is rounded to fp32, divided by the block's
/// rows in fp32 and rounded to x's type. likeness = |sum of the rows / their lengths|^2 / rows^2,
/// which is the mean of all <x_i, x_j>, in fp64, rounded to fp32.
PooledBlocks pool_blocks(const TensorView& x, const BlockAxis& axis,
                         const std::vector<double>& centre);

/// Mean rows [blocks][D] of the rows that `order` puts into each block, summed over ascending
/// places and rounded as above. Errors begin with `rule`.
std::vector<double> pooled_means(const TensorView& x, const BlockAxis& axis,
                                 const Permutation& order, std::string_view rule);

}  // namespace lvsa::sparse
