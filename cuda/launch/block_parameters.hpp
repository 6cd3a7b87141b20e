#pragma once
// What the kernels of cuda/attention/blocks are told of a BlockWork.

#include "cuda/attention/blocks/parameters.hpp"
#include "cuda/launch/block_attention.hpp"

namespace lvsa::cuda {

portable_blocks::Parameters block_parameters(const BlockWork& work);

}  // namespace lvsa::cuda
