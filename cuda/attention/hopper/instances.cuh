#pragma once
// Instances of one head size; each head size has a file of its own, so that they compile side by
// side.

#include "cuda/attention/hopper/kernel.cuh"
#include "cuda/attention/hopper/kernels.hpp"

namespace lvsa::cuda::hopper {

template <typename Element, int kHeadDim, int kKeyTile>
Instance instance() {
  return {reinterpret_cast<const void*>(&attention<Element, kHeadDim, kKeyTile>),
          shared_bytes<kHeadDim, kKeyTile>()};
}

template <typename Element, int kHeadDim>
Instance instance(int key_tile) {
  switch (key_tile) {
    case 144:
      return instance<Element, kHeadDim, 144>();
    case 160:
      return instance<Element, kHeadDim, 160>();
    case 176:
      return instance<Element, kHeadDim, 176>();
    default:
      return {};
  }
}

template <int kHeadDim>
Instance instance(lvsa_dtype dtype, int key_tile) {
  if (dtype == LVSA_BF16) return instance<__nv_bfloat16, kHeadDim>(key_tile);
  if (dtype == LVSA_F16) return instance<__half, kHeadDim>(key_tile);
  return {};
}

}  // namespace lvsa::cuda::hopper
