#pragma once
// How often the verdicts are wrong: comparisons made up from models of a machine's noise, judged by
// the same analyse_speed() as measured ones.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/speed/speed_result.hpp"

namespace lvsa::analysis {

/// What disturbs the times of a simulated machine. All but kQuiet come on top of 1 % of normal
/// noise.
enum class NoiseModel {
  kQuiet,       ///< normal, 0.3 %
  kGaussian,    ///< normal, 4 %
  kLognormal,   ///< log-normal, 8 %: long to the right
  kHeavyTails,  ///< Student's t of two degrees of freedom, times 2 %: no variance
  kSpikes,      ///< one time in ten takes 10 to 200 % longer: interruptions
  kDrift,       ///< 30 % slower from the first to the last block, and a random walk of 1 % a step
  kBimodal,     ///< two clocks 25 % apart, changed at random every 50 times on average
  kCorrelated,  ///< each deviation is 0.95 of the one before plus noise; 5 % altogether
  kNeighbour,   ///< bursts of another program: 30 % of the time 20 to 100 % slower, anew each time
  kLayout,      ///< each process makes each kernel 0.7 % faster or slower for as long as it lives
};
std::span<const NoiseModel> all_noise_models();
std::string_view noise_name(NoiseModel model);
std::string_view noise_description(NoiseModel model);
/// Throws Error(kValue) naming the text and the known names.
NoiseModel parse_noise(std::string_view name);

struct SimulationSettings {
  std::int64_t runs = 1000;
  std::int64_t cases = 10;
  std::int64_t blocks = 0;   ///< of a case; 0: by a pilot, as in a measurement
  std::int64_t rounds = 15;  ///< processes
  std::uint64_t seed = 1;
  double slowdown = 1.0;  ///< true ratio of B to A in the first case; the others are equal
};

/// What the runs came to.
struct SimulationOutcome {
  std::int64_t runs = 0;
  double mean_blocks = 0.0;       ///< of a case
  std::int64_t false_alarms = 0;  ///< runs with FASTER or SLOWER in a case without a difference
  std::int64_t wrong_way = 0;     ///< runs where the changed case is called FASTER
  /// Verdicts of the changed case (with a slowdown of 1, of the first one), in SpeedVerdict's
  /// order.
  std::vector<std::int64_t> changed{0, 0, 0, 0};
  std::vector<std::int64_t> equal{0, 0, 0, 0};  ///< of all other cases together
};

/// The ratios of one run; only with them, analyse_speed() has not been called.
SpeedComparison simulated_comparison(NoiseModel model, const SimulationSettings& settings,
                                     std::int64_t run);
/// The same numbers for the same settings, on any number of threads.
SimulationOutcome simulate(NoiseModel model, const SimulationSettings& settings);

}  // namespace lvsa::analysis
