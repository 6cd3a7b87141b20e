#pragma once
// Block-sparse attention for sm_90a: a persistent block a multiprocessor, one warpgroup that loads
// and two that compute.

#include "cuda/attention/blocks_hopper/consumer.cuh"
#include "cuda/attention/blocks_hopper/kernels.hpp"
#include "cuda/attention/blocks_hopper/long_items.cuh"
#include "cuda/attention/blocks_hopper/parameters.hpp"
#include "cuda/attention/blocks_hopper/producer.cuh"

namespace lvsa::cuda::blocks {

// Registers a thread, in place of the 168 of the launch. Both splits were timed: with one row block
// an item the producer's work is short and 24 do, with two the walk along both lists wants 40.
template <bool kPaired>
struct Registers {
  static constexpr int kProducer = kPaired ? 40 : 24;
  static constexpr int kConsumer = kPaired ? 232 : 240;
};

template <typename Element, int kHeadDim, bool kPaired, bool kSkip>
__global__ void __launch_bounds__(hopper::kThreads, 1)
    attention(const __grid_constant__ Parameters p) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  extern __shared__ char dynamic_shared[];
  const int group = static_cast<int>(threadIdx.x) / 128;
  if (threadIdx.x == 0) SharedLayout<kHeadDim>(dynamic_shared).init_barriers(kPaired);
  __syncthreads();
  if (group == 0) {
    ptx::release_registers<Registers<kPaired>::kProducer>();
    if (threadIdx.x < 32) {
      Producer<kHeadDim, kPaired>(p, dynamic_shared, static_cast<int>(threadIdx.x)).run();
    }
  } else {
    ptx::acquire_registers<Registers<kPaired>::kConsumer>();
    Consumer<Element, kHeadDim, kPaired, kSkip>(p, dynamic_shared, group - 1,
                                                static_cast<int>(threadIdx.x) % 128)
        .run();
  }
#endif
}

template <typename Element, int kHeadDim>
const void* function(bool paired, bool skip) {
  if (paired) {
    return skip ? reinterpret_cast<const void*>(&attention<Element, kHeadDim, true, true>)
                : reinterpret_cast<const void*>(&attention<Element, kHeadDim, true, false>);
  }
  return skip ? reinterpret_cast<const void*>(&attention<Element, kHeadDim, false, true>)
              : reinterpret_cast<const void*>(&attention<Element, kHeadDim, false, false>);
}

}  // namespace lvsa::cuda::blocks
