#include "analysis/app/bench_simulate.hpp"

#include <fmt/format.h>

#include "analysis/app/command.hpp"
#include "analysis/speed/simulate.hpp"

namespace lvsa::app {
namespace {

using analysis::SpeedVerdict;

double percent(std::int64_t part, std::int64_t of) {
  return of == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(of);
}

// One row; false where it does not keep what is promised.
bool simulate_row(analysis::NoiseModel model, const analysis::SimulationSettings& settings) {
  const analysis::SimulationOutcome o = analysis::simulate(model, settings);
  const auto of = [](const std::vector<std::int64_t>& counts, SpeedVerdict verdict) {
    return counts[static_cast<std::size_t>(verdict)];
  };
  std::int64_t equal = 0;
  for (const std::int64_t count : o.equal) equal += count;
  const double alarms = percent(o.false_alarms, o.runs);
  const double found = percent(of(o.changed, SpeedVerdict::kSlower), o.runs);
  const double missed = percent(of(o.changed, SpeedVerdict::kSame), o.runs);
  fmt::print(
      "| {:<11} | {:>6.0f} | {:>6.0f} % | {:>8.2f} % | {:>7.2f} % | {:>7.2f} % | {:>8.2f} % |\n",
      analysis::noise_name(model), o.mean_blocks, (settings.slowdown - 1.0) * 100.0, alarms, found,
      missed, percent(of(o.equal, SpeedVerdict::kSame), equal));
  constexpr double kMostAlarms = 1.0;
  constexpr double kLeastFound = 95.0;
  return alarms < kMostAlarms && (settings.slowdown < 1.0999 || found > kLeastFound);
}

}  // namespace

void add_simulate_options(CLI::App* command, SimulateOptions& options) {
  constexpr const char* kGroup = "With --simulate";
  command->add_option("--runs", options.runs, "Runs for each row of the table")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{100'000'000}))
      ->group(kGroup);
  command->add_option("--cases", options.cases, "Cases of a run; the first one is the slower one")
      ->capture_default_str()
      ->check(CLI::Range(2, 10'000))
      ->group(kGroup);
  command->add_option("--seed", options.seed, "Other seeds, other random numbers")
      ->capture_default_str()
      ->group(kGroup);
  command->add_option("--noise", options.noise, "Only these models of noise (default: all)")
      ->type_name("NAME")
      ->group(kGroup);
  command->add_option("--slower", options.slowdowns, "Percent by which the first case is slower")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1000.0))
      ->type_name("PERCENT")
      ->group(kGroup);
}

int run_simulation(const SimulateOptions& options) {
  std::vector<analysis::NoiseModel> models;
  for (const std::string& name : options.noise) models.push_back(analysis::parse_noise(name));
  if (models.empty()) {
    const auto all = analysis::all_noise_models();
    models.assign(all.begin(), all.end());
  }
  fmt::print("{} runs a row, {} cases a run, seed {}\n\n", options.runs, options.cases,
             options.seed);
  for (const analysis::NoiseModel model : models) {
    fmt::print("{:<11} {}\n", analysis::noise_name(model), analysis::noise_description(model));
  }
  fmt::print(
      "\n| noise       | blocks | slower   | false     | found     | missed    | equal:     |\n"
      "|             | a case | by       | alarms    | SLOWER    | SAME      | SAME       |\n"
      "|-------------|--------|----------|-----------|-----------|-----------|------------|\n");
  bool kept = true;
  for (const double slowdown : options.slowdowns) {
    analysis::SimulationSettings settings;
    settings.runs = options.runs;
    settings.cases = options.cases;
    settings.seed = options.seed;
    settings.slowdown = 1.0 + slowdown / 100.0;
    for (const analysis::NoiseModel model : models) {
      kept = simulate_row(model, settings) && kept;
    }
  }
  fmt::print("\n{}\n", kept ? "kept: false alarms under 1 % of runs, 10 % slower found in over 95 %"
                            : "NOT kept: false alarms under 1 %, 10 % slower found in over 95 %");
  return kept ? kAllGood : kCheckFailed;
}

}  // namespace lvsa::app
