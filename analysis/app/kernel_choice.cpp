#include "analysis/app/kernel_choice.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
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

}  // namespace

bool is_captured_kernel(const lvsa_kernel& kernel) { return &kernel == &captured_kernel(); }

KernelName parse_kernel_name(const std::string& option) {
  const lvsa_kernel& cpu = reference::cpu_kernel();
  if (option == cpu.name || option == captured_kernel().name) return {"", option};
  // A path has a slash or ends in .so; the name of a kernel in it stands behind the last colon.
  const std::size_t colon = option.rfind(':');
  const bool has_name = colon != std::string::npos && option.find('/', colon) == std::string::npos;
  const std::string path = option.substr(0, has_name ? colon : std::string::npos);
  if (path.find('/') == std::string::npos && path.find(".so") == std::string::npos) {
    throw Error(
        ErrorKind::kKernel,
        fmt::format("--kernel {}: no built-in kernel of that name; built in: {}, and {} for the "
                    "outputs in a capture; or a shared library path/to/lib.so[:name]",
                    option, cpu.name, captured_kernel().name));
  }
  return {path, has_name ? option.substr(colon + 1) : ""};
}

KernelChoice choose_kernel(const std::string& option) {
  const KernelName asked = parse_kernel_name(option);
  if (asked.path.empty()) {
    const bool captured = asked.name == captured_kernel().name;
    return {nullptr, captured ? &captured_kernel() : &reference::cpu_kernel()};
  }
  KernelChoice choice;
  choice.library = std::make_unique<KernelLibrary>(asked.path);
  choice.kernel = &choice.library->find(asked.name);
  return choice;
}

}  // namespace lvsa::app
