#pragma once
// LVSA attention for sm_90a: a persistent block a multiprocessor, one warpgroup that loads and two
// that compute.

#include "cuda/attention/hopper/consumer.cuh"
#include "cuda/attention/hopper/parameters.hpp"
#include "cuda/attention/hopper/producer.cuh"

namespace lvsa::cuda::hopper {

// Registers a thread, in place of the 168 of the launch. More than 3 x 168 in all would never be
// granted: the block owns what it was launched with, not the multiprocessor's 65,536. Both splits
// were timed: the widest tile needs the 240, the others are 2 % faster with a producer that spills
// less.
template <int kKeyTile>
struct Registers {
  static constexpr int kProducer = kKeyTile > 160 ? 24 : 40;
  static constexpr int kConsumer = kKeyTile > 160 ? 240 : 232;
  static_assert(kProducer + 2 * kConsumer <= 3 * 168);
};

template <typename Element, int kHeadDim, int kKeyTile>
__global__ void __launch_bounds__(kThreads, 1) attention(const __grid_constant__ Parameters p) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  extern __shared__ char dynamic_shared[];
  const int group = static_cast<int>(threadIdx.x) / 128;
  if (threadIdx.x == 0) SharedLayout<kHeadDim, kKeyTile>(dynamic_shared).init_barriers();
  __syncthreads();
  if (group == 0) {
    ptx::release_registers<Registers<kKeyTile>::kProducer>();
    if (threadIdx.x < 32) {
      Producer<kHeadDim, kKeyTile>(p, dynamic_shared, static_cast<int>(threadIdx.x)).run();
    }
  } else {
    ptx::acquire_registers<Registers<kKeyTile>::kConsumer>();
    Consumer<Element, kHeadDim, kKeyTile>(p, dynamic_shared, group - 1,
                                          static_cast<int>(threadIdx.x) % 128)
        .run();
  }
#endif
}

}  // namespace lvsa::cuda::hopper
