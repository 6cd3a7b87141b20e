#pragma once
// Host side of the fp8 attention kernel: as hopper_attention.hpp, with a pass over V before.

#include <cuda_runtime_api.h>

#include <cstddef>

#include "core/kernel/lvsa_kernel.h"
#include "cuda/attention/fp8/parameters.hpp"
#include "cuda/launch/hopper_work.hpp"
#include "cuda/launch/problem_check.hpp"

namespace lvsa::cuda {

struct Fp8Plan {
  fp8::Parameters parameters{};
  fp8::ValueSource values{};
  const void* kernel = nullptr;
  std::size_t counter_bytes = 0;
  int blocks = 0;
};

const ProblemRules& fp8_rules();

/// Bytes of device memory that runs of a plan need for V, aligned to 128 bytes.
std::size_t fp8_value_bytes(const lvsa_problem& problem);

/// Checks the problem and makes the plan for the current device, as hopper_plan() does.
Verdict fp8_plan(const lvsa_problem& problem, const DeviceFrameLists& lists, int* counters,
                 char* values, Fp8Plan* plan);

/// Queues the work on the stream.
Verdict fp8_run(const Fp8Plan& plan, cudaStream_t stream);

}  // namespace lvsa::cuda
