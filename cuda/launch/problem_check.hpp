#pragma once
// What a kernel of this library refuses, in one line each, before anything is launched.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/kernel/lvsa_kernel.h"

namespace lvsa::cuda {

/// LVSA_OK, or another status with its reason in one line.
struct Verdict {
  lvsa_status status = LVSA_OK;
  std::string message;
  bool ok() const { return status == LVSA_OK; }
};

/// The problems that a kernel takes.
struct ProblemRules {
  std::uint32_t dtypes;      ///< bits of the input types
  std::uint32_t out_dtypes;  ///< of the output types; bit LVSA_DTYPE_NONE: that of the inputs
  std::int64_t head_dim_multiple;
  std::int64_t head_dim_max;
  bool copy_engine;  ///< strides positive and below 2^40 bytes, scale positive
  bool scales;       ///< q_scale, k_scale and v_scale are used
};

/// Size of the struct, sizes, types, alignment and strides. Asks no device.
Verdict check_problem(const lvsa_problem* problem, const ProblemRules& rules);

/// The host's frame lists: present, offsets ascending from 0, rows ascending, frames in the video.
Verdict check_lists(const lvsa_problem& problem);

/// The current device: there, of compute capability `least` or more (as 80 or 90) and, unless it is
/// 0, of major version `major`; the tensors fit in its memory.
Verdict check_device(const lvsa_problem& problem, int least, int major);

/// Tensors, log-sum-exp, scales and workspace lie in memory that the device reaches.
Verdict check_pointers(const lvsa_problem& problem, const void* workspace);

/// What a CUDA call said, which is then forgotten: it must not surface at a later launch.
Verdict from_cuda(cudaError_t status, const char* call);

/// Multiprocessors of the current device.
Verdict count_multiprocessors(int* count);

/// Writes the message, cut to size, and returns the status.
lvsa_status tell(const Verdict& verdict, char* message, std::size_t message_size);

}  // namespace lvsa::cuda
