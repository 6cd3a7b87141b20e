#pragma once
// A problem in host memory, moved to a device for kernels that want device memory, and back.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "analysis/verify/guarded_tensor.hpp"
#include "core/kernel/device_memory.hpp"
#include "core/kernel/lvsa_kernel.h"

namespace lvsa::analysis {

/// Stretches of host memory on the device, each with a red zone on both sides. What has the same
/// address in host memory as in an earlier call has the same address on the device, as long as it
/// was in one of the last calls.
class DeviceParts {
 public:
  /// Begins a call. Throws Error(kKernel) where there is no device.
  DeviceParts();
  DeviceParts(const DeviceParts&) = delete;
  DeviceParts& operator=(const DeviceParts&) = delete;

  /// Takes room and returns its address. Throws Error(kOverflow) for what the device has no room
  /// for.
  void* add(void* host, std::size_t bytes, bool comes_back = true);
  /// Copies everything there, outputs with what they are filled with, and queues a workspace of
  /// this size and fill. Returns its address.
  void* send(const GuardedBytes& workspace);
  /// Waits for the kernel. Throws DeviceLost.
  void wait();
  /// Copies all that comes back, also what a kernel must not write to.
  void fetch();
  /// After fetch(): bytes of the red zones that do not hold what they were filled with.
  std::int64_t changed_outside() const { return changed_outside_; }
  /// The stream that all of this is queued on.
  void* stream() const { return memory_.stream(); }

 private:
  struct Part {
    void* host = nullptr;
    std::size_t bytes = 0;
    DeviceMemory::Address device = 0;  // of the data, behind its zone
    bool comes_back = true;
  };
  void fill_zones(const Part& part);
  std::int64_t changed_zones(const Part& part);

  DeviceMemory& memory_;
  std::vector<Part> parts_;
  std::int64_t changed_outside_ = 0;
};

/// The problem's tensors, scales and outputs on the device, as they lie in host memory (strides and
/// gaps kept). Lists and wanted tokens stay in host memory, as the interface has it.
class DeviceProblem {
 public:
  /// Takes room on the device. Throws as DeviceParts does.
  explicit DeviceProblem(const lvsa_problem& host);

  /// With the device's addresses.
  const lvsa_problem& problem() const { return problem_; }
  DeviceParts& parts() { return parts_; }

 private:
  const float* add_scales(const float* scales, std::int64_t heads);
  void add_tensor(lvsa_tensor& tensor, std::int64_t heads, DType dtype);

  DeviceParts parts_;
  lvsa_problem problem_;
};

}  // namespace lvsa::analysis
