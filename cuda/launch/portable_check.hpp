#pragma once
// What the portable kernel refuses, in one line each, before anything is launched.

#include <cstddef>
#include <string>

#include "core/kernel/lvsa_kernel.h"
#include "cuda/attention/portable/parameters.hpp"

namespace lvsa::cuda {

/// LVSA_OK, or another status with its reason.
struct Verdict {
  lvsa_status status = LVSA_OK;
  std::string message;
  bool ok() const { return status == LVSA_OK; }
};

/// Sizes, types, alignment and strides. Asks no device.
Verdict check_portable_sizes(const lvsa_problem& problem);

/// The host's frame lists: present, offsets ascending from 0, rows ascending, frames in the video.
Verdict check_portable_lists(const lvsa_problem& problem);

/// The current device: there, and of compute capability 8.0 or more; the tensors fit in its memory.
Verdict check_portable_device(const lvsa_problem& problem);

/// Tensors, log-sum-exp and workspace lie in memory that the device reaches.
Verdict check_portable_pointers(const lvsa_problem& problem, const void* workspace);

/// The kernel's parameters for a problem that passed check_portable_sizes; the lists stay null.
portable::Parameters portable_parameters(const lvsa_problem& problem);

}  // namespace lvsa::cuda
