#include "cuda/launch/device_mirror.hpp"

#include <cuda_runtime_api.h>

#include "core/error.hpp"
#include "cuda/error.hpp"

namespace lvsa::cuda {
namespace {

constexpr std::size_t kMargin = 4096;  // bytes of NaN on both sides

}  // namespace

DeviceBytes::DeviceBytes(std::size_t size) { check(cudaMalloc(&data_, size), "cudaMalloc"); }

DeviceBytes::~DeviceBytes() { static_cast<void>(cudaFree(data_)); }

Mirror::Mirror(void* host, std::size_t bytes)
    : host_(host), bytes_(bytes), memory_(bytes + 2 * kMargin + 16) {
  check(cudaMemset(memory_.get(), 0xff, bytes + 2 * kMargin + 16), "cudaMemset");
  if (bytes > 0) check(cudaMemcpy(data(), host, bytes, cudaMemcpyHostToDevice), "copy to device");
}

char* Mirror::data() const {
  return memory_.get() + kMargin + reinterpret_cast<std::uintptr_t>(host_) % 16;
}

void Mirror::copy_back() const {
  if (bytes_ == 0) return;
  check(cudaMemcpy(host_, data(), bytes_, cudaMemcpyDeviceToHost), "copy from device");
}

std::size_t extent(const std::int64_t* sizes, const std::int64_t* strides, int dimensions) {
  std::int64_t last = 0;
  for (int i = 0; i < dimensions; ++i) {
    std::int64_t step = 0;
    if (sizes[i] < 1) return 0;
    if (strides[i] < 0 || __builtin_mul_overflow(sizes[i] - 1, strides[i], &step) ||
        __builtin_add_overflow(last, step, &last)) {
      throw Error(ErrorKind::kKernel, "a stride below 0, or sizes and strides beyond 64 bits");
    }
  }
  return static_cast<std::size_t>(last) + 1;
}

}  // namespace lvsa::cuda
