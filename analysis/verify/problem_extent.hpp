#pragma once
// How much memory the pointers of a problem stand for.

#include <cstddef>
#include <cstdint>

#include "core/kernel/lvsa_kernel.h"
#include "core/tensor/tensor.hpp"

namespace lvsa::analysis {

/// Bytes from the first to the last element of `dimensions` dimensions, gaps between included;
/// strides in elements of `width` bytes. Throws Error(kValue) for a stride below 0.
std::size_t strided_extent(const std::int64_t* shape, const std::int64_t* strides, int dimensions,
                           std::size_t width);
/// Bytes from the first to the last element of a [B, S, heads, D] tensor, gaps between included.
/// Throws Error(kValue) for a stride below 0.
std::size_t tensor_extent(const lvsa_problem& problem, const lvsa_tensor& tensor,
                          std::int64_t heads, DType dtype);
/// The same of the log-sum-exp, [B, S, H].
std::size_t lse_extent(const lvsa_problem& problem);

}  // namespace lvsa::analysis
