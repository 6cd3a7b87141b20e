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

inline constexpr unsigned kAllLanes = 0xffffffffU;

/// Eight elements of a row.
struct Chunk {
  std::uint32_t words[4];
};

__device__ __forceinline__ Chunk load_chunk(const std::uint16_t* at) {
  const uint4 v = *reinterpret_cast<const uint4*>(at);
  return {{v.x, v.y, v.z, v.w}};
}
/// The same of what is not read again soon.
__device__ __forceinline__ Chunk load_chunk_once(const std::uint16_t* at) {
  const uint4 v = __ldcs(reinterpret_cast<const uint4*>(at));
  return {{v.x, v.y, v.z, v.w}};
}

/// First element of token 0 of head `bh` = b * heads + h.
__device__ __forceinline__ const std::uint16_t* head_rows(const Rows& x, int heads,
                                                          std::int64_t bh) {
  return x.data + bh / heads * x.strides[0] + bh % heads * x.strides[2];
}

/// A head and a part of its tokens.
struct HeadPart {
  std::int64_t bh;  ///< batch * heads + head
  unsigned batch;
  unsigned head;
  int part;
};
/// Number `index` of all, fewer than 2^31, heads first: what runs at a time then reads rows of all
/// heads, which lie side by side where q and k are [B, S, H, D].
__device__ __forceinline__ HeadPart head_part(unsigned index, int heads, int parts) {
  const unsigned rest = index / static_cast<unsigned>(heads);
  const unsigned head = index - rest * static_cast<unsigned>(heads);
  const unsigned batch = rest / static_cast<unsigned>(parts);
  return {std::int64_t{batch} * heads + head, batch, head,
          static_cast<int>(rest - batch * static_cast<unsigned>(parts))};
}

/// First element of token 0 of that head.
__device__ __forceinline__ const std::uint16_t* head_rows(const Rows& x, const HeadPart& at) {
  return x.data + at.batch * x.strides[0] + at.head * x.strides[2];
}

/// The larger of each half.
__device__ __forceinline__ std::uint32_t larger_halves(std::uint32_t a, std::uint32_t b) {
  return __vmaxu2(a, b);
}

__device__ __forceinline__ std::uint32_t largest_halves(std::uint32_t a, std::uint32_t b,
                                                        std::uint32_t c) {
  return __vimax3_u16x2(a, b, c);
}

/// The smaller of each half of `least` and of `sizes` less 1, so that 0 is the largest.
__device__ __forceinline__ std::uint32_t smaller_less_1(std::uint32_t least, std::uint32_t sizes) {
  return __viaddmin_u16x2(sizes, 0xffffffffU, least);
}

/// One element, centred where `centre` is not null.
template <typename Type>
__device__ __forceinline__ float element_of(const std::uint16_t* row, int d, const float* centre) {
  std::uint32_t word = row[d];
  if (centre != nullptr) word = centred<Type>(word, centre[d], 0.0F);
  return Type::low(word);
}

}  // namespace lvsa::cuda::prediction
