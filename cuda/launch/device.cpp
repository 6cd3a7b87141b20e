#include "cuda/launch/device.hpp"

#include <cuda_runtime_api.h>

namespace lvsa::cuda {
namespace {

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// A failed query must not surface at the next launch.
std::string reason_of(cudaError_t status) {
  static_cast<void>(cudaGetLastError());
  return std::string(cudaGetErrorString(status)) + " (" + cudaGetErrorName(status) + ")";
}

}  // namespace

Device current_device() {
  Device device;
  static_cast<void>(cudaDriverGetVersion(&device.driver));
  static_cast<void>(cudaRuntimeGetVersion(&device.runtime));
  int count = 0;
  int index = 0;
  cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess && count > 0) status = cudaGetDevice(&index);
  if (status != cudaSuccess || count == 0) {
    device.reason = "no CUDA device: " +
                    (status != cudaSuccess ? reason_of(status) : std::string("none is visible"));
    // The driver's own wording does not tell the two versions.
    if (status == cudaErrorInsufficientDriver && device.driver > 0) {
      device.reason += "; the driver serves CUDA " + version_text(device.driver) + ", " +
                       version_text(device.runtime) + " is due";
    }
    return device;
  }
  cudaDeviceProp properties;
  status = cudaGetDeviceProperties(&properties, index);
  if (status != cudaSuccess) {
    device.reason =
        "CUDA device " + std::to_string(index) + " cannot be asked: " + reason_of(status);
    return device;
  }
  device.usable = true;
  device.name = properties.name;
  device.major = properties.major;
  device.minor = properties.minor;
  device.multiprocessors = properties.multiProcessorCount;
  device.memory_bytes = properties.totalGlobalMem;
  return device;
}

}  // namespace lvsa::cuda
