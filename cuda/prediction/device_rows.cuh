#pragma once
// Rows of q and k on the device, and sums over a block of threads.

#include <cstdint>

#include "cuda/prediction/arithmetic.hpp"
#include "cuda/prediction/parameters.hpp"

// Where kernels run on the CPU this is something else.
#if !defined(LVSA_DYNAMIC_SHARED)
#define LVSA_DYNAMIC_SHARED(name) extern __shared__ __align__(16) char name[]
#endif

namespace lvsa::cuda::prediction {

/// Eight elements of a row.
struct Chunk {
  std::uint32_t words[4];
};

__device__ __forceinline__ Chunk load_chunk(const std::uint16_t* at) {
  const uint4 v = *reinterpret_cast<const uint4*>(at);
  return {{v.x, v.y, v.z, v.w}};
}

/// First element of token 0 of head `bh` = b * heads + h.
__device__ __forceinline__ const std::uint16_t* head_rows(const Rows& x, int heads,
                                                          std::int64_t bh) {
  return x.data + bh / heads * x.strides[0] + bh % heads * x.strides[2];
}

/// The larger of each half.
__device__ __forceinline__ std::uint32_t larger_halves(std::uint32_t a, std::uint32_t b) {
  return __vmaxu2(a, b);
}

/// One element, centred where `centre` is not null.
template <typename Type>
__device__ __forceinline__ float element_of(const std::uint16_t* row, int d, const float* centre) {
  std::uint32_t word = row[d];
  if (centre != nullptr) word = centred<Type>(word, centre[d], 0.0F);
  return Type::low(word);
}

}  // namespace lvsa::cuda::prediction
