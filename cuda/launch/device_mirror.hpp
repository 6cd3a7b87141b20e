#pragma once
// Stretches of host memory and their copies on the device.

#include <cstddef>
#include <cstdint>

namespace lvsa::cuda {

class DeviceBytes {
 public:
  /// Throws Error(kKernel) when the device has no such memory.
  explicit DeviceBytes(std::size_t size);
  ~DeviceBytes();
  DeviceBytes(const DeviceBytes&) = delete;
  DeviceBytes& operator=(const DeviceBytes&) = delete;
  char* get() const { return static_cast<char*>(data_); }

 private:
  void* data_ = nullptr;
};

/// A stretch of host memory and its copy on the device, at the same place within 16 bytes, between
/// margins of NaN.
class Mirror {
 public:
  Mirror(void* host, std::size_t bytes);
  char* data() const;
  void copy_back() const;

 private:
  void* host_;
  std::size_t bytes_;
  DeviceBytes memory_;
};

/// Elements from the first to the last one, gaps included. Throws Error(kKernel) for strides below
/// 0.
std::size_t extent(const std::int64_t* sizes, const std::int64_t* strides, int dimensions);

}  // namespace lvsa::cuda
