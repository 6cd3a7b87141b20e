#pragma once
// Host side of the Hopper attention kernel: a plan once per problem, then runs that neither
// allocate nor synchronise and may be captured into a CUDA graph.

#include <cuda_runtime_api.h>

#include <cstdint>
#include <string>

#include "core/kernel/lvsa_kernel.h"
#include "cuda/attention/hopper/parameters.hpp"

namespace lvsa::cuda {

/// The pattern on the device; it may be rewritten between runs, its sizes are not part of the plan.
/// Frame f attends list[offsets[f]] .. list[offsets[f + 1] - 1], ascending, unique, 0 .. T - 1:
/// this is not checked.
struct DeviceFrameLists {
  const void* offsets = nullptr;  ///< [T + 1], int64 or int32
  bool offsets_64 = true;
  const std::int32_t* list = nullptr;
};

struct HopperPlan {
  hopper::Parameters parameters{};
  const void* kernel = nullptr;
  int blocks = 0;
  int shared_bytes = 0;
  int key_tile = 0;
};

/// A status other than LVSA_OK comes with one line for people.
struct HopperResult {
  lvsa_status status = LVSA_OK;
  std::string message;
  bool ok() const { return status == LVSA_OK; }
};

/// Keys a tile for frames of so many tokens.
int hopper_key_tile(std::int64_t patches_per_frame);

/// Checks sizes, types, pointers and strides of the problem; looks at no device. The frame lists
/// and the workspace are not part of it.
HopperResult hopper_check(const lvsa_problem& problem);

/// Makes the plan for the current device. The problem's own (host) lists are not read. `next_item`
/// is one int of device memory that only runs of this plan use, one run at a time.
HopperResult hopper_plan(const lvsa_problem& problem, const DeviceFrameLists& lists, int* next_item,
                         HopperPlan* plan);

/// Queues the work on the stream.
HopperResult hopper_run(const HopperPlan& plan, cudaStream_t stream);

}  // namespace lvsa::cuda
