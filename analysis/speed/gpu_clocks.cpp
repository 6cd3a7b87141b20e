#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <type_traits>

#include "analysis/speed/machine_state.hpp"

namespace lvsa::analysis {
namespace {

constexpr int kSuccess = 0;
constexpr int kClockSm = 1;
constexpr int kSensorGpu = 0;

}  // namespace

// The entry points that are used, with the types of the library's interface (nvml.h, cuda.h):
// results and enumerations are int, devices are pointers.
struct GpuClocks::Library {
  int (*init)() = nullptr;
  int (*shutdown)() = nullptr;
  int (*by_bus)(const char*, void**) = nullptr;
  int (*by_index)(unsigned, void**) = nullptr;
  int (*clock)(void*, int, unsigned*) = nullptr;
  int (*power)(void*, unsigned*) = nullptr;
  int (*temperature)(void*, int, unsigned*) = nullptr;
  int (*throttle)(void*, unsigned long long*) = nullptr;
  void* device = nullptr;
  bool started = false;

  ~Library() {
    if (started) shutdown();
  }

  bool open() {
    void* const library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return false;
    const auto find = [library](auto& function, const char* name) {
      function =
          reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
      return function != nullptr;
    };
    const bool all =
        find(init, "nvmlInit_v2") && find(shutdown, "nvmlShutdown") &&
        find(by_bus, "nvmlDeviceGetHandleByPciBusId_v2") &&
        find(by_index, "nvmlDeviceGetHandleByIndex_v2") && find(clock, "nvmlDeviceGetClockInfo") &&
        find(power, "nvmlDeviceGetPowerUsage") && find(temperature, "nvmlDeviceGetTemperature") &&
        find(throttle, "nvmlDeviceGetCurrentClocksThrottleReasons");
    if (!all) return false;
    started = init() == kSuccess;
    if (!started) return false;
    const std::string bus = first_bus();
    return (!bus.empty() && by_bus(bus.c_str(), &device) == kSuccess) ||
           by_index(0, &device) == kSuccess;
  }

  // CUDA may count the devices in another order than this library.
  static std::string first_bus() {
    void* const driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (driver == nullptr) return "";
    const auto start = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
    const auto bus =
        reinterpret_cast<int (*)(char*, int, int)>(dlsym(driver, "cuDeviceGetPCIBusId"));
    const auto get = reinterpret_cast<int (*)(int*, int)>(dlsym(driver, "cuDeviceGet"));
    std::array<char, 64> text{};
    int device = 0;
    if (start == nullptr || bus == nullptr || get == nullptr || start(0) != kSuccess ||
        get(&device, 0) != kSuccess ||
        bus(text.data(), static_cast<int>(text.size()) - 1, device) != kSuccess) {
      return "";
    }
    return text.data();
  }
};

GpuClocks::GpuClocks() : library_(std::make_unique<Library>()) {
  if (!library_->open()) library_.reset();
}

GpuClocks::~GpuClocks() = default;

std::optional<double> GpuClocks::sm_mhz() const {
  unsigned mhz = 0;
  if (library_ == nullptr || library_->clock(library_->device, kClockSm, &mhz) != kSuccess) {
    return std::nullopt;
  }
  return mhz;
}

void GpuClocks::fill(MachineState& state) const {
  if (library_ == nullptr) return;
  state.gpu_sm_mhz = sm_mhz();
  unsigned value = 0;
  if (library_->power(library_->device, &value) == kSuccess) state.gpu_power_w = value / 1000.0;
  if (library_->temperature(library_->device, kSensorGpu, &value) == kSuccess) {
    state.gpu_temperature_c = value;
  }
  unsigned long long bits = 0;
  if (library_->throttle(library_->device, &bits) == kSuccess) state.gpu_throttle = bits;
}

std::string throttle_text(std::uint64_t bits) {
  struct Reason {
    std::uint64_t bit;
    const char* name;
  };
  // nvmlClocksThrottleReason*; idle (1), settings (2) and the power cap (4) are ordinary.
  constexpr std::array<Reason, 4> kReasons = {{{0x8, "hardware slowdown"},
                                               {0x20, "heat"},
                                               {0x40, "heat (hardware)"},
                                               {0x80, "power brake"}}};
  std::string text;
  for (const Reason& reason : kReasons) {
    if ((bits & reason.bit) == 0) continue;
    text += fmt::format("{}{}", text.empty() ? "" : ", ", reason.name);
  }
  return text;
}

}  // namespace lvsa::analysis
