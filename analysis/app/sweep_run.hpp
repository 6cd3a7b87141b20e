#pragma once
// What `lvsa-verify sweep` does.

#include <cstdint>
#include <string>

#include "analysis/app/sample_options.hpp"
#include "analysis/app/setting_options.hpp"
#include "analysis/app/stop_signals.hpp"
#include "analysis/app/sweep_outcome.hpp"
#include "analysis/sweep/sweep_folder.hpp"

namespace lvsa::app {

struct SweepOptions {
  SampleOptions samples;
  SettingOptions settings;
  std::int64_t rows_per_frame = 8;
  std::uint64_t row_seed = 1;
  std::int64_t patterns_per_unit = 0;  ///< 0: by the frames
  int threads = 0;
  std::string out = "sweep-out";
  analysis::FolderMode folder;
  std::string shard = "1/1";
  bool mpi = false;
  bool quiet = false;
  SweepOutcomeOptions outcome;
};

/// For work between units, which a signal ends after the one in hand: to be called before anything
/// else starts threads. OpenMP's then never take a signal; the main thread holds them back while it
/// computes.
void start_threads();
/// Whether a signal has come.
bool was_stopped(const StopSignals& signals);

/// Returns an exit code.
int run_sweep(const SweepOptions& options, const std::string& command_line);

}  // namespace lvsa::app
