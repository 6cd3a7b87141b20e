#pragma once
// CUDA calls that failed, as the library's one error type.

#include <cuda_runtime_api.h>

namespace lvsa::cuda {

/// Throws Error(kKernel) "<what>: <text of the error>" unless the call succeeded.
void check(cudaError_t status, const char* what);

/// The same for the launch just before: asks for, and clears, the last error of this thread.
void check_launch(const char* kernel);

}  // namespace lvsa::cuda
