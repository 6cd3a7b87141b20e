#pragma once
// wgmma: products of a warpgroup, accumulators in registers. sm_90a only.
//
// An accumulator of 64 x N holds N / 2 registers a thread: for each 8 columns g, elements 4g and
// 4g + 1 are row r, columns 8g + 2q and the next, 4g + 2 and 4g + 3 the same of row r + 8, where
// r = 16 * warp + lane / 4 and q = lane % 4.

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

#include "cuda/ptx/wgmma_registers.cuh"

namespace lvsa::cuda::ptx {

/// Descriptor of an operand in shared memory with the 128-byte swizzle, whose rows of 128 bytes
/// follow each other, eight to 1024 bytes. `leading_bytes` is the way from one 64 columns to the
/// next where columns are the M or N dimension; where they are K it is not read.
__device__ __forceinline__ std::uint64_t swizzled_operand(std::uint32_t address,
                                                          std::uint32_t leading_bytes) {
  constexpr std::uint64_t kSwizzle128 = std::uint64_t{1} << 62;
  constexpr std::uint64_t kEightRows = std::uint64_t{1024 >> 4} << 32;
  return kSwizzle128 | kEightRows | (std::uint64_t{(leading_bytes >> 4) & 0x3fff} << 16) |
         ((address >> 4) & 0x3fff);
}

/// Orders register writes before the next products.
__device__ __forceinline__ void wgmma_fence() {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

__device__ __forceinline__ void wgmma_commit() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

/// Waits until at most kPending groups of products are under way.
template <int kPending>
__device__ __forceinline__ void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}

/// Keeps the compiler from moving accesses to these registers across this point: it does not know
/// that products write and read them until they are waited for.
template <int kCount>
__device__ __forceinline__ void keep_registers(float (&r)[kCount]) {
#pragma unroll
  for (int i = 0; i < kCount; ++i) asm volatile("" : "+f"(r[i])::"memory");
}

template <int kCount>
__device__ __forceinline__ void keep_registers(std::uint32_t (&r)[kCount]) {
#pragma unroll
  for (int i = 0; i < kCount; ++i) asm volatile("" : "+r"(r[i])::"memory");
}

/// d (64 x kN) = or += a (64 x 16, shared memory, K-major) * b (16 x kN, shared memory, K-major).
template <int kN, typename Element>
struct WgmmaShared;

/// d (64 x kN) = or += a (64 x 16, registers) * b (16 x kN, shared memory, N-major).
template <int kN, typename Element>
struct WgmmaRegisters;

// Of COUNT accumulators a thread; A, B and P are the numbers of the operands behind them, which the
// text of the instruction names.
#define LVSA_WGMMA_SHARED(N, COUNT, ELEMENT, TYPE, A, B, P)                           \
  template <>                                                                         \
  struct WgmmaShared<N, ELEMENT> {                                                    \
    static __device__ __forceinline__ void run(float (&d)[COUNT], std::uint64_t a,    \
                                               std::uint64_t b, int accumulate) {     \
      asm volatile("{.reg .pred p; setp.ne.b32 p, %" #P                               \
                   ", 0;\n"                                                           \
                   "wgmma.mma_async.sync.aligned.m64n" #N "k16.f32." TYPE "." TYPE    \
                   " {" LVSA_WGMMA_ALL_##COUNT "}, %" #A ", %" #B ", p, 1, 1, 0, 0;}" \
                   : LVSA_WGMMA_OUT_##COUNT(d)                                        \
                   : "l"(a), "l"(b), "r"(accumulate));                                \
    }                                                                                 \
  };
#define LVSA_WGMMA_REGISTERS(N, COUNT, ELEMENT, TYPE, A0, A1, A2, A3, B, P)                     \
  template <>                                                                                   \
  struct WgmmaRegisters<N, ELEMENT> {                                                           \
    static __device__ __forceinline__ void run(float (&d)[COUNT], const std::uint32_t* a,       \
                                               std::uint64_t b, int accumulate) {               \
      asm volatile("{.reg .pred p; setp.ne.b32 p, %" #P                                         \
                   ", 0;\n"                                                                     \
                   "wgmma.mma_async.sync.aligned.m64n" #N "k16.f32." TYPE "." TYPE              \
                   " {" LVSA_WGMMA_ALL_##COUNT "}, {%" #A0 ",%" #A1 ",%" #A2 ",%" #A3 "}, %" #B \
                                               ", p, 1, 1, 1;}"                                 \
                   : LVSA_WGMMA_OUT_##COUNT(d)                                                  \
                   : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(accumulate));      \
    }                                                                                           \
  };
#define LVSA_WGMMA_BOTH_TYPES(DEFINE, N, COUNT, ...)   \
  DEFINE(N, COUNT, __nv_bfloat16, "bf16", __VA_ARGS__) \
  DEFINE(N, COUNT, __half, "f16", __VA_ARGS__)

LVSA_WGMMA_BOTH_TYPES(LVSA_WGMMA_SHARED, 128, 64, 64, 65, 66)
LVSA_WGMMA_BOTH_TYPES(LVSA_WGMMA_SHARED, 144, 72, 72, 73, 74)
LVSA_WGMMA_BOTH_TYPES(LVSA_WGMMA_SHARED, 160, 80, 80, 81, 82)
LVSA_WGMMA_BOTH_TYPES(LVSA_WGMMA_SHARED, 176, 88, 88, 89, 90)
LVSA_WGMMA_BOTH_TYPES(LVSA_WGMMA_REGISTERS, 64, 32, 32, 33, 34, 35, 36, 37)
LVSA_WGMMA_BOTH_TYPES(LVSA_WGMMA_REGISTERS, 128, 64, 64, 65, 66, 67, 68, 69)

#undef LVSA_WGMMA_SHARED
#undef LVSA_WGMMA_REGISTERS
#undef LVSA_WGMMA_BOTH_TYPES

}  // namespace lvsa::cuda::ptx
