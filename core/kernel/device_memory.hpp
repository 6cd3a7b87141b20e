#pragma once
// Memory of an NVIDIA GPU through the driver's own library, libcuda.so.1, which is looked for when
// it is first needed: nothing of CUDA has to be there to build or to start this.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace lvsa {

/// The device's context cannot be used any more, in this process: a kernel has accessed memory that
/// is not its own, or the device has failed. Not an Error, since no other call can go on after it.
class DeviceLost : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The first device that the driver shows, its primary context (the one that the CUDA runtime uses)
/// and one stream. All work is queued on the stream, which does not wait for the default one. To be
/// used by one thread at a time.
class DeviceMemory {
 public:
  using Address = std::uint64_t;

  /// Why there is no device here, one line: "libcuda.so.1 was not found"; nothing when there is.
  static std::optional<std::string> why_none();
  /// Throws Error(kKernel) with that line.
  static DeviceMemory& first();
  /// Whether a DeviceLost has been thrown in this process.
  static bool is_lost();

  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  /// "NVIDIA H100 80GB HBM3, driver 12.8".
  const std::string& name() const { return name_; }
  /// Makes the context that of the calling thread. To be called before anything else.
  void enter();
  /// Aligned to 256 bytes. Throws Error(kOverflow) when the device has not that much.
  Address allocate(std::size_t bytes);
  void free(Address address);
  /// The following three are queued; host memory is free again when they return. Like wait(), they
  /// throw DeviceLost with the driver's own words.
  void fill(Address address, unsigned char byte, std::size_t bytes);
  void to_device(Address to, const void* from, std::size_t bytes);
  /// Waits for what is queued.
  void to_host(void* to, Address from, std::size_t bytes);
  void wait();
  /// A cudaStream_t.
  void* stream() const { return stream_; }

 private:
  struct Driver;
  DeviceMemory();
  std::string error_text(int code) const;
  void require(int code, const char* what) const;

  Driver* driver_ = nullptr;  // never freed: kernels and the driver's own threads outlive it
  void* context_ = nullptr;
  void* stream_ = nullptr;
  std::string name_;

  friend struct OpenedDevice;
};

}  // namespace lvsa
