#include "cuda/launch/portable_kernel.hpp"

#include <cuda_runtime_api.h>

#include <exception>
#include <string>

#include "cuda/attention/portable/parameters.hpp"
#include "cuda/launch/list_workspace.hpp"
#include "cuda/launch/problem_check.hpp"
#include "cuda/launch/tensor_parameters.hpp"

namespace lvsa::cuda {
namespace {

constexpr std::int64_t kMostBlocks = INT32_MAX;
constexpr ProblemRules kRules{
    .dtypes = LVSA_DTYPE_BIT(LVSA_BF16) | LVSA_DTYPE_BIT(LVSA_F16),
    .out_dtypes = LVSA_DTYPE_BIT(LVSA_DTYPE_NONE) | LVSA_DTYPE_BIT(LVSA_F32),
    .head_dim_multiple = 8,
    .head_dim_max = portable::kMaxHeadDim,
    .copy_engine = false,
    .scales = false,
};

portable::Parameters portable_parameters(const lvsa_problem& p) {
  portable::Parameters parameters{};
  tell_tensors(p, &parameters);
  parameters.frames = static_cast<std::int32_t>(p.frames);
  parameters.patches = static_cast<std::int32_t>(p.patches_per_frame);
  parameters.text = static_cast<std::int32_t>(p.text_tokens);
  return parameters;
}

/// The blocks are the one dimension of the grid.
Verdict check_grid(const lvsa_problem& p) {
  portable::Parameters one = portable_parameters(p);
  one.batch = 1;
  one.heads = 1;
  std::int64_t blocks = 0;
  if (__builtin_mul_overflow(portable::block_count(one), p.batch * p.heads, &blocks) ||
      blocks > kMostBlocks) {
    return {LVSA_UNSUPPORTED, "more than 2^31 - 1 query tiles"};
  }
  return {};
}

Verdict run_checked(const lvsa_problem& p, char* workspace, cudaStream_t stream) {
  ListsOnDevice lists{};
  Verdict verdict = copy_lists(p, workspace, stream, &lists);
  if (!verdict.ok()) return verdict;
  portable::Parameters parameters = portable_parameters(p);
  parameters.offsets = lists.offsets;
  parameters.list = lists.list;
  const cudaError_t status = p.dtype == LVSA_BF16 ? portable::attend_bf16(parameters, stream)
                                                  : portable::attend_f16(parameters, stream);
  return from_cuda(status, "attention kernel");
}

Verdict run_problem(const lvsa_problem* problem, void* workspace, std::size_t bytes, void* stream) {
  Verdict verdict = check_problem(problem, kRules);
  if (verdict.ok()) verdict = check_grid(*problem);
  if (verdict.ok()) verdict = check_lists(*problem);
  if (verdict.ok()) verdict = check_device(*problem, 80, 0);
  std::size_t due = 0;
  if (verdict.ok()) verdict.status = list_bytes(problem, &due);
  if (verdict.ok()) verdict = check_workspace(workspace, bytes, due);
  if (verdict.ok()) verdict = check_pointers(*problem, workspace);
  if (!verdict.ok()) return verdict;
  return run_checked(*problem, static_cast<char*>(workspace), static_cast<cudaStream_t>(stream));
}

extern "C" {

lvsa_status portable_numerics(const lvsa_problem* problem, lvsa_numerics* numerics) {
  if (problem == nullptr || numerics == nullptr || numerics->struct_size < sizeof(lvsa_numerics)) {
    return LVSA_INVALID;
  }
  const std::size_t size = numerics->struct_size;
  *numerics = {};
  numerics->struct_size = size;
  numerics->key_tile = portable::key_tile(problem->head_dim);
  numerics->key_order = LVSA_KEYS_ASCENDING;
  numerics->max_rule = LVSA_MAX_RUNNING;
  numerics->rescale_exact = 1;
  numerics->p_dtype = problem->dtype;
  numerics->accumulator = LVSA_F32;
  // Measured on sm_90 as for the Hopper kernel; older ones add 8 products at once.
  numerics->accumulator_roundoff = 0x1.4p-22;
  numerics->score_step = 8;
  numerics->exp_ulps = 4.0;  // ex2.approx: 2^-22
  return LVSA_OK;
}

lvsa_status portable_run(const lvsa_problem* problem, void* workspace, std::size_t workspace_bytes,
                         void* stream, char* message, std::size_t message_size) {
  try {
    return tell(run_problem(problem, workspace, workspace_bytes, stream), message, message_size);
  } catch (const std::exception& error) {
    return tell({LVSA_FAILED, error.what()}, message, message_size);
  }
}

}  // extern "C"

lvsa_kernel make_kernel() {
  lvsa_kernel kernel{};
  kernel.abi_version = LVSA_KERNEL_ABI_VERSION;
  kernel.struct_size = sizeof kernel;
  kernel.name = "cuda-portable";
  kernel.description = "LVSA attention for compute capability 8.0 and up (mma.sync), bf16 and fp16";
  lvsa_capabilities& can = kernel.capabilities;
  can.struct_size = sizeof can;
  can.dtypes = kRules.dtypes;
  can.p_dtypes = can.dtypes;
  can.memory = LVSA_CUDA;
  can.head_dim_min = 8;
  can.head_dim_max = kRules.head_dim_max;
  can.head_dim_multiple = kRules.head_dim_multiple;
  can.grouped_heads = 1;
  can.text = 1;
  can.batch = 1;
  can.lse = 1;
  kernel.numerics = portable_numerics;
  kernel.workspace = list_bytes;
  kernel.run = portable_run;
  return kernel;
}

}  // namespace

const lvsa_kernel& portable_kernel() {
  static const lvsa_kernel kernel = make_kernel();
  return kernel;
}

}  // namespace lvsa::cuda
