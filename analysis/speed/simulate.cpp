#include "analysis/speed/simulate.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numbers>

#include "analysis/speed/analyse.hpp"
#include "analysis/speed/block_order.hpp"
#include "analysis/verify/inputs.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

struct ModelText {
  NoiseModel model;
  std::string_view name;
  std::string_view description;
};
constexpr std::array<ModelText, 10> kModels = {{
    {NoiseModel::kQuiet, "quiet", "normal noise of 0.3 %"},
    {NoiseModel::kGaussian, "gaussian", "normal noise of 4 %"},
    {NoiseModel::kLognormal, "lognormal", "log-normal noise of 8 %"},
    {NoiseModel::kHeavyTails, "heavy-tails", "Student's t of two degrees of freedom, times 2 %"},
    {NoiseModel::kSpikes, "spikes", "one time in ten takes 10 to 200 % longer"},
    {NoiseModel::kDrift, "drift", "30 % slower from first to last, and a random walk"},
    {NoiseModel::kBimodal, "bimodal", "two clocks 25 % apart, 50 times in one on average"},
    {NoiseModel::kCorrelated, "correlated", "autoregressive, 0.95 from time to time, 5 %"},
    {NoiseModel::kNeighbour, "neighbour", "another program: 30 % of the time 20 to 100 % slower"},
    {NoiseModel::kLayout, "layout", "each process shifts each kernel by 0.7 %"},
}};
constexpr auto kNames = [] {
  std::array<NoiseModel, kModels.size()> models{};
  for (std::size_t i = 0; i < models.size(); ++i) models[i] = kModels[i].model;
  return models;
}();

// Random numbers by seed and run; the same ones everywhere.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}
  // Above 0, up to 1.
  double uniform() {
    return static_cast<double>((random_bits(seed_, stream_, index_++) >> 11) + 1) * 0x1p-53;
  }
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t index_ = 0;
};

// A machine as time goes on: what it adds to the logarithm of one time after the other.
class Machine {
 public:
  Machine(NoiseModel model, std::uint64_t seed, std::uint64_t stream)
      : model_(model), random_(seed, stream) {}

  // `times`: that are taken from here on.
  void begin_run(double times) {
    step_ = 1.0 / times;
    done_ = 0.0;
  }

  void begin_process() {
    for (double& shift : shift_) shift = 0.007 * random_.normal();
  }

  double next(bool of_b) {
    done_ += step_;
    const double own = (model_ == NoiseModel::kQuiet ? 0.003 : 0.01) * random_.normal();
    return own + disturbance(of_b);
  }

 private:
  double disturbance(bool of_b) {
    switch (model_) {
      case NoiseModel::kQuiet:
        return 0.0;
      case NoiseModel::kGaussian:
        return std::log(std::max(0.1, 1.0 + 0.04 * random_.normal()));
      case NoiseModel::kLognormal:
        return 0.08 * random_.normal();
      case NoiseModel::kHeavyTails: {
        const double deviation = random_.normal() / std::sqrt(-std::log(random_.uniform()));
        return std::log(std::max(0.1, 1.0 + 0.02 * deviation));
      }
      case NoiseModel::kSpikes:
        return random_.uniform() <= 0.1 ? std::log(1.1 + 1.9 * random_.uniform()) : 0.0;
      case NoiseModel::kDrift:
        walk_ += 0.01 * random_.normal();
        return std::log(1.0 + 0.3 * done_) + walk_;
      case NoiseModel::kBimodal:
        if (random_.uniform() <= 0.02) slow_ = !slow_;
        return slow_ ? std::log(1.25) : 0.0;
      case NoiseModel::kCorrelated: {
        const double kept = 0.95;
        walk_ = kept * walk_ + 0.05 * std::sqrt(1.0 - kept * kept) * random_.normal();
        return walk_;
      }
      case NoiseModel::kNeighbour:
        // On after 1 time in 70, off after 1 in 30.
        if (random_.uniform() <= (slow_ ? 1.0 / 30.0 : 1.0 / 70.0)) slow_ = !slow_;
        return slow_ ? std::log(1.2 + 0.8 * random_.uniform()) : 0.0;
      case NoiseModel::kLayout:
        return shift_[of_b ? 1 : 0];
    }
    return 0.0;
  }

  NoiseModel model_;
  Random random_;
  double step_ = 0.0;
  double done_ = 0.0;
  double walk_ = 0.0;
  bool slow_ = false;
  std::array<double, 2> shift_{};
};

}  // namespace

