#include "cuda/error.hpp"

#include <string>

#include "core/error.hpp"

namespace lvsa::cuda {

void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  throw Error(ErrorKind::kKernel, std::string(what) + ": " + cudaGetErrorString(status) + " (" +
                                      cudaGetErrorName(status) + ")");
}

void check_launch(const char* kernel) { check(cudaGetLastError(), kernel); }

}  // namespace lvsa::cuda
