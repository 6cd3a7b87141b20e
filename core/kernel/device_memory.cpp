#include "core/kernel/device_memory.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <atomic>
#include <type_traits>

#include "core/error.hpp"

namespace lvsa {
namespace {

constexpr const char* kLibrary = "libcuda.so.1";
constexpr int kSuccess = 0;
constexpr int kOutOfMemory = 2;
constexpr unsigned kStreamNonBlocking = 1;

std::atomic<bool> lost = false;

// The constructor's way to say that there is no device to work with.
struct NoDevice {
  std::string why;
};

}  // namespace

// The entry points that are used, with the types of the driver's interface (cuda.h): CUresult and
// CUdevice are int, CUdeviceptr has the size of a pointer, contexts and streams are pointers.
struct DeviceMemory::Driver {
  int (*init)(unsigned);
  int (*driver_version)(int*);
  int (*device_count)(int*);
  int (*device_get)(int*, int);
  int (*device_name)(char*, int, int);
  int (*context_retain)(void**, int);
  int (*context_set)(void*);
  int (*stream_create)(void**, unsigned);
  int (*stream_synchronize)(void*);
  int (*allocate)(Address*, std::size_t);
  int (*free)(Address);
  int (*fill)(Address, unsigned char, std::size_t, void*);
  int (*to_device)(Address, const void*, std::size_t, void*);
  int (*to_host)(void*, Address, std::size_t, void*);
  int (*error_name)(int, const char**);
  int (*error_string)(int, const char**);

  Driver() {
    void* const library = dlopen(kLibrary, RTLD_NOW | RTLD_GLOBAL);
    if (library == nullptr) throw NoDevice{fmt::format("{} was not found", kLibrary)};
    const auto find = [library](auto& function, const char* name) {
      void* const found = dlsym(library, name);
      if (found == nullptr) throw NoDevice{fmt::format("{} has no {}", kLibrary, name)};
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(found);
    };
    find(init, "cuInit");
    find(driver_version, "cuDriverGetVersion");
    find(device_count, "cuDeviceGetCount");
    find(device_get, "cuDeviceGet");
    find(device_name, "cuDeviceGetName");
    find(context_retain, "cuDevicePrimaryCtxRetain");
    find(context_set, "cuCtxSetCurrent");
    find(stream_create, "cuStreamCreate");
    find(stream_synchronize, "cuStreamSynchronize");
    find(allocate, "cuMemAlloc_v2");
    find(free, "cuMemFree_v2");
    find(fill, "cuMemsetD8Async");
    find(to_device, "cuMemcpyHtoDAsync_v2");
    find(to_host, "cuMemcpyDtoHAsync_v2");
    find(error_name, "cuGetErrorName");
    find(error_string, "cuGetErrorString");
  }
};

std::string DeviceMemory::error_text(int code) const {
  const char* name = nullptr;
  const char* text = nullptr;
  driver_->error_name(code, &name);
  driver_->error_string(code, &text);
  return fmt::format("{} ({}{}{})", name != nullptr ? name : "unknown CUDA error", code,
                     text != nullptr ? ": " : "", text != nullptr ? text : "");
}

void DeviceMemory::require(int code, const char* what) const {
  if (code == kSuccess) return;
  lost = true;
  throw DeviceLost(fmt::format("the GPU's context is lost: {} gives {}", what, error_text(code)));
}

DeviceMemory::DeviceMemory() : driver_(new Driver) {
  const auto due = [this](int code, const char* what) {
    if (code != kSuccess) throw NoDevice{fmt::format("{} gives {}", what, error_text(code))};
  };
  int count = 0;
  due(driver_->init(0), "cuInit");
  due(driver_->device_count(&count), "cuDeviceGetCount");
  if (count < 1) throw NoDevice{"the driver shows no GPU"};
  int device = 0;
  int version = 0;
  std::array<char, 256> name{};
  due(driver_->device_get(&device, 0), "cuDeviceGet");
  due(driver_->driver_version(&version), "cuDriverGetVersion");
  due(driver_->device_name(name.data(), static_cast<int>(name.size()) - 1, device),
      "cuDeviceGetName");
  due(driver_->context_retain(&context_, device), "cuDevicePrimaryCtxRetain");
  due(driver_->context_set(context_), "cuCtxSetCurrent");
  due(driver_->stream_create(&stream_, kStreamNonBlocking), "cuStreamCreate");
  name_ = fmt::format("{}, driver {}.{}", name.data(), version / 1000, version % 1000 / 10);
}

// What looking for a device once has come to.
struct OpenedDevice {
  DeviceMemory* device = nullptr;
  std::string why_none;

  static const OpenedDevice& get() {
    static const OpenedDevice opened;
    return opened;
  }

 private:
  OpenedDevice() {
    try {
      device = new DeviceMemory;  // never freed, as the driver
    } catch (const NoDevice& none) {
      why_none = none.why;
    }
  }
};

std::optional<std::string> DeviceMemory::why_none() {
  const OpenedDevice& opened = OpenedDevice::get();
  if (opened.device != nullptr) return std::nullopt;
  return opened.why_none;
}

DeviceMemory& DeviceMemory::first() {
  if (const auto why = why_none()) {
    throw Error(ErrorKind::kKernel, fmt::format("no device memory here: {}", *why));
  }
  return *OpenedDevice::get().device;
}

bool DeviceMemory::is_lost() { return lost; }

void DeviceMemory::enter() { require(driver_->context_set(context_), "cuCtxSetCurrent"); }

DeviceMemory::Address DeviceMemory::allocate(std::size_t bytes) {
  Address address = 0;
  const int code = driver_->allocate(&address, bytes);
  if (code == kOutOfMemory) {
    throw Error(ErrorKind::kOverflow, fmt::format("no device memory for {} bytes", bytes));
  }
  require(code, "cuMemAlloc");
  return address;
}

void DeviceMemory::free(Address address) { require(driver_->free(address), "cuMemFree"); }

void DeviceMemory::fill(Address address, unsigned char byte, std::size_t bytes) {
  if (bytes == 0) return;
  require(driver_->fill(address, byte, bytes, stream_), "cuMemsetD8Async");
}

void DeviceMemory::to_device(Address to, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  require(driver_->to_device(to, from, bytes, stream_), "cuMemcpyHtoDAsync");
}

void DeviceMemory::to_host(void* to, Address from, std::size_t bytes) {
  if (bytes == 0) return;
  require(driver_->to_host(to, from, bytes, stream_), "cuMemcpyDtoHAsync");
  wait();
}

void DeviceMemory::wait() {
  require(driver_->stream_synchronize(stream_), "waiting for the kernel's stream");
}

}  // namespace lvsa
