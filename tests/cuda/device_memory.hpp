#pragma once
// What every test on the device needs: a gate that skips where there is none, and arrays.

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "cuda/error.hpp"
#include "cuda/launch/device.hpp"

/// First line of a test: without a usable device it is skipped, with the reason.
#define LVSA_NEEDS_DEVICE()                                             \
  do {                                                                  \
    const ::lvsa::cuda::Device device = ::lvsa::cuda::current_device(); \
    if (!device.usable) GTEST_SKIP() << device.reason;                  \
  } while (false)

namespace lvsa::cuda::test {

/// An array in device memory, filled with 0xA5 so that nothing is right by accident.
template <typename T>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t size) : size_(size) {
    if (size == 0) return;
    void* data = nullptr;
    check(cudaMalloc(&data, size * sizeof(T)), "cudaMalloc");
    data_ = static_cast<T*>(data);
    check(cudaMemset(data_, 0xA5, size * sizeof(T)), "cudaMemset");
  }
  explicit DeviceArray(const std::vector<T>& values) : DeviceArray(values.size()) { set(values); }
  ~DeviceArray() { static_cast<void>(cudaFree(data_)); }
  DeviceArray(DeviceArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* get() const { return data_; }
  std::size_t size() const { return size_; }

  void set(const std::vector<T>& values) {
    if (values.empty()) return;
    check(cudaMemcpy(data_, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice),
          "copy to the device");
  }
  /// Waits for the device and copies everything back.
  std::vector<T> read() const {
    std::vector<T> values(size_);
    check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    if (size_ > 0) {
      check(cudaMemcpy(values.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost),
            "copy from the device");
    }
    return values;
  }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace lvsa::cuda::test
