#include "reference/attention/blocks/block_mutants.hpp"

#include <array>
#include <new>
#include <string>
#include <utility>

#include "reference/attention/blocks/block_mutant_call.hpp"
#include "reference/attention/blocks/block_problem_check.hpp"
#include "reference/attention/blocks/cpu_blocks.hpp"
#include "reference/attention/mutants/mutant_row.hpp"

namespace lvsa::reference {
namespace {

constexpr auto kKernels = static_cast<std::size_t>(BlockDefect::kCount);

lvsa_status numerics(const lvsa_block_problem* problem, lvsa_numerics* numerics) {
  if (problem == nullptr || numerics == nullptr || numerics->struct_size < sizeof(lvsa_numerics)) {
    return LVSA_INVALID;
  }
  *numerics = {};
  numerics->struct_size = sizeof(lvsa_numerics);
  numerics->key_tile = kMutantTile;
  numerics->p_dtype = LVSA_BF16;
  numerics->accumulator = LVSA_F32;
  numerics->rescale_exact = 1;
  numerics->score_step = 1;
  numerics->sum_step = kMutantTile;
  return LVSA_OK;
}

template <std::size_t kIndex>
lvsa_status run(const lvsa_block_problem* problem, void* /*workspace*/, std::size_t /*bytes*/,
                void* /*stream*/, char* text, std::size_t text_size) {
  const Message message{text, text_size};
  const lvsa_status status = check_block_problem(problem, message);
  if (status != LVSA_OK) return status;
  if (problem->p_dtype != LVSA_DTYPE_NONE && problem->p_dtype != LVSA_BF16) {
    return refuse(message, LVSA_UNSUPPORTED, "p_dtype = %d: must be none (0) or bf16 (4)",
                  static_cast<int>(problem->p_dtype));
  }
  try {
    run_block_mutant(*problem, static_cast<BlockDefect>(kIndex));
  } catch (const std::bad_alloc&) {
    return refuse(message, LVSA_OUT_OF_MEMORY, "no memory for the tensors as floats");
  }
  return LVSA_OK;
}

template <std::size_t kIndex>
lvsa_block_kernel make_kernel() {
  static const std::string name =
      kIndex == 0 ? "emulated-blocks"
                  : std::string("emulated-blocks-") + all_block_defects()[kIndex - 1].name;
  lvsa_block_kernel kernel = cpu_blocks_kernel();
  kernel.name = name.c_str();
  kernel.description = kIndex == 0 ? "emulated flash-attention over block maps"
                                   : all_block_defects()[kIndex - 1].description;
  kernel.capabilities.p_dtypes = LVSA_DTYPE_BIT(LVSA_BF16);
  kernel.numerics = numerics;
  kernel.workspace = nullptr;
  kernel.run = run<kIndex>;
  return kernel;
}

template <std::size_t... kIndices>
std::array<lvsa_block_kernel, sizeof...(kIndices)> make_kernels(
    std::index_sequence<kIndices...> /*all*/) {
  return {make_kernel<kIndices>()...};
}

const std::array<lvsa_block_kernel, kKernels>& kernels() {
  static const auto all = make_kernels(std::make_index_sequence<kKernels>());
  return all;
}

}  // namespace

const lvsa_block_kernel& block_mutant_kernel(BlockDefect defect) {
  return kernels().at(static_cast<std::size_t>(defect));
}

const lvsa_block_kernel* find_block_mutant(std::string_view kernel_name) {
  for (const lvsa_block_kernel& kernel : kernels()) {
    if (kernel_name == kernel.name) return &kernel;
  }
  return nullptr;
}

}  // namespace lvsa::reference
