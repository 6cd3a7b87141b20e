#include "tests/fuzz/fuzz_target.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "core/error.hpp"

namespace lvsa::fuzz {

std::span<const FuzzTarget> fuzz_targets() {
  static constexpr std::array kTargets = {
      FuzzTarget{"case_line", fuzz_case_line},
      FuzzTarget{"suite", fuzz_suite},
      FuzzTarget{"synthetic_words", fuzz_synthetic_words},
      FuzzTarget{"environment", fuzz_environment},
      FuzzTarget{"settings_json", fuzz_settings_json},
      FuzzTarget{"presets", fuzz_presets},
      FuzzTarget{"vectors", fuzz_vectors},
      FuzzTarget{"json", fuzz_json},
      FuzzTarget{"report_line", fuzz_report_line},
      FuzzTarget{"replay", fuzz_replay},
      FuzzTarget{"safetensors", fuzz_safetensors},
      FuzzTarget{"npy", fuzz_npy},
      FuzzTarget{"exchange", fuzz_exchange},
      FuzzTarget{"pattern_file", fuzz_pattern_file},
      FuzzTarget{"pattern_words", fuzz_pattern_words},
      FuzzTarget{"capture", fuzz_capture},
      FuzzTarget{"capture_samples", fuzz_capture_samples},
      FuzzTarget{"parallel_plan", fuzz_parallel_plan},
      FuzzTarget{"call_trace", fuzz_call_trace},
      FuzzTarget{"model_folder", fuzz_model_folder},
      FuzzTarget{"geometry_batch", fuzz_geometry_batch},
      FuzzTarget{"log", fuzz_log},
      FuzzTarget{"gate_rules", fuzz_gate_rules},
      FuzzTarget{"gate_waivers", fuzz_gate_waivers},
      FuzzTarget{"baseline", fuzz_baseline},
      FuzzTarget{"quality_table", fuzz_quality_table},
      FuzzTarget{"quality_json", fuzz_quality_json},
      FuzzTarget{"sweep_settings", fuzz_sweep_settings},
      FuzzTarget{"sweep_journal", fuzz_sweep_journal},
      FuzzTarget{"speed_json", fuzz_speed_json},
      FuzzTarget{"backend_requests", fuzz_backend_requests},
      FuzzTarget{"backend_outcomes", fuzz_backend_outcomes},
  };
  return kTargets;
}

void run_target(const FuzzTarget& target, std::string_view bytes) {
  try {
    target.run(bytes);
  } catch (const Error& error) {
    const std::string_view message = error.what();
    require(!message.empty(), "an error says something");
    require(message.find('\n') == std::string_view::npos, "an error has one line");
  }
}

void require(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

ScratchFile::ScratchFile(std::string_view bytes) : descriptor_(memfd_create("fuzz", MFD_CLOEXEC)) {
  require(descriptor_ >= 0, "a file in memory can be made");
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    require(written > 0, "a file in memory can be written");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  path_ = "/proc/self/fd/" + std::to_string(descriptor_);
}

ScratchFile::~ScratchFile() { ::close(descriptor_); }

}  // namespace lvsa::fuzz
