#pragma once
// The parsers under fuzzing, one target each: what LVSA_FUZZ_TARGET names for lvsa_fuzz, and whose
// corpus lies in fixtures/fuzz/<name>/.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace lvsa::fuzz {

struct FuzzTarget {
  const char* name;
  void (*run)(std::string_view bytes);
};

std::span<const FuzzTarget> fuzz_targets();

/// Runs a target. An Error is what bad input gives, if its message is one line that says something;
/// any other exception leaves this function. Aborts (through require()) where a target finds a
/// contradiction.
void run_target(const FuzzTarget& target, std::string_view bytes);

/// Ends the process with a message when `good` is false: in all builds, for fuzzers see it so.
void require(bool good, const char* what);

/// A file in memory with these bytes, under a path that others can open.
class ScratchFile {
 public:
  explicit ScratchFile(std::string_view bytes);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  int descriptor_ = -1;
  std::string path_;
};

void fuzz_case_line(std::string_view bytes);
void fuzz_suite(std::string_view bytes);
void fuzz_synthetic_words(std::string_view bytes);
void fuzz_environment(std::string_view bytes);
void fuzz_settings_json(std::string_view bytes);
void fuzz_presets(std::string_view bytes);
void fuzz_vectors(std::string_view bytes);
void fuzz_json(std::string_view bytes);
void fuzz_report_line(std::string_view bytes);
void fuzz_replay(std::string_view bytes);
void fuzz_safetensors(std::string_view bytes);
void fuzz_npy(std::string_view bytes);
void fuzz_exchange(std::string_view bytes);
void fuzz_pattern_file(std::string_view bytes);
void fuzz_pattern_words(std::string_view bytes);
void fuzz_capture(std::string_view bytes);
void fuzz_capture_samples(std::string_view bytes);
void fuzz_parallel_plan(std::string_view bytes);
void fuzz_call_trace(std::string_view bytes);
void fuzz_model_folder(std::string_view bytes);
void fuzz_geometry_batch(std::string_view bytes);
void fuzz_log(std::string_view bytes);
void fuzz_gate_rules(std::string_view bytes);
void fuzz_gate_waivers(std::string_view bytes);
void fuzz_baseline(std::string_view bytes);
void fuzz_quality_table(std::string_view bytes);
void fuzz_quality_json(std::string_view bytes);
void fuzz_sweep_settings(std::string_view bytes);
void fuzz_sweep_journal(std::string_view bytes);
void fuzz_speed_json(std::string_view bytes);
void fuzz_backend_requests(std::string_view bytes);
void fuzz_backend_outcomes(std::string_view bytes);

}  // namespace lvsa::fuzz
