#include "cuda/launch/hopper_kernel.hpp"

#include <cuda_runtime_api.h>

#include <cstdint>
#include <exception>

#include "cuda/launch/any_plan.hpp"
#include "cuda/launch/list_workspace.hpp"

namespace lvsa::cuda {
namespace {

// Workspace: the plan's scratch, aligned, then the lists.
constexpr std::size_t kAlignment = 128;

Verdict run_checked(const lvsa_problem& p, char* workspace, cudaStream_t stream) {
  const std::uintptr_t misplaced = reinterpret_cast<std::uintptr_t>(workspace) % kAlignment;
  char* const scratch = workspace + (misplaced == 0 ? 0 : kAlignment - misplaced);
  ListsOnDevice lists{};
  Verdict verdict = copy_lists(p, scratch + scratch_bytes(p), stream, &lists);
  if (!verdict.ok()) return verdict;
  DeviceFrameLists device_lists;
  device_lists.offsets = lists.offsets;
  device_lists.list = lists.list;
  AnyPlan plan;
  verdict = make_plan(p, device_lists, scratch, &plan);
  return verdict.ok() ? run_plan(plan, stream) : verdict;
}

Verdict run_problem(const ProblemRules& rules, const lvsa_problem* problem, void* workspace,
                    std::size_t bytes, void* stream) {
  Verdict verdict = check_problem(problem, rules);
  if (verdict.ok()) verdict = check_lists(*problem);
  if (verdict.ok()) verdict = check_device(*problem, 90, 9);
  std::size_t due = 0;
  if (verdict.ok()) verdict.status = list_bytes(problem, &due);
  if (verdict.ok()) {
    verdict = check_workspace(workspace, bytes, kAlignment + scratch_bytes(*problem) + due);
  }
  if (verdict.ok()) verdict = check_pointers(*problem, workspace);
  if (!verdict.ok()) return verdict;
  return run_checked(*problem, static_cast<char*>(workspace), static_cast<cudaStream_t>(stream));
}

template <const ProblemRules& (*kRules)()>
lvsa_status run(const lvsa_problem* problem, void* workspace, std::size_t workspace_bytes,
                void* stream, char* message, std::size_t message_size) {
  try {
    return tell(run_problem(kRules(), problem, workspace, workspace_bytes, stream), message,
                message_size);
  } catch (const std::exception& error) {
    return tell({LVSA_FAILED, error.what()}, message, message_size);
  }
}

template <const ProblemRules& (*kRules)()>
lvsa_status workspace(const lvsa_problem* problem, std::size_t* bytes) {
  std::size_t lists = 0;
  const lvsa_status status = list_bytes(problem, &lists);
  if (status != LVSA_OK || bytes == nullptr) return LVSA_INVALID;
  if (!check_problem(problem, kRules()).ok()) return LVSA_INVALID;
  *bytes = kAlignment + scratch_bytes(*problem) + lists;
  return LVSA_OK;
}

bool begin_numerics(const lvsa_problem* problem, lvsa_numerics* numerics) {
  if (problem == nullptr || numerics == nullptr) return false;
  const std::size_t size = numerics->struct_size;
  if (size < sizeof(lvsa_numerics)) return false;
  *numerics = {};
  numerics->struct_size = size;
  numerics->p_dtype = problem->dtype;
  numerics->accumulator = LVSA_F32;
  numerics->exp_ulps = 4.0;  // ex2.approx: 2^-22
  return true;
}

lvsa_status hopper_numerics(const lvsa_problem* problem, lvsa_numerics* numerics) {
  if (!begin_numerics(problem, numerics)) return LVSA_INVALID;
  numerics->key_tile = hopper_key_tile(problem->patches_per_frame);
  numerics->key_order = LVSA_KEYS_ASCENDING;
  numerics->max_rule = LVSA_MAX_RUNNING;
  // Measured (bench/accumulator_cuda.cu): 16 products and the accumulator are cut off 25 bits
  // behind the point of the largest, their sum behind 23; 5 units of 2^-23 for twice a roundoff.
  numerics->accumulator_roundoff = 0x1.4p-22;
  numerics->score_step = 16;
  numerics->rescale_exact = 1;
  return LVSA_OK;
}

lvsa_status fp8_numerics(const lvsa_problem* problem, lvsa_numerics* numerics) {
  if (!begin_numerics(problem, numerics)) return LVSA_INVALID;
  numerics->key_tile = fp8::kKeyTile;
  // Nearly so: a frame's keys are filled up to a multiple of 32, so tiles end earlier. The rest of
  // the schedule stays unsaid, and with it that the order is the ascending one.
  numerics->tiles_cross_frames = 1;
  numerics->p_scale_log2 = fp8::kBias;
  numerics->accumulator_roundoff = 0x1p-13;  // 13 bits are kept behind the point of a sum
  return LVSA_OK;
}

lvsa_kernel make_kernel(const ProblemRules& rules) {
  lvsa_kernel kernel{};
  kernel.abi_version = LVSA_KERNEL_ABI_VERSION;
  kernel.struct_size = sizeof kernel;
  lvsa_capabilities& can = kernel.capabilities;
  can.struct_size = sizeof can;
  can.dtypes = rules.dtypes;
  can.p_dtypes = rules.dtypes;
  can.memory = LVSA_CUDA;
  can.head_dim_min = rules.head_dim_multiple;
  can.head_dim_max = rules.head_dim_max;
  can.head_dim_multiple = rules.head_dim_multiple;
  can.grouped_heads = 1;
  can.text = 1;
  can.batch = 1;
  can.lse = 1;
  return kernel;
}

lvsa_kernel make_hopper() {
  lvsa_kernel kernel = make_kernel(hopper_rules());
  kernel.name = "cuda";
  kernel.description = "LVSA attention for Hopper (TMA, wgmma), bf16 and fp16";
  kernel.numerics = hopper_numerics;
  kernel.workspace = workspace<hopper_rules>;
  kernel.run = run<hopper_rules>;
  return kernel;
}

lvsa_kernel make_fp8() {
  lvsa_kernel kernel = make_kernel(fp8_rules());
  kernel.name = "cuda-fp8";
  kernel.description = "LVSA attention for Hopper (TMA, wgmma) on e4m3 with scales a head";
  kernel.numerics = fp8_numerics;
  kernel.workspace = workspace<fp8_rules>;
  kernel.run = run<fp8_rules>;
  return kernel;
}

}  // namespace

const lvsa_kernel& hopper_kernel() {
  static const lvsa_kernel kernel = make_hopper();
  return kernel;
}

const lvsa_kernel& fp8_kernel() {
  static const lvsa_kernel kernel = make_fp8();
  return kernel;
}

}  // namespace lvsa::cuda
