#pragma once
// Kernels from a shared library that speaks the C interface.

#include <cstring>
#include <string>
#include <vector>

#include "core/kernel/lvsa_kernel.h"

namespace lvsa {

/// The number that stands in `memory`, which a plugin may have filled with anything: an enumeration
/// must not be read that holds none of its values.
inline int declared_memory(const lvsa_capabilities& capabilities) {
  int number = 0;
  std::memcpy(&number, &capabilities.memory, sizeof number);
  return number;
}

/// A loaded library and its kernels. The kernels are valid while this lives.
class KernelLibrary {
 public:
  /// Throws Error(kKernel) that names the path and what is wrong: not a shared library, no entry
  /// point, another interface version, a table that cannot be right.
  explicit KernelLibrary(const std::string& path);
  ~KernelLibrary();
  KernelLibrary(const KernelLibrary&) = delete;
  KernelLibrary& operator=(const KernelLibrary&) = delete;

  const std::vector<const lvsa_kernel*>& kernels() const { return kernels_; }
  /// The kernel of that name; with an empty name the only one. Throws Error(kKernel) listing the
  /// names otherwise.
  const lvsa_kernel& find(const std::string& name) const;

 private:
  std::string path_;
  void* handle_ = nullptr;
  std::vector<const lvsa_kernel*> kernels_;
};

}  // namespace lvsa
