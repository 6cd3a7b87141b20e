#pragma once
// wgmma on e4m3: 64 x 128 accumulators in fp32, 32 columns of K a step. sm_90a only. Accumulators
// lie in registers as wgmma.cuh says. Operands are K-major only.

#include <cstdint>

#include "cuda/ptx/wgmma.cuh"
#include "cuda/ptx/wgmma_registers.cuh"

namespace lvsa::cuda::ptx {

/// Descriptor of an operand without swizzle: 8 rows of 16 bytes are 128 bytes in one piece;
/// `row_bytes` is the way from 8 rows to the next 8, `column_bytes` from 16 columns to the next.
__device__ __forceinline__ std::uint64_t plain_operand(std::uint32_t address,
                                                       std::uint32_t column_bytes,
                                                       std::uint32_t row_bytes) {
  return std::uint64_t{row_bytes >> 4} << 32 | std::uint64_t{column_bytes >> 4} << 16 |
         ((address >> 4) & 0x3fff);
}

/// d = or += a (64 x 32, shared memory) * b (32 x 128, shared memory).
__device__ __forceinline__ void wgmma_e4m3_shared(float (&d)[64], std::uint64_t a, std::uint64_t b,
                                                  int accumulate) {
  asm volatile(
      "{.reg .pred p; setp.ne.b32 p, %66, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n128k32.f32.e4m3.e4m3 {" LVSA_WGMMA_ALL_64
      "}, %64, %65, p, 1, 1;}"
      : LVSA_WGMMA_OUT_64(d)
      : "l"(a), "l"(b), "r"(accumulate));
}

/// The same with a in registers: words 0 and 2 are columns 4q .. and 16 + 4q .. of row r, words 1
/// and 3 the same of row r + 8.
__device__ __forceinline__ void wgmma_e4m3_registers(float (&d)[64], const std::uint32_t* a,
                                                     std::uint64_t b, int accumulate) {
  asm volatile(
      "{.reg .pred p; setp.ne.b32 p, %69, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n128k32.f32.e4m3.e4m3 {" LVSA_WGMMA_ALL_64
      "}, {%64,%65,%66,%67}, %68, p, 1, 1;}"
      : LVSA_WGMMA_OUT_64(d)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(accumulate));
}

}  // namespace lvsa::cuda::ptx
