#pragma once
// The kernel that --kernel names.

#include <memory>
#include <string>

#include "core/blocks/block_loader.hpp"
#include "core/kernel/loader.hpp"
#include "core/kernel/lvsa_kernel.h"

namespace lvsa::app {

/// A kernel and the library that it lives in, if any.
struct KernelChoice {
  std::unique_ptr<KernelLibrary> library;
  std::unique_ptr<BlockKernelLibrary> block_library;
  /// Takes frame lists; of a kernel that takes block maps alone a table without functions.
  const lvsa_kernel* kernel = nullptr;
  const lvsa_block_kernel* blocks = nullptr;  ///< takes block maps; null: the kernel takes none
  std::unique_ptr<lvsa_kernel> table;
};

/// Whether this is what --kernel captured names: no kernel, but the outputs in the file of a case.
bool is_captured_kernel(const lvsa_kernel& kernel);

/// What --kernel says: the name of a built-in kernel (path empty), or the path of a library and the
/// name of a kernel in it (which may be empty). Throws Error(kKernel) for a name that is neither.
struct KernelName {
  std::string path;
  std::string name;
};
KernelName parse_kernel_name(const std::string& option);

/// A built-in kernel by its name ("cpu", "cpu-blocks", "cpu-blocks-frames", "captured"), or
/// "path/to/lib.so[:name]". Throws Error(kKernel) that names what was asked for and what there is.
KernelChoice choose_kernel(const std::string& option);

}  // namespace lvsa::app
