#include "reference/attention/mutants/mutant_kernel.hpp"

#include <array>
#include <cstdio>
#include <string>
#include <utility>

#include "reference/attention/mutants/mutant_call.hpp"

namespace lvsa::reference {
namespace {

constexpr auto kKernels = static_cast<std::size_t>(Defect::kCount);

lvsa_status numerics(const lvsa_problem* problem, lvsa_numerics* numerics) {
  if (problem == nullptr || numerics == nullptr) return LVSA_INVALID;
  *numerics = {};
  numerics->struct_size = sizeof(lvsa_numerics);
  numerics->key_tile = kMutantTile;
  numerics->p_dtype = LVSA_BF16;
  numerics->accumulator = LVSA_F32;
  numerics->key_order = LVSA_KEYS_ASCENDING;
  numerics->max_rule = LVSA_MAX_RUNNING;
  numerics->rescale_exact = 1;
  numerics->score_step = 1;
  numerics->sum_step = kMutantTile;
  return LVSA_OK;
}

template <std::size_t kIndex>
lvsa_status run(const lvsa_problem* problem, void* workspace, std::size_t bytes, void* /*stream*/,
                char* message, std::size_t message_size) {
  if (problem == nullptr || problem->struct_size < LVSA_PROBLEM_LEAST_SIZE) {
    if (message != nullptr) std::snprintf(message, message_size, "problem: null or too small");
    return LVSA_INVALID;
  }
  // The defect that takes its workspace for filled with zeros has one.
  const bool dirty = bytes > 0 && static_cast<const unsigned char*>(workspace)[0] != 0;
  run_mutant(*problem, static_cast<Defect>(kIndex), dirty);
  return LVSA_OK;
}

lvsa_status workspace(const lvsa_problem* /*problem*/, std::size_t* bytes) {
  *bytes = 64;
  return LVSA_OK;
}

lvsa_capabilities capabilities() {
  lvsa_capabilities c{};
  c.struct_size = sizeof(lvsa_capabilities);
  c.dtypes = LVSA_DTYPE_BIT(LVSA_F32) | LVSA_DTYPE_BIT(LVSA_F16) | LVSA_DTYPE_BIT(LVSA_BF16);
  c.p_dtypes = LVSA_DTYPE_BIT(LVSA_BF16);
  c.memory = LVSA_HOST;
  c.head_dim_min = 1;
  c.head_dim_max = 1024;
  c.head_dim_multiple = 1;
  c.grouped_heads = c.text = c.batch = c.any_strides = c.lse = 1;
  return c;
}

std::string kernel_name(std::size_t index) {
  return index == 0 ? "emulated" : std::string("emulated-") + all_defects()[index - 1].name;
}

template <std::size_t kIndex>
lvsa_kernel make_kernel() {
  static const std::string name = kernel_name(kIndex);
  lvsa_kernel kernel{};
  kernel.abi_version = LVSA_KERNEL_ABI_VERSION;
  kernel.struct_size = sizeof(lvsa_kernel);
  kernel.name = name.c_str();
  kernel.description =
      kIndex == 0 ? "emulated flash-attention" : all_defects()[kIndex - 1].description;
  kernel.capabilities = capabilities();
  kernel.numerics = numerics;
  kernel.run = run<kIndex>;
  if (static_cast<Defect>(kIndex) == Defect::kWorkspaceDirty) kernel.workspace = workspace;
  return kernel;
}

template <std::size_t... kIndices>
std::array<lvsa_kernel, sizeof...(kIndices)> make_kernels(
    std::index_sequence<kIndices...> /*all*/) {
  return {make_kernel<kIndices>()...};
}

}  // namespace

const lvsa_kernel& mutant_kernel(Defect defect) {
  static const auto kernels = make_kernels(std::make_index_sequence<kKernels>());
  return kernels.at(static_cast<std::size_t>(defect));
}

}  // namespace lvsa::reference
