#include "reference/attention/tiled/cpu_kernel.hpp"

#include <omp.h>

#include <cinttypes>

#include "reference/attention/tiled/attend_item.hpp"
#include "reference/attention/tiled/attention_plan.hpp"
#include "reference/attention/tiled/call_frame.hpp"
#include "reference/attention/tiled/problem_check.hpp"
#include "reference/attention/tiled/tile_ops.hpp"

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

template <SimdLevel kLevel>
lvsa_status numerics(const lvsa_problem* problem, lvsa_numerics* numerics) {
  if (problem == nullptr || numerics == nullptr || numerics->struct_size < sizeof(lvsa_numerics)) {
    return LVSA_INVALID;
  }
  *numerics = tiled_numerics(problem->p_dtype, ops_of<kLevel>().exp_ulps);
  return LVSA_OK;
}

template <SimdLevel kLevel>
lvsa_status workspace(const lvsa_problem* problem, std::size_t* bytes) {
  if (bytes == nullptr) return LVSA_INVALID;
  *bytes = 0;
  const lvsa_status status = check_problem(problem, {});
  if (status != LVSA_OK) return status;
  const AttentionPlan plan(*problem, ops_of<kLevel>());
  *bytes = plan.workspace_bytes(plan.threads());
  return LVSA_OK;
}

template <SimdLevel kLevel>
lvsa_status run(const lvsa_problem* problem, void* workspace, std::size_t workspace_bytes,
                void* /*stream*/, char* text, std::size_t text_size) {
  const Message message{text, text_size};
  lvsa_status status = check_problem(problem, message);
  if (status != LVSA_OK) return status;
  const AttentionPlan plan(*problem, ops_of<kLevel>());
  int threads = 0;
  status = fit_threads(plan, workspace_bytes, threads, message);
  if (status != LVSA_OK) return status;
  if (workspace == nullptr) {
    return refuse(message, LVSA_INVALID, "workspace = null: must point to %zu bytes",
                  plan.workspace_bytes(threads));
  }
  const std::int64_t items = plan.items();
#pragma omp parallel num_threads(threads)
  {
    const ThreadBuffers buffers = plan.buffers(workspace, omp_get_thread_num());
#pragma omp for schedule(dynamic, 1)
    for (std::int64_t i = 0; i < items; ++i) {
      const WorkItem item = plan.wanted_part(plan.item(i));
      if (item.row_count > 0) attend_item(plan, item, buffers);
    }
  }
  return LVSA_OK;
}

lvsa_capabilities capabilities() {
  constexpr unsigned kTypes =
      LVSA_DTYPE_BIT(LVSA_F32) | LVSA_DTYPE_BIT(LVSA_F16) | LVSA_DTYPE_BIT(LVSA_BF16);
  lvsa_capabilities c{};
  c.struct_size = sizeof(lvsa_capabilities);
  c.dtypes = kTypes;
  c.p_dtypes = kTypes;
  c.memory = LVSA_HOST;
  c.head_dim_min = 1;
  c.head_dim_max = kMaxHeadDim;
  c.head_dim_multiple = 1;
  c.grouped_heads = 1;
  c.text = 1;
  c.batch = 1;
  c.any_strides = 1;
  c.lse = 1;
  return c;
}

template <SimdLevel kLevel>
lvsa_kernel make_kernel() {
  lvsa_kernel kernel{};
  kernel.abi_version = LVSA_KERNEL_ABI_VERSION;
  kernel.struct_size = sizeof(lvsa_kernel);
  kernel.name = ops_of<kLevel>().name;
  kernel.description = ops_of<kLevel>().description;
  kernel.capabilities = capabilities();
  kernel.numerics = numerics<kLevel>;
  kernel.workspace = workspace<kLevel>;
  kernel.run = run<kLevel>;
  return kernel;
}

}  // namespace

const lvsa_kernel* cpu_kernel_at(SimdLevel level) {
  static const lvsa_kernel baseline = make_kernel<SimdLevel::kBaseline>();
  static const lvsa_kernel avx2 = make_kernel<SimdLevel::kAvx2>();
  static const lvsa_kernel avx512 = make_kernel<SimdLevel::kAvx512>();
  if (!machine_has(level)) return nullptr;
  if (level == SimdLevel::kAvx512) return &avx512;
  return level == SimdLevel::kAvx2 ? &avx2 : &baseline;
}

const lvsa_kernel& cpu_kernel() {
  static const lvsa_kernel best = [] {
    const lvsa_kernel* kernel = cpu_kernel_at(SimdLevel::kAvx512);
    if (kernel == nullptr) kernel = cpu_kernel_at(SimdLevel::kAvx2);
    if (kernel == nullptr) kernel = cpu_kernel_at(SimdLevel::kBaseline);
    lvsa_kernel named = *kernel;
    named.name = "cpu";
    return named;
  }();
  return best;
}

}  // namespace lvsa::reference
