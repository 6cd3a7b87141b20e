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

template <>
struct WgmmaShared<144, __nv_bfloat16> {
  static __device__ __forceinline__ void run(float (&d)[72], std::uint64_t a, std::uint64_t b,
                                             int accumulate) {
    asm volatile(
        "{.reg .pred p; setp.ne.b32 p, %74, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n144k16.f32.bf16.bf16 {" LVSA_WGMMA_G0 "," LVSA_WGMMA_G1
        "," LVSA_WGMMA_G2 "," LVSA_WGMMA_G3 "," LVSA_WGMMA_G4 "," LVSA_WGMMA_G5 "," LVSA_WGMMA_G6
        "," LVSA_WGMMA_G7 "," LVSA_WGMMA_G8 "}, %72, %73, p, 1, 1, 0, 0;}"
        : LVSA_WGMMA_D(d, 0), LVSA_WGMMA_D(d, 1), LVSA_WGMMA_D(d, 2), LVSA_WGMMA_D(d, 3),
          LVSA_WGMMA_D(d, 4), LVSA_WGMMA_D(d, 5), LVSA_WGMMA_D(d, 6), LVSA_WGMMA_D(d, 7),
          LVSA_WGMMA_D(d, 8)
        : "l"(a), "l"(b), "r"(accumulate));
  }
};

template <>
struct WgmmaShared<144, __half> {
  static __device__ __forceinline__ void run(float (&d)[72], std::uint64_t a, std::uint64_t b,
                                             int accumulate) {
    asm volatile(
        "{.reg .pred p; setp.ne.b32 p, %74, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n144k16.f32.f16.f16 {" LVSA_WGMMA_G0 "," LVSA_WGMMA_G1
        "," LVSA_WGMMA_G2 "," LVSA_WGMMA_G3 "," LVSA_WGMMA_G4 "," LVSA_WGMMA_G5 "," LVSA_WGMMA_G6
        "," LVSA_WGMMA_G7 "," LVSA_WGMMA_G8 "}, %72, %73, p, 1, 1, 0, 0;}"
        : LVSA_WGMMA_D(d, 0), LVSA_WGMMA_D(d, 1), LVSA_WGMMA_D(d, 2), LVSA_WGMMA_D(d, 3),
          LVSA_WGMMA_D(d, 4), LVSA_WGMMA_D(d, 5), LVSA_WGMMA_D(d, 6), LVSA_WGMMA_D(d, 7),
          LVSA_WGMMA_D(d, 8)
        : "l"(a), "l"(b), "r"(accumulate));
  }
};

template <>
struct WgmmaShared<160, __nv_bfloat16> {
  static __device__ __forceinline__ void run(float (&d)[80], std::uint64_t a, std::uint64_t b,
                                             int accumulate) {
    asm volatile(
        "{.reg .pred p; setp.ne.b32 p, %82, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n160k16.f32.bf16.bf16 {" LVSA_WGMMA_G0 "," LVSA_WGMMA_G1
        "," LVSA_WGMMA_G2 "," LVSA_WGMMA_G3 "," LVSA_WGMMA_G4 "," LVSA_WGMMA_G5 "," LVSA_WGMMA_G6
        "," LVSA_WGMMA_G7 "," LVSA_WGMMA_G8 "," LVSA_WGMMA_G9 "}, %80, %81, p, 1, 1, 0, 0;}"
        : LVSA_WGMMA_D(d, 0), LVSA_WGMMA_D(d, 1), LVSA_WGMMA_D(d, 2), LVSA_WGMMA_D(d, 3),
          LVSA_WGMMA_D(d, 4), LVSA_WGMMA_D(d, 5), LVSA_WGMMA_D(d, 6), LVSA_WGMMA_D(d, 7),
          LVSA_WGMMA_D(d, 8), LVSA_WGMMA_D(d, 9)
        : "l"(a), "l"(b), "r"(accumulate));
  }
};

