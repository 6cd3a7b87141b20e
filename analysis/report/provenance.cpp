#include "analysis/report/provenance.hpp"

#include <H5public.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <sys/utsname.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>
#include <thread>

#include "core/version.hpp"

namespace lvsa::analysis {
namespace {

constexpr const char* kUnknown = "unknown";

#ifdef _OPENMP
constexpr int kOpenMp = _OPENMP;
#else
constexpr int kOpenMp = 0;
#endif

std::string trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\"");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t\"") - first + 1));
}

// Value of the first line "name <separator> value" of a file; empty when there is none.
std::string file_value(const char* path, std::string_view name, char separator) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t at = line.find(separator);
    if (at != std::string::npos && trim(line.substr(0, at)) == name)
      return trim(line.substr(at + 1));
  }
  return "";
}

std::string machine_name() {
  utsname names{};
  return uname(&names) == 0 ? names.machine : kUnknown;
}

std::string cpu_model() {
  const std::string model = file_value("/proc/cpuinfo", "model name", ':');
  return model.empty() ? machine_name() : model;
}

// The extensions that matter for attention kernels, of those that the processor has.
std::string vector_extensions() {
  constexpr std::array<std::string_view, 22> kKnown = {
      "sse4_2",      "avx",      "f16c",     "fma",      "avx2",        "avx_vnni",
      "avx512f",     "avx512bw", "avx512dq", "avx512vl", "avx512_vnni", "avx512_bf16",
      "avx512_fp16", "amx_bf16", "amx_tile", "amx_int8", "asimd",       "asimdhp",
      "asimddp",     "bf16",     "sve",      "sve2"};
  std::string flags = file_value("/proc/cpuinfo", "flags", ':');
  if (flags.empty()) flags = file_value("/proc/cpuinfo", "Features", ':');
  std::istringstream words(flags);
  std::string found;
  for (std::string word; words >> word;) {
    if (std::find(kKnown.begin(), kKnown.end(), word) == kKnown.end()) continue;
    found += (found.empty() ? "" : " ") + word;
  }
  return found.empty() ? kUnknown : found;
}

// What an OpenMP program of this process would use: the variable, else the processors allowed.
std::string thread_count() {
  if (const char* text = std::getenv("OMP_NUM_THREADS")) {
    const std::string_view first =
        std::string_view(text).substr(0, std::string_view(text).find(','));
    int threads = 0;
    const auto parsed = std::from_chars(first.data(), first.data() + first.size(), threads);
    if (parsed.ec == std::errc() && threads > 0) return std::to_string(threads);
  }
  return std::to_string(std::max(1U, std::thread::hardware_concurrency()));
}

std::string operating_system() {
  utsname names{};
  const std::string kernel =
      uname(&names) == 0 ? fmt::format("{} {} {}", names.sysname, names.release, names.machine)
                         : kUnknown;
  const std::string distribution = file_value("/etc/os-release", "PRETTY_NAME", '=');
  return distribution.empty() ? kernel : fmt::format("{} ({})", distribution, kernel);
}

// What the driver tells without any library of its own.
std::string gpu_names() {
  std::string names;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", ignored)) {
    const std::string model = file_value((entry.path() / "information").c_str(), "Model", ':');
    if (!model.empty()) names += (names.empty() ? "" : ", ") + model;
  }
  return names.empty() ? "none" : names;
}

std::string gpu_driver() {
  std::ifstream file("/proc/driver/nvidia/version");
  std::string line;
  return std::getline(file, line) ? trim(line) : "none";
}

std::string libraries() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format(
      "HDF5 {}.{}.{}, zlib {}, glibc {}, fmt {}.{}.{}, nlohmann-json {}.{}.{}, OpenMP {}", major,
      minor, release, zlibVersion(), gnu_get_libc_version(), FMT_VERSION / 10000,
      FMT_VERSION / 100 % 100, FMT_VERSION % 100, NLOHMANN_JSON_VERSION_MAJOR,
      NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH, kOpenMp);
}

std::string utc_now() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now));
}

}  // namespace

Provenance collect_provenance(const std::string& command_line) {
  return {
      {"version", std::string(kVersion)},
      {"commit", std::string(kCommit)},
      {"compiler", std::string(kCompiler)},
      {"build_type", std::string(kBuildType)},
      {"flags", std::string(kCompilerFlags)},
      {"cpu", cpu_model()},
      {"threads", thread_count()},
      {"vector_extensions", vector_extensions()},
      {"operating_system", operating_system()},
      {"libraries", libraries()},
      {"gpu", gpu_names()},
      {"gpu_driver", gpu_driver()},
      {"time", utc_now()},
      {"command_line", command_line},
  };
}

Provenance timeless(Provenance provenance) {
  std::erase_if(provenance, [](const auto& entry) {
    return entry.first == "time" || entry.first == "threads" || entry.first == "command_line";
  });
  return provenance;
}

Provenance joined(const Provenance& first, const Provenance& second) {
  Provenance all = first;
  for (const auto& [name, value] : second) {
    const auto known = std::find_if(
        all.begin(), all.end(), [&key = name](const auto& entry) { return entry.first == key; });
    if (known == all.end()) {
      all.emplace_back(name, value);
    } else if (fmt::format(" | {} | ", known->second).find(fmt::format(" | {} | ", value)) ==
               std::string::npos) {
      known->second += " | " + value;
    }
  }
  return all;
}

}  // namespace lvsa::analysis
