#pragma once
// Tensor maps of the Hopper kernel.

#include <cuda.h>

#include <cstdint>
#include <string>

#include "core/kernel/lvsa_kernel.h"

namespace lvsa::cuda {

/// A tensor of five dimensions, the fastest first and dense.
struct TensorMapShape {
  const void* data;
  lvsa_dtype dtype;         ///< bf16, fp16 or e4m3
  std::uint64_t sizes[5];   ///< elements
  std::int64_t strides[5];  ///< elements; strides[0] is 1
  std::uint32_t box_rows;   ///< a box is 128 bytes of dimension 0 by so many of dimension 1
};

/// Builds the map, rows of a box swizzled over 128 bytes, elements outside read as zero. Returns an
/// empty text, or why it could not. Found at run time: the driver's library is not linked, so that
/// this links and loads where there is none.
std::string make_tensor_map(const TensorMapShape& shape, CUtensorMap* map);

}  // namespace lvsa::cuda
