#include "core/blocks/block_loader.hpp"

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

void* open_library(const std::string& path) {
  // A path without a slash would be looked up in the system's folders instead.
  const std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  return dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
}

void check_kernel(const std::string& path, const lvsa_block_kernel& kernel, std::uint32_t index) {
  if (kernel.abi_version != LVSA_BLOCK_KERNEL_ABI_VERSION) {
    fail(path, fmt::format("block kernel {} speaks interface version {}; {} is due", index,
                           kernel.abi_version, LVSA_BLOCK_KERNEL_ABI_VERSION));
  }
  if (kernel.struct_size < sizeof(lvsa_block_kernel)) {
    fail(path, fmt::format("block kernel {} has a table of {} bytes; {} are due", index,
                           kernel.struct_size, sizeof(lvsa_block_kernel)));
  }
  if (kernel.name == nullptr || kernel.name[0] == '\0')
    fail(path, fmt::format("block kernel {} has no name", index));
  if (kernel.run == nullptr)
    fail(path, fmt::format("block kernel {} has no run function", kernel.name));
  const lvsa_block_capabilities& c = kernel.capabilities;
  if (c.block_sizes < 0 || (c.block_sizes > 0 && c.block_size == nullptr)) {
    fail(path, fmt::format("block kernel {} declares {} block sizes and does not list them",
                           kernel.name, c.block_sizes));
  }
}

}  // namespace

bool offers_block_kernels(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  void* const handle = open_library(path);
  if (handle == nullptr) return false;
  const bool found = dlsym(handle, LVSA_BLOCK_KERNEL_ENTRY_POINT) != nullptr;
  dlclose(handle);
  return found;
}

BlockKernelLibrary::BlockKernelLibrary(const std::string& path) : path_(path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored))
    fail(path, "no such file; a shared library is due");
  handle_ = open_library(path);
  if (handle_ == nullptr) fail(path, fmt::format("cannot be loaded: {}", dlerror()));
  try {
    const auto entry =
        reinterpret_cast<lvsa_block_kernels_fn>(dlsym(handle_, LVSA_BLOCK_KERNEL_ENTRY_POINT));
    if (entry == nullptr) fail(path, "exports no function " LVSA_BLOCK_KERNEL_ENTRY_POINT);
    std::uint32_t count = 0;
    const lvsa_block_kernel* table = entry(LVSA_BLOCK_KERNEL_ABI_VERSION, &count);
    if (table == nullptr || count == 0 || count > kMostKernels) {
      fail(path, fmt::format("offers no block kernel for interface version {}",
                             LVSA_BLOCK_KERNEL_ABI_VERSION));
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

BlockKernelLibrary::~BlockKernelLibrary() { dlclose(handle_); }

const lvsa_block_kernel& BlockKernelLibrary::find(const std::string& name) const {
  if (name.empty() && kernels_.size() == 1) return *kernels_.front();
  std::string names;
  for (const lvsa_block_kernel* kernel : kernels_) {
    if (name == kernel->name) return *kernel;
    names += fmt::format(" {}", kernel->name);
  }
  if (name.empty()) {
    fail(path_, fmt::format("holds several block kernels, name one as path:name, of:{}", names));
  }
  fail(path_, fmt::format("has no block kernel '{}'; it has:{}", name, names));
}

}  // namespace lvsa
