#pragma once
// Inputs between pages that nobody may touch: a kernel that reads past an end is seen at the
// instruction, whatever it makes of the bytes.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/kernel/lvsa_kernel.h"

namespace lvsa::analysis {

/// Which end of each input lies at a guard page.
enum class GuardSide {
  kBehind,  ///< the last byte; tensors of odd sizes end up to 63 bytes before, to begin aligned
  kBefore,  ///< the first byte
};

/// Copies of q, k, v, the lists and the wanted tokens of a problem in host memory. While this
/// lives, the first touch of a guard is noted and then let through: the call goes on. That takes
/// over SIGSEGV; what has nothing to do with the guards goes to whoever had it before.
class GuardedInputs {
 public:
  /// Sets the problem's pointers to the copies. Throws Error(kOverflow) where there is no memory.
  GuardedInputs(lvsa_problem& problem, GuardSide side);
  ~GuardedInputs();
  GuardedInputs(const GuardedInputs&) = delete;
  GuardedInputs& operator=(const GuardedInputs&) = delete;

  /// A copy of another array between guards; null stays null.
  template <typename Number>
  const Number* guarded(const char* name, const Number* from, std::int64_t count) {
    if (from == nullptr) return nullptr;
    return static_cast<const Number*>(
        add(name, from, static_cast<std::size_t>(count) * sizeof(Number), alignof(Number)));
  }

  /// "reads past the end of k: byte 0 behind it" for the first input touched outside, if any.
  std::optional<std::string> touched() const;

 private:
  class Copy;
  void* add(const char* name, const void* from, std::size_t bytes, std::size_t alignment);

  GuardSide side_;
  std::vector<std::unique_ptr<Copy>> copies_;
};

}  // namespace lvsa::analysis
