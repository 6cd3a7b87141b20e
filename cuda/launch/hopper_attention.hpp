#pragma once
// Host side of the Hopper attention kernel for 16-bit types: a plan once per problem, then runs
// that neither allocate nor synchronise and may be captured into a CUDA graph.

#include <cuda_runtime_api.h>

#include <cstdint>

#include "core/kernel/lvsa_kernel.h"
#include "cuda/attention/hopper/parameters.hpp"
#include "cuda/launch/hopper_work.hpp"
#include "cuda/launch/problem_check.hpp"

namespace lvsa::cuda {

struct HopperPlan {
  hopper::Parameters parameters{};
  const void* kernel = nullptr;
  std::size_t counter_bytes = 0;
  int blocks = 0;
  int shared_bytes = 0;
  int key_tile = 0;
};

/// Keys a tile for frames of so many tokens.
int hopper_key_tile(std::int64_t patches_per_frame);

const ProblemRules& hopper_rules();

/// Checks the problem and makes the plan for the current device. The problem's own (host) lists are
/// not read. `counters` is device memory (counter_bytes()) that only runs of this plan use, one run
/// at a time.
Verdict hopper_plan(const lvsa_problem& problem, const DeviceFrameLists& lists, int* counters,
                    HopperPlan* plan);

/// Queues the work on the stream.
Verdict hopper_run(const HopperPlan& plan, cudaStream_t stream);

/// Lets a kernel have its shared memory; `blocks` is one a multiprocessor, at most one an item.
Verdict prepare_launch(const void* kernel, int shared_bytes, std::int64_t items, int* blocks);

}  // namespace lvsa::cuda