std::span<const NoiseModel> all_noise_models() { return kNames; }

std::string_view noise_name(NoiseModel model) {
  return kModels[static_cast<std::size_t>(model)].name;
}

std::string_view noise_description(NoiseModel model) {
  return kModels[static_cast<std::size_t>(model)].description;
}

NoiseModel parse_noise(std::string_view name) {
  std::string known;
  for (const ModelText& text : kModels) {
    if (text.name == name) return text.model;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", text.name);
  }
  throw Error(ErrorKind::kValue, fmt::format("noise '{}': one of {} is due", name, known));
}

namespace {

BlockTimes simulated_block(Machine& machine, std::int64_t block, double slowdown) {
  BlockTimes times;
  for (const BlockSlot slot : block_order(block)) {
    const bool of_b = slot.side == Side::kB;
    add_time(times, slot, (of_b ? slowdown : 1.0) * std::exp(machine.next(of_b)));
  }
  return times;
}

// The largest of what the cases need, as in a measurement.
std::int64_t planned_blocks(Machine& machine, const SimulationSettings& settings) {
  std::int64_t most = 0;
  std::vector<std::vector<double>> ratios(static_cast<std::size_t>(settings.cases));
  for (std::int64_t block = 0; block < kPilotBlocks; ++block) {
    for (auto& of_case : ratios) {
      of_case.push_back(noise_ratio(simulated_block(machine, block, 1.0)));
    }
  }
  for (const auto& of_case : ratios) {
    most = std::max(most, blocks_for(of_case, SpeedRules{}, settings.rounds));
  }
  return most;
}

}  // namespace

SpeedComparison simulated_comparison(NoiseModel model, const SimulationSettings& settings,
                                     std::int64_t run) {
  SpeedComparison comparison;
  comparison.cases.resize(static_cast<std::size_t>(settings.cases));
  Machine machine(model, settings.seed, static_cast<std::uint64_t>(run));
  machine.begin_process();
  const std::int64_t blocks =
      settings.blocks > 0 ? settings.blocks : planned_blocks(machine, settings);
  machine.begin_run(static_cast<double>(kSlots) * static_cast<double>(settings.cases * blocks));
  std::int64_t round = -1;
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::int64_t round_now = round_of(block, blocks, settings.rounds);
    if (round_now != round) machine.begin_process();
    round = round_now;
    double slowdown = settings.slowdown;
    for (SpeedCase& c : comparison.cases) {
      const BlockTimes times = simulated_block(machine, block, slowdown);
      c.ratios.push_back(block_ratio(times));
      c.noise_ratios.push_back(noise_ratio(times));
      c.block_round.push_back(round);
      slowdown = 1.0;
    }
  }
  return comparison;
}

SimulationOutcome simulate(NoiseModel model, const SimulationSettings& settings) {
  SimulationOutcome outcome;
  outcome.runs = settings.runs;
  std::size_t blocks = 0;
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t run = 0; run < settings.runs; ++run) {
    SpeedComparison comparison = simulated_comparison(model, settings, run);
    analyse_speed(comparison);
    std::array<std::int64_t, 4> equal{};
    for (std::size_t i = 1; i < comparison.cases.size(); ++i) {
      ++equal[static_cast<std::size_t>(comparison.cases[i].verdict)];
    }
    const SpeedVerdict first = comparison.cases.front().verdict;
    const auto changes = [](SpeedVerdict verdict) {
      return verdict == SpeedVerdict::kFaster || verdict == SpeedVerdict::kSlower;
    };
    const bool among_equal = equal[static_cast<std::size_t>(SpeedVerdict::kFaster)] +
                                 equal[static_cast<std::size_t>(SpeedVerdict::kSlower)] >
                             0;
    const bool alarm = among_equal || (settings.slowdown == 1.0 && changes(first));
#pragma omp critical
    {
      blocks += comparison.cases.front().ratios.size();
      outcome.false_alarms += alarm ? 1 : 0;
      outcome.wrong_way += settings.slowdown > 1.0 && first == SpeedVerdict::kFaster ? 1 : 0;
      ++outcome.changed[static_cast<std::size_t>(first)];
      for (std::size_t v = 0; v < equal.size(); ++v) outcome.equal[v] += equal[v];
    }
  }
  outcome.mean_blocks = static_cast<double>(blocks) / static_cast<double>(settings.runs);
  return outcome;
}

}  // namespace lvsa::analysis
