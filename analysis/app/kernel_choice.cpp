#include "analysis/app/kernel_choice.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "analysis/blocks/block_invoke.hpp"
#include "core/error.hpp"
#include "reference/attention/blocks/block_mutants.hpp"
#include "reference/attention/blocks/cpu_blocks.hpp"
#include "reference/attention/blocks/frame_adapter.hpp"
#include "reference/attention/tiled/cpu_kernel.hpp"

namespace lvsa::app {

namespace {

// Stands for outputs that are there already; nobody calls it.
const lvsa_kernel& captured_kernel() {
  static const lvsa_kernel kernel = [] {
    lvsa_kernel stand_in{};
    stand_in.abi_version = LVSA_KERNEL_ABI_VERSION;
    stand_in.struct_size = sizeof stand_in;
    stand_in.name = "captured";
    stand_in.description = "the output in the file that a case names";
    stand_in.capabilities.memory = LVSA_HOST;
    return stand_in;
  }();
  return kernel;
}

// Those that compute something. cpu-blocks takes frame lists as block maps.
std::array<const lvsa_kernel*, 3> builtin_kernels() {
  return {&reference::cpu_kernel(),
          &reference::cpu_blocks_frame_kernel(reference::FrameBlocks::kTiles),
          &reference::cpu_blocks_frame_kernel(reference::FrameBlocks::kFrames)};
}

// Null: there is none of that name.
const lvsa_kernel* builtin_kernel(const std::string& name) {
  if (name == captured_kernel().name) return &captured_kernel();
  for (const lvsa_kernel* kernel : builtin_kernels()) {
    if (name == kernel->name) return kernel;
  }
  return nullptr;
}

// Those that take block maps, with the corpus of defects that `selftest` runs.
const lvsa_block_kernel* builtin_blocks(const std::string& name) {
  const lvsa_block_kernel& cpu = reference::cpu_blocks_kernel();
  return name == cpu.name ? &cpu : reference::find_block_mutant(name);
}

std::string builtin_names() {
  std::vector<std::string_view> names;
  for (const lvsa_kernel* kernel : builtin_kernels()) names.emplace_back(kernel->name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

bool is_captured_kernel(const lvsa_kernel& kernel) { return &kernel == &captured_kernel(); }

KernelName parse_kernel_name(const std::string& option) {
  const bool builtin = builtin_kernel(option) != nullptr || builtin_blocks(option) != nullptr;
  if (builtin) return {"", option};
  // A path has a slash or ends in .so; the name of a kernel in it stands behind the last colon.
  const std::size_t colon = option.rfind(':');
  const bool has_name = colon != std::string::npos && option.find('/', colon) == std::string::npos;
  const std::string path = option.substr(0, has_name ? colon : std::string::npos);
  if (path.find('/') == std::string::npos && path.find(".so") == std::string::npos) {
    throw Error(
        ErrorKind::kKernel,
        fmt::format("--kernel {}: no built-in kernel of that name; built in: {}, and {} for the "
                    "outputs in a capture; or a shared library path/to/lib.so[:name]",
                    option, builtin_names(), captured_kernel().name));
  }
  return {path, has_name ? option.substr(colon + 1) : ""};
}

namespace {

// What takes block maps alone stands behind a table that the rest can ask.
void set_blocks(KernelChoice& choice, const lvsa_block_kernel& blocks) {
  choice.blocks = &blocks;
  choice.table = std::make_unique<lvsa_kernel>(analysis::table_of(blocks));
  choice.kernel = choice.table.get();
}

// A library may offer kernels of both interfaces, also under one name.
KernelChoice from_library(const KernelName& asked) {
  KernelChoice choice;
  std::optional<Error> why_no_blocks;
  if (offers_block_kernels(asked.path)) {
    try {
      choice.block_library = std::make_unique<BlockKernelLibrary>(asked.path);
      set_blocks(choice, choice.block_library->find(asked.name));
    } catch (const Error& error) {
      why_no_blocks = error;
    }
  }
  try {
    choice.library = std::make_unique<KernelLibrary>(asked.path);
    choice.kernel = &choice.library->find(asked.name);
  } catch (const Error& error) {
    if (why_no_blocks && asked.name.empty()) throw Error(*why_no_blocks);
    if (why_no_blocks) {
      throw Error(ErrorKind::kKernel, fmt::format("{}; {}", error.what(), why_no_blocks->what()));
    }
    if (choice.blocks == nullptr) throw;
  }
  return choice;
}

}  // namespace

KernelChoice choose_kernel(const std::string& option) {
  const KernelName asked = parse_kernel_name(option);
  if (!asked.path.empty()) return from_library(asked);
  KernelChoice choice;
  if (const lvsa_block_kernel* blocks = builtin_blocks(asked.name)) set_blocks(choice, *blocks);
  if (const lvsa_kernel* kernel = builtin_kernel(asked.name)) choice.kernel = kernel;
  return choice;
}

}  // namespace lvsa::app
