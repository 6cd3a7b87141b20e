#include "core/kernel/loader.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>

#include "core/error.hpp"

namespace lvsa {
namespace {

constexpr std::uint32_t kMostKernels = 1024;

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ErrorKind::kKernel, fmt::format("{}: {}", path, what));
}

void check_kernel(const std::string& path, const lvsa_kernel& kernel, std::uint32_t index) {
  if (kernel.abi_version != LVSA_KERNEL_ABI_VERSION) {
    fail(path, fmt::format("kernel {} speaks interface version {}; {} is due", index,
                           kernel.abi_version, LVSA_KERNEL_ABI_VERSION));
  }
  if (kernel.struct_size < sizeof(lvsa_kernel)) {
    fail(path, fmt::format("kernel {} has a table of {} bytes; {} are due", index,
                           kernel.struct_size, sizeof(lvsa_kernel)));
  }
  if (kernel.name == nullptr || kernel.name[0] == '\0')
    fail(path, fmt::format("kernel {} has no name", index));
  if (kernel.run == nullptr) fail(path, fmt::format("kernel {} has no run function", kernel.name));
}

}  // namespace

KernelLibrary::KernelLibrary(const std::string& path) : path_(path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored))
    fail(path, "no such file; a shared library is due");
  // A path without a slash would be looked up in the system's folders instead.
  const std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  handle_ = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_ == nullptr) fail(path, fmt::format("cannot be loaded: {}", dlerror()));
  try {
    const auto entry = reinterpret_cast<lvsa_kernels_fn>(dlsym(handle_, LVSA_KERNEL_ENTRY_POINT));
    if (entry == nullptr) fail(path, "exports no function " LVSA_KERNEL_ENTRY_POINT);
    std::uint32_t count = 0;
    const lvsa_kernel* table = entry(LVSA_KERNEL_ABI_VERSION, &count);
    if (table == nullptr || count == 0 || count > kMostKernels) {
      fail(path, fmt::format("offers no kernel for interface version {}", LVSA_KERNEL_ABI_VERSION));
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      check_kernel(path, table[i], i);
      kernels_.push_back(&table[i]);
    }
  } catch (...) {
    dlclose(handle_);
    throw;
  }
}

KernelLibrary::~KernelLibrary() { dlclose(handle_); }

const lvsa_kernel& KernelLibrary::find(const std::string& name) const {
  if (name.empty() && kernels_.size() == 1) return *kernels_.front();
  std::string names;
  for (const lvsa_kernel* kernel : kernels_) {
    if (name == kernel->name) return *kernel;
    names += fmt::format(" {}", kernel->name);
  }
  if (name.empty())
    fail(path_, fmt::format("holds several kernels, name one as path:name, of:{}", names));
  fail(path_, fmt::format("has no kernel '{}'; it has:{}", name, names));
}

}  // namespace lvsa
