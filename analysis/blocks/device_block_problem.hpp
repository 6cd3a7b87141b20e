#pragma once
// A block problem in host memory, moved to a device for kernels that want device memory, and back.

#include "analysis/verify/device_problem.hpp"
#include "core/blocks/lvsa_blocks.h"

namespace lvsa::analysis {

/// As DeviceProblem. Maps, masks and orders stay in host memory, as the interface has it.
class DeviceBlockProblem {
 public:
  explicit DeviceBlockProblem(const lvsa_block_problem& host);

  /// With the device's addresses.
  const lvsa_block_problem& problem() const { return problem_; }
  DeviceParts& parts() { return parts_; }

 private:
  void add_tensor(lvsa_tensor& tensor, std::int64_t tokens, std::int64_t heads, DType dtype);

  DeviceParts parts_;
  lvsa_block_problem problem_;
};

}  // namespace lvsa::analysis
