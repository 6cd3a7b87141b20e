#include "analysis/speed/machine_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

namespace lvsa::analysis {
namespace {

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::optional<double> number_in(const std::string& text) {
  std::istringstream stream(text);
  double value = 0.0;
  if (stream >> value) return value;
  return std::nullopt;
}

// Mean over the processors of what frequency scaling says, else of /proc/cpuinfo.
std::optional<double> cpu_mhz() {
  double sum = 0.0;
  double count = 0.0;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator("/sys/devices/system/cpu/cpufreq", ignored)) {
    if (const auto khz = number_in(first_line(entry.path() / "scaling_cur_freq"))) {
      sum += *khz / 1000.0;
      count += 1.0;
    }
  }
  if (count == 0.0) {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
      if (line.rfind("cpu MHz", 0) != 0) continue;
      if (const auto mhz = number_in(line.substr(line.find(':') + 1))) {
        sum += *mhz;
        count += 1.0;
      }
    }
  }
  if (count == 0.0) return std::nullopt;
  return sum / count;
}

}  // namespace

double probe_cpu_ghz() {
  constexpr int kTries = 3;
  constexpr int kSteps = 10'000;
  constexpr double kCyclesAStep = 4.0;  // multiplication 3, addition 1
  double best = std::numeric_limits<double>::infinity();
  std::uint64_t x = 88172645463325252ULL;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kSteps; ++i) {
      x = x * 6364136223846793005ULL + 1442695040888963407ULL;
      asm volatile("" : "+r"(x));  // neither shortened nor left out
    }
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::min(best, seconds);
  }
  return kCyclesAStep * kSteps / best * 1e-9;
}

MachineState machine_state(const GpuClocks* gpu) {
  MachineState state;
  state.load_1min = number_in(first_line("/proc/loadavg"));
  state.cpu_mhz = cpu_mhz();
  state.cpu_probe_ghz = probe_cpu_ghz();
  state.governor = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  if (gpu != nullptr && gpu->is_open()) gpu->fill(state);
  return state;
}

StealCounter StealCounter::now() {
  // "cpu  user nice system idle iowait irq softirq steal guest guest_nice"; guest is part of user.
  std::istringstream line(first_line("/proc/stat"));
  std::string word;
  line >> word;
  StealCounter counter;
  double value = 0.0;
  for (int i = 0; i < 8 && line >> value; ++i) {
    counter.all += value;
    if (i == 7) counter.stolen = value;
  }
  return counter;
}

double StealCounter::share_since(const StealCounter& start) const {
  const double passed = all - start.all;
  return passed > 0.0 ? std::max(0.0, stolen - start.stolen) / passed : 0.0;
}

}  // namespace lvsa::analysis
