#pragma once
// The Hopper kernels behind one plan: the input type says which.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <variant>

#include "cuda/launch/fp8_attention.hpp"
#include "cuda/launch/hopper_attention.hpp"

namespace lvsa::cuda {

using AnyPlan = std::variant<HopperPlan, Fp8Plan>;

/// What a problem must be for a plan of it.
const ProblemRules& rules_of(const lvsa_problem& problem);

/// Bytes of device memory, aligned to 128, that runs of a plan write.
std::size_t scratch_bytes(const lvsa_problem& problem);

Verdict make_plan(const lvsa_problem& problem, const DeviceFrameLists& lists, char* scratch,
                  AnyPlan* plan);
Verdict run_plan(const AnyPlan& plan, cudaStream_t stream);

}  // namespace lvsa::cuda
