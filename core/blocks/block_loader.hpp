#pragma once
// Block-sparse kernels from a shared library that speaks the C interface of lvsa_blocks.h.

#include <string>
#include <vector>

#include "core/blocks/lvsa_blocks.h"

namespace lvsa {

/// Whether a shared library offers block-sparse kernels: it can be loaded and exports the entry
/// point. A library may offer kernels of both interfaces.
bool offers_block_kernels(const std::string& path);

/// A loaded library and its block-sparse kernels, which are valid while this lives.
class BlockKernelLibrary {
 public:
  /// Throws Error(kKernel) that names the path and what is wrong: not a shared library, no entry
  /// point, another interface version, a table that cannot be right.
  explicit BlockKernelLibrary(const std::string& path);
  ~BlockKernelLibrary();
  BlockKernelLibrary(const BlockKernelLibrary&) = delete;
  BlockKernelLibrary& operator=(const BlockKernelLibrary&) = delete;

  const std::vector<const lvsa_block_kernel*>& kernels() const { return kernels_; }
  /// The kernel of that name; with an empty name the only one. Throws Error(kKernel) listing the
  /// names otherwise.
  const lvsa_block_kernel& find(const std::string& name) const;

 private:
  std::string path_;
  void* handle_ = nullptr;
  std::vector<const lvsa_block_kernel*> kernels_;
};

}  // namespace lvsa
