#pragma once
// Memory of a GPU that is given back, and clocks.

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "core/kernel/device_memory.hpp"

namespace lvsa::analysis {

/// Device memory for as long as this lives; what stands in it stays there from call to call.
class DeviceRoom {
 public:
  explicit DeviceRoom(std::size_t bytes)
      : memory_(DeviceMemory::first()),
        address_(memory_.allocate(std::max<std::size_t>(1, bytes))) {}
  DeviceRoom(const DeviceRoom&) = delete;
  DeviceRoom& operator=(const DeviceRoom&) = delete;
  ~DeviceRoom() {
    try {
      if (!DeviceMemory::is_lost()) memory_.free(address_);
    } catch (const DeviceLost&) {  // nothing more can be done
    }
  }
  void* address() const { return reinterpret_cast<void*>(address_); }
  void fill_from(const void* host, std::size_t bytes) { memory_.to_device(address_, host, bytes); }

 private:
  DeviceMemory& memory_;
  DeviceMemory::Address address_;
};

/// Seconds on the wall, from some moment on.
inline double wall_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Seconds of this process's processors.
inline double cpu_s() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace lvsa::analysis
