// The entry point of liblvsa_cuda.so for block-sparse kernels: those that it offers through the C
// interface.

#include <array>
#include <cstdint>
#include <exception>

#include "cuda/launch/block_arrays.hpp"
#include "cuda/launch/block_attention.hpp"
#include "cuda/launch/block_host_memory.hpp"
#include "cuda/launch/block_kernel_kinds.hpp"
#include "cuda/launch/block_problem_check.hpp"
#include "cuda/launch/list_workspace.hpp"

namespace lvsa::cuda {
namespace {

// Workspace: the arrays of the maps, aligned, then the kernel's scratch.
constexpr std::size_t kAlignment = 128;

template <typename Kernel>
std::size_t workspace_bytes(const lvsa_block_problem& p) {
  return kAlignment + block_arrays_bytes(p) + Kernel::kScratch(p);
}

template <typename Kernel>
Verdict run_checked(const lvsa_block_problem& p, char* workspace, cudaStream_t stream) {
  const std::uintptr_t misplaced = reinterpret_cast<std::uintptr_t>(workspace) % kAlignment;
  char* const arrays = workspace + (misplaced == 0 ? 0 : kAlignment - misplaced);
  BlockWork work;
  work.problem = &p;
  work.scratch = arrays + block_arrays_bytes(p);
  Verdict verdict = copy_block_arrays(p, arrays, stream, &work.maps);
  return verdict.ok() ? Kernel::kRun(work, stream) : verdict;
}

template <typename Kernel>
Verdict run_problem(const lvsa_block_problem* problem, void* workspace, std::size_t bytes,
                    void* stream) {
  Verdict verdict = check_all<Kernel>(problem);
  if (verdict.ok()) verdict = check_workspace(workspace, bytes, workspace_bytes<Kernel>(*problem));
  if (verdict.ok()) verdict = check_block_device(*problem, Kernel::kRules, workspace);
  if (!verdict.ok()) return verdict;
  return run_checked<Kernel>(*problem, static_cast<char*>(workspace),
                             static_cast<cudaStream_t>(stream));
}

template <typename Kernel>
lvsa_status run(const lvsa_block_problem* problem, void* workspace, std::size_t workspace_bytes,
                void* stream, char* message, std::size_t message_size) {
  try {
    return tell(run_problem<Kernel>(problem, workspace, workspace_bytes, stream), message,
                message_size);
  } catch (const std::exception& error) {
    return tell({LVSA_FAILED, error.what()}, message, message_size);
  }
}

template <typename Kernel>
lvsa_status workspace(const lvsa_block_problem* problem, std::size_t* bytes) {
  if (bytes == nullptr) return LVSA_INVALID;
  *bytes = 0;
  try {
    const Verdict verdict = check_all<Kernel>(problem);
    if (verdict.ok()) *bytes = workspace_bytes<Kernel>(*problem);
    return verdict.status;
  } catch (const std::exception&) {
    return LVSA_FAILED;
  }
}

template <typename Kernel>
lvsa_status numerics(const lvsa_block_problem* problem, lvsa_numerics* numerics) {
  if (problem == nullptr || numerics == nullptr || numerics->struct_size < sizeof(lvsa_numerics)) {
    return LVSA_INVALID;
  }
  const std::size_t size = numerics->struct_size;
  *numerics = {};
  numerics->struct_size = size;
  numerics->key_tile = Kernel::kKeyTile;
  numerics->tiles_cross_frames = 1;
  numerics->p_dtype = problem->dtype;
  numerics->accumulator = LVSA_F32;
  numerics->accumulator_roundoff = 0x1.4p-22;  // as for the kernels of frames
  numerics->score_step = Kernel::kScoreStep;
  numerics->exp_ulps = 4.0;  // ex2.approx: 2^-22
  numerics->max_rule = LVSA_MAX_RUNNING;
  numerics->rescale_exact = 1;
  return LVSA_OK;
}

template <typename Kernel>
lvsa_block_kernel make_kernel(const char* name, const char* description) {
  lvsa_block_kernel kernel{};
  kernel.abi_version = LVSA_BLOCK_KERNEL_ABI_VERSION;
  kernel.struct_size = sizeof kernel;
  kernel.name = name;
  kernel.description = description;
  lvsa_block_capabilities& can = kernel.capabilities;
  can.struct_size = sizeof can;
  can.dtypes = Kernel::kRules.dtypes;
  can.p_dtypes = Kernel::kRules.dtypes;
  can.memory = LVSA_CUDA;
  can.head_dim_min = Kernel::kRules.head_dim_multiple;
  can.head_dim_max = Kernel::kRules.head_dim_max;
  can.head_dim_multiple = Kernel::kRules.head_dim_multiple;
  can.block_sizes = static_cast<std::int32_t>(Kernel::kRules.block_sizes.size());
  can.block_size = can.block_sizes > 0 ? Kernel::kRules.block_sizes.data() : nullptr;
  can.block_max = Kernel::kRules.block_max;
  can.grouped_heads = can.batch = can.lse = 1;
  can.maps_per_head = can.element_masks = can.orders = can.skip = 1;
  can.segments = can.unequal_tokens = 1;
  kernel.numerics = numerics<Kernel>;
  kernel.workspace = workspace<Kernel>;
  kernel.run = run<Kernel>;
  return kernel;
}

const lvsa_block_kernel& hopper_block_kernel() {
  static const lvsa_block_kernel kernel = make_kernel<HopperBlocks>(
      "cuda-blocks", "block-sparse attention for Hopper (TMA, wgmma), bf16 and fp16");
  return kernel;
}

const lvsa_block_kernel& portable_block_kernel() {
  static const lvsa_block_kernel kernel = make_kernel<PortableBlocks>(
      "cuda-blocks-portable",
      "block-sparse attention for compute capability 8.0 and up (mma.sync), bf16 and fp16");
  return kernel;
}

}  // namespace
}  // namespace lvsa::cuda

extern "C" __attribute__((visibility("default"))) const lvsa_block_kernel* lvsa_block_kernels(
    std::uint32_t abi_version, std::uint32_t* count) {
  using namespace lvsa::cuda;
  static const std::array<lvsa_block_kernel, 4> kernels = {
      hopper_block_kernel(),
      portable_block_kernel(),
      host_memory_block_kernel<hopper_block_kernel>("cuda-blocks-host"),
      host_memory_block_kernel<portable_block_kernel>("cuda-blocks-portable-host"),
  };
  if (abi_version != LVSA_BLOCK_KERNEL_ABI_VERSION || count == nullptr) return nullptr;
  *count = static_cast<std::uint32_t>(kernels.size());
  return kernels.data();
}
