#pragma once
// The host's maps, masks, orders and thresholds in a kernel's workspace on the device.

#include <cuda_runtime_api.h>

#include <cstddef>

#include "core/blocks/lvsa_blocks.h"
#include "cuda/attention/blocks/device_maps.hpp"
#include "cuda/launch/problem_check.hpp"

namespace lvsa::cuda {

/// Bytes of device memory that the arrays of a problem with checked sizes take, a multiple of 128.
std::size_t block_arrays_bytes(const lvsa_block_problem& problem);

/// Queues the copy of all arrays to `to` (device memory, aligned to 128) and says where they lie.
/// The caller's own may change or go after the call. Refuses a stream that is being captured: the
/// graph would read the host's arrays again.
Verdict copy_block_arrays(const lvsa_block_problem& problem, char* to, cudaStream_t stream,
                          blocks::DeviceMaps* maps);

}  // namespace lvsa::cuda
