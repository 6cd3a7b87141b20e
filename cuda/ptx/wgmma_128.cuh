#pragma once
// wgmma with 128 columns, both operands in shared memory (wgmma.cuh has the layout).

#include "cuda/ptx/wgmma.cuh"

namespace lvsa::cuda::ptx {

template <>
struct WgmmaShared<128, __nv_bfloat16> {
  static __device__ __forceinline__ void run(float (&d)[64], std::uint64_t a, std::uint64_t b,
                                             int accumulate) {
    asm volatile(
        "{.reg .pred p; setp.ne.b32 p, %66, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" LVSA_WGMMA_ALL_64
        "}, %64, %65, p, 1, 1, 0, 0;}"
        : LVSA_WGMMA_OUT_64(d)
        : "l"(a), "l"(b), "r"(accumulate));
  }
};

template <>
struct WgmmaShared<128, __half> {
  static __device__ __forceinline__ void run(float (&d)[64], std::uint64_t a, std::uint64_t b,
                                             int accumulate) {
    asm volatile(
        "{.reg .pred p; setp.ne.b32 p, %66, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 {" LVSA_WGMMA_ALL_64
        "}, %64, %65, p, 1, 1, 0, 0;}"
        : LVSA_WGMMA_OUT_64(d)
        : "l"(a), "l"(b), "r"(accumulate));
  }
};

}  // namespace lvsa::cuda::ptx