template <>
struct WgmmaShared<160, __half> {
  static __device__ __forceinline__ void run(float (&d)[80], std::uint64_t a, std::uint64_t b,
                                             int accumulate) {
    asm volatile(
        "{.reg .pred p; setp.ne.b32 p, %82, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n160k16.f32.f16.f16 {" LVSA_WGMMA_G0 "," LVSA_WGMMA_G1
        "," LVSA_WGMMA_G2 "," LVSA_WGMMA_G3 "," LVSA_WGMMA_G4 "," LVSA_WGMMA_G5 "," LVSA_WGMMA_G6
        "," LVSA_WGMMA_G7 "," LVSA_WGMMA_G8 "," LVSA_WGMMA_G9 "}, %80, %81, p, 1, 1, 0, 0;}"
        : LVSA_WGMMA_D(d, 0), LVSA_WGMMA_D(d, 1), LVSA_WGMMA_D(d, 2), LVSA_WGMMA_D(d, 3),
          LVSA_WGMMA_D(d, 4), LVSA_WGMMA_D(d, 5), LVSA_WGMMA_D(d, 6), LVSA_WGMMA_D(d, 7),
          LVSA_WGMMA_D(d, 8), LVSA_WGMMA_D(d, 9)
        : "l"(a), "l"(b), "r"(accumulate));
  }
};

template <>
struct WgmmaShared<176, __nv_bfloat16> {
  static __device__ __forceinline__ void run(float (&d)[88], std::uint64_t a, std::uint64_t b,
                                             int accumulate) {
    asm volatile(
        "{.reg .pred p; setp.ne.b32 p, %90, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n176k16.f32.bf16.bf16 {" LVSA_WGMMA_G0 "," LVSA_WGMMA_G1
        "," LVSA_WGMMA_G2 "," LVSA_WGMMA_G3 "," LVSA_WGMMA_G4 "," LVSA_WGMMA_G5 "," LVSA_WGMMA_G6
        "," LVSA_WGMMA_G7 "," LVSA_WGMMA_G8 "," LVSA_WGMMA_G9 "," LVSA_WGMMA_G10
        "}, %88, %89, p, 1, 1, 0, 0;}"
        : LVSA_WGMMA_D(d, 0), LVSA_WGMMA_D(d, 1), LVSA_WGMMA_D(d, 2), LVSA_WGMMA_D(d, 3),
          LVSA_WGMMA_D(d, 4), LVSA_WGMMA_D(d, 5), LVSA_WGMMA_D(d, 6), LVSA_WGMMA_D(d, 7),
          LVSA_WGMMA_D(d, 8), LVSA_WGMMA_D(d, 9), LVSA_WGMMA_D(d, 10)
        : "l"(a), "l"(b), "r"(accumulate));
  }
};

template <>
struct WgmmaShared<176, __half> {
  static __device__ __forceinline__ void run(float (&d)[88], std::uint64_t a, std::uint64_t b,
                                             int accumulate) {
    asm volatile(
        "{.reg .pred p; setp.ne.b32 p, %90, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n176k16.f32.f16.f16 {" LVSA_WGMMA_G0 "," LVSA_WGMMA_G1
        "," LVSA_WGMMA_G2 "," LVSA_WGMMA_G3 "," LVSA_WGMMA_G4 "," LVSA_WGMMA_G5 "," LVSA_WGMMA_G6
        "," LVSA_WGMMA_G7 "," LVSA_WGMMA_G8 "," LVSA_WGMMA_G9 "," LVSA_WGMMA_G10
        "}, %88, %89, p, 1, 1, 0, 0;}"
        : LVSA_WGMMA_D(d, 0), LVSA_WGMMA_D(d, 1), LVSA_WGMMA_D(d, 2), LVSA_WGMMA_D(d, 3),
          LVSA_WGMMA_D(d, 4), LVSA_WGMMA_D(d, 5), LVSA_WGMMA_D(d, 6), LVSA_WGMMA_D(d, 7),
          LVSA_WGMMA_D(d, 8), LVSA_WGMMA_D(d, 9), LVSA_WGMMA_D(d, 10)
        : "l"(a), "l"(b), "r"(accumulate));
  }
};

