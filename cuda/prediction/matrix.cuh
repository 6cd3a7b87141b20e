#pragma once
// Products of small matrices in fp64, a warp together.

namespace lvsa::cuda::prediction {

/// d += a b for a of 8 x 4 and b of 4 x 8: a lane has a[lane / 4][lane % 4], b[lane % 4][lane / 4]
/// and of d the two at [lane / 4][lane % 4 * 2]. Fused operations, rounded to nearest, in an order
/// that nothing says.
__device__ __forceinline__ void multiply_add_8x8x4(double (&d)[2], double a, double b) {
#if defined(__CUDACC__)
  asm("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0, %1}, {%2}, {%3}, {%0, %1};"
      : "+d"(d[0]), "+d"(d[1])
      : "d"(a), "d"(b));
#else
  simt::multiply_add_8x8x4(d, a, b);
#endif
}

}  // namespace lvsa::cuda::prediction
