#pragma once
// lvsa-verify bench --simulate

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace lvsa::app {

struct SimulateOptions {
  std::int64_t runs = 1000;
  std::int64_t cases = 10;
  std::uint64_t seed = 1;
  std::vector<std::string> noise;                 ///< names; none: all
  std::vector<double> slowdowns{0.0, 5.0, 10.0};  ///< percent
};

void add_simulate_options(CLI::App* command, SimulateOptions& options);

/// Prints a table. Exit code 1 when false alarms are no rarer than 1 % of the runs, or slowdowns of
/// 10 % and more found in no more than 95 %.
int run_simulation(const SimulateOptions& options);

}  // namespace lvsa::app
