#include "reference/attention/blocks/cpu_blocks.hpp"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <new>
#include <optional>

#include "reference/attention/blocks/block_plan.hpp"
#include "reference/attention/blocks/block_problem_check.hpp"
#include "reference/attention/blocks/block_run.hpp"
#include "reference/attention/tiled/call_frame.hpp"

#ifndef LVSA_SIMD_X86
#define LVSA_SIMD_X86 0
#endif

namespace lvsa::reference {
namespace {

template <SimdLevel kLevel>
const TileOps& ops_of() {
#if LVSA_SIMD_X86
  if constexpr (kLevel == SimdLevel::kAvx2) return kAvx2Ops;
  if constexpr (kLevel == SimdLevel::kAvx512) return kAvx512Ops;
#endif
  return kBaselineOps;
}

// How tiles are cut, as tiles_cross_frames says it for maps: heads that skip go block by block,
// others over the keys of all kept blocks; nothing can be declared where there are both.
std::optional<std::int32_t> tiles_of(const lvsa_block_problem& p) {
  if (p.skip_threshold_log2 == nullptr) return 1;
  const auto skips = std::count_if(p.skip_threshold_log2, p.skip_threshold_log2 + p.heads,
                                   [](float threshold) { return std::isfinite(threshold); });
  if (skips == 0) return 1;
  return skips == p.heads ? std::optional<std::int32_t>(0) : std::nullopt;
}

template <SimdLevel kLevel>
lvsa_status numerics(const lvsa_block_problem* problem, lvsa_numerics* numerics) {
  if (problem == nullptr || numerics == nullptr || numerics->struct_size < sizeof(lvsa_numerics) ||
      check_block_problem(problem, {}) == LVSA_INVALID) {
    return LVSA_INVALID;
  }
  *numerics = tiled_numerics(problem->p_dtype, ops_of<kLevel>().exp_ulps);
  const std::optional<std::int32_t> tiles = tiles_of(*problem);
  numerics->tiles_cross_frames = tiles.value_or(1);
  if (!tiles) numerics->key_order = LVSA_KEY_ORDER_UNKNOWN;
  return LVSA_OK;
}

template <SimdLevel kLevel>
lvsa_status workspace(const lvsa_block_problem* problem, std::size_t* bytes) {
  if (bytes == nullptr) return LVSA_INVALID;
  *bytes = 0;
  const lvsa_status status = check_block_problem(problem, {});
  if (status != LVSA_OK) return status;
  const BlockPlan plan(*problem, ops_of<kLevel>());
  *bytes = plan.workspace_bytes(plan.threads());
  return LVSA_OK;
}

template <SimdLevel kLevel>
lvsa_status run(const lvsa_block_problem* problem, void* workspace, std::size_t workspace_bytes,
                void* /*stream*/, char* text, std::size_t text_size) {
  const Message message{text, text_size};
  lvsa_status status = check_block_problem(problem, message);
  if (status != LVSA_OK) return status;
  const BlockPlan plan(*problem, ops_of<kLevel>());
  int threads = 0;
  status = fit_threads(plan, workspace_bytes, threads, message);
  if (status != LVSA_OK) return status;
  if (workspace == nullptr) {
    return refuse(message, LVSA_INVALID, "workspace = null: must point to %zu bytes",
                  plan.workspace_bytes(threads));
  }
  const std::int64_t items = plan.items();
  std::atomic<bool> no_memory = false;
#pragma omp parallel num_threads(threads)
  {
    const BlockBuffers buffers = plan.buffers(workspace, omp_get_thread_num());
#pragma omp for schedule(dynamic, 1)
    for (std::int64_t i = 0; i < items; ++i) {
      const BlockItem item = plan.item(i);
      if (item.row_count == 0) continue;
      try {
        attend_block_item(plan, item, buffers);
      } catch (const std::bad_alloc&) {  // must not leave the parallel region
        no_memory = true;
      }
    }
  }
  if (no_memory) return refuse(message, LVSA_OUT_OF_MEMORY, "no memory for the list of tiles");
  return LVSA_OK;
}

lvsa_block_capabilities capabilities() {
  constexpr unsigned kTypes =
      LVSA_DTYPE_BIT(LVSA_F32) | LVSA_DTYPE_BIT(LVSA_F16) | LVSA_DTYPE_BIT(LVSA_BF16);
  lvsa_block_capabilities c{};
  c.struct_size = sizeof(lvsa_block_capabilities);
  c.dtypes = kTypes;
  c.p_dtypes = kTypes;
  c.memory = LVSA_HOST;
  c.head_dim_min = 1;
  c.head_dim_max = kMaxHeadDim;
  c.head_dim_multiple = 1;
  c.block_max = kMostBlock;
  c.grouped_heads = c.batch = c.any_strides = c.lse = 1;
  c.maps_per_head = c.element_masks = c.orders = c.skip = c.segments = c.unequal_tokens = 1;
  return c;
}

template <SimdLevel kLevel>
lvsa_block_kernel make_kernel(const char* name, const char* description) {
  lvsa_block_kernel kernel{};
  kernel.abi_version = LVSA_BLOCK_KERNEL_ABI_VERSION;
  kernel.struct_size = sizeof(lvsa_block_kernel);
  kernel.name = name;
  kernel.description = description;
  kernel.capabilities = capabilities();
  kernel.numerics = numerics<kLevel>;
  kernel.workspace = workspace<kLevel>;
  kernel.run = run<kLevel>;
  return kernel;
}

}  // namespace

const lvsa_block_kernel* cpu_blocks_kernel_at(SimdLevel level) {
  static const lvsa_block_kernel baseline = make_kernel<SimdLevel::kBaseline>(
      "cpu-blocks-baseline", "block-sparse attention on the host, no special instructions");
  static const lvsa_block_kernel avx2 = make_kernel<SimdLevel::kAvx2>(
      "cpu-blocks-avx2", "block-sparse attention on the host, AVX2 and FMA");
  static const lvsa_block_kernel avx512 = make_kernel<SimdLevel::kAvx512>(
      "cpu-blocks-avx512", "block-sparse attention on the host, AVX-512");
  if (!machine_has(level)) return nullptr;
  if (level == SimdLevel::kAvx512) return &avx512;
  return level == SimdLevel::kAvx2 ? &avx2 : &baseline;
}

const lvsa_block_kernel& cpu_blocks_kernel() {
  static const lvsa_block_kernel best = [] {
    lvsa_block_kernel named = *cpu_blocks_kernel_at(best_simd_level());
    named.name = "cpu-blocks";
    return named;
  }();
  return best;
}

}  // namespace lvsa::reference