template <>
struct WgmmaRegisters<64, __nv_bfloat16> {
  static __device__ __forceinline__ void run(float (&d)[32], const std::uint32_t* a,
                                             std::uint64_t b, int accumulate) {
    asm volatile(
        "{.reg .pred p; setp.ne.b32 p, %37, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {" LVSA_WGMMA_G0 "," LVSA_WGMMA_G1
        "," LVSA_WGMMA_G2 "," LVSA_WGMMA_G3 "}, {%32,%33,%34,%35}, %36, p, 1, 1, 1;}"
        : LVSA_WGMMA_D(d, 0), LVSA_WGMMA_D(d, 1), LVSA_WGMMA_D(d, 2), LVSA_WGMMA_D(d, 3)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(accumulate));
  }
};

template <>
struct WgmmaRegisters<64, __half> {
  static __device__ __forceinline__ void run(float (&d)[32], const std::uint32_t* a,
                                             std::uint64_t b, int accumulate) {
    asm volatile(
        "{.reg .pred p; setp.ne.b32 p, %37, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16 {" LVSA_WGMMA_G0 "," LVSA_WGMMA_G1
        "," LVSA_WGMMA_G2 "," LVSA_WGMMA_G3 "}, {%32,%33,%34,%35}, %36, p, 1, 1, 1;}"
        : LVSA_WGMMA_D(d, 0), LVSA_WGMMA_D(d, 1), LVSA_WGMMA_D(d, 2), LVSA_WGMMA_D(d, 3)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(accumulate));
  }
};

template <>
struct WgmmaRegisters<128, __nv_bfloat16> {
  static __device__ __forceinline__ void run(float (&d)[64], const std::uint32_t* a,
                                             std::uint64_t b, int accumulate) {
    asm volatile(
        "{.reg .pred p; setp.ne.b32 p, %69, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" LVSA_WGMMA_G0 "," LVSA_WGMMA_G1
        "," LVSA_WGMMA_G2 "," LVSA_WGMMA_G3 "," LVSA_WGMMA_G4 "," LVSA_WGMMA_G5 "," LVSA_WGMMA_G6
        "," LVSA_WGMMA_G7 "}, {%64,%65,%66,%67}, %68, p, 1, 1, 1;}"
        : LVSA_WGMMA_D(d, 0), LVSA_WGMMA_D(d, 1), LVSA_WGMMA_D(d, 2), LVSA_WGMMA_D(d, 3),
          LVSA_WGMMA_D(d, 4), LVSA_WGMMA_D(d, 5), LVSA_WGMMA_D(d, 6), LVSA_WGMMA_D(d, 7)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(accumulate));
  }
};

template <>
struct WgmmaRegisters<128, __half> {
  static __device__ __forceinline__ void run(float (&d)[64], const std::uint32_t* a,
                                             std::uint64_t b, int accumulate) {
    asm volatile(
        "{.reg .pred p; setp.ne.b32 p, %69, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 {" LVSA_WGMMA_G0 "," LVSA_WGMMA_G1
        "," LVSA_WGMMA_G2 "," LVSA_WGMMA_G3 "," LVSA_WGMMA_G4 "," LVSA_WGMMA_G5 "," LVSA_WGMMA_G6
        "," LVSA_WGMMA_G7 "}, {%64,%65,%66,%67}, %68, p, 1, 1, 1;}"
        : LVSA_WGMMA_D(d, 0), LVSA_WGMMA_D(d, 1), LVSA_WGMMA_D(d, 2), LVSA_WGMMA_D(d, 3),
          LVSA_WGMMA_D(d, 4), LVSA_WGMMA_D(d, 5), LVSA_WGMMA_D(d, 6), LVSA_WGMMA_D(d, 7)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(accumulate));
  }
};

}  // namespace lvsa::cuda::ptx
