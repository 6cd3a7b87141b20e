#pragma once
// The host's frame lists in a kernel's workspace on the device.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "cuda/launch/problem_check.hpp"

namespace lvsa::cuda {

/// What run() finds there: offsets and list.
struct ListsOnDevice {
  const std::int64_t* offsets;
  const std::int32_t* list;
};

/// Bytes that the lists take, or LVSA_INVALID as status when their sizes cannot be.
lvsa_status list_bytes(const lvsa_problem* problem, std::size_t* bytes);

/// Refuses a stream that is being captured: a graph would read the host's arrays again.
Verdict check_stream(cudaStream_t stream);

/// Refuses a workspace that is null, smaller than `due` bytes or not aligned to 8.
Verdict check_workspace(const void* workspace, std::size_t bytes, std::size_t due);

/// Queues one copy of offsets and list to `to`. The caller's own may change or go after the call.
/// Refuses a stream that is being captured: the graph would read the host's lists again.
Verdict copy_lists(const lvsa_problem& problem, char* to, cudaStream_t stream,
                   ListsOnDevice* lists);

}  // namespace lvsa::cuda
