// LVSA attention on e4m3 tensors for sm_90a: a persistent block a multiprocessor, one warpgroup
// that loads and three that compute.

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "cuda/attention/fp8/consumer.cuh"
#include "cuda/attention/fp8/kernels.hpp"
#include "cuda/attention/fp8/producer.cuh"

namespace lvsa::cuda::fp8 {
namespace {

template <typename Output>
__global__ void __launch_bounds__(kThreads, 1) attention(const __grid_constant__ Parameters p) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  extern __shared__ char dynamic_shared[];
  // The same in all lanes, said so that the compiler keeps it in a uniform register.
  const int group = __shfl_sync(0xffffffffu, static_cast<int>(threadIdx.x) / 128, 0);
  if (threadIdx.x == 0) SharedLayout(dynamic_shared).init_barriers();
  __syncthreads();
  if (group == 0) {
    ptx::release_registers<32>();  // of the 168 of the launch; see hopper/kernel.cuh
    if (threadIdx.x < 32) Producer(p, dynamic_shared, static_cast<int>(threadIdx.x)).run();
  } else {
    ptx::acquire_registers<160>();
    Consumer<Output>(p, dynamic_shared, group - 1, static_cast<int>(threadIdx.x) % 128).run();
  }
#endif
}

}  // namespace

const void* attention_function(lvsa_dtype out_dtype) {
  if (out_dtype == LVSA_BF16) return reinterpret_cast<const void*>(&attention<__nv_bfloat16>);
  if (out_dtype == LVSA_F16) return reinterpret_cast<const void*>(&attention<__half>);
  return nullptr;
}

}  // namespace lvsa::cuda::fp8
