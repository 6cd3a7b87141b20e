#include "analysis/speed/analyse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/run/wire.hpp"
#include "analysis/speed/machine_state.hpp"
#include "analysis/speed/median_statistics.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

void check_ratios(const SpeedCase& c, const std::vector<double>& ratios, const char* what) {
  for (const double ratio : ratios) {
    if (!std::isfinite(ratio) || ratio <= 0.0) {
      throw Error(ErrorKind::kValue, fmt::format("case '{}': {} holds {}; a positive number is due",
                                                 one_line(c.line), what, ratio));
    }
  }
}

// How far A differs from itself, and delta by it.
void take_noise(SpeedCase& c, const SpeedRules& rules) {
  if (!c.noise_ratios.empty()) {
    c.noise_ratio = MedianSample(c.noise_ratios).interval(rules.noise_level);
    const double low = c.noise_ratio.low > 0.0 ? 1.0 / c.noise_ratio.low : c.noise_ratio.high;
    c.noise = std::max({low, c.noise_ratio.high, 1.0}) - 1.0;
  }
  c.delta = std::max(rules.least_delta, rules.noise_factor * c.noise);
}

std::vector<double> process_medians(const SpeedCase& c) {
  std::vector<std::vector<double>> of;
  for (std::size_t i = 0; i < c.ratios.size(); ++i) {
    const auto round = static_cast<std::size_t>(c.block_round[i]);
    if (of.size() <= round) of.resize(round + 1);
    of[round].push_back(c.ratios[i]);
  }
  std::vector<double> medians;
  for (const std::vector<double>& ratios : of) {
    if (!ratios.empty()) medians.push_back(median_of(ratios));
  }
  return medians;
}

// What the verdict is made of: the blocks; or the processes, where they differ by more than their
// blocks explain. Memory and code lie elsewhere in each process, and what that costs is then the
// larger part of the uncertainty. Blocks of one process are no independent witnesses of it.
MedianSample judged_sample(SpeedCase& c) {
  constexpr double kPoint = 0.01;
  if (c.block_round.size() == c.ratios.size() && kruskal_wallis(c.ratios, c.block_round) < kPoint) {
    const std::vector<double> medians = process_medians(c);
    const auto [low, high] = std::minmax_element(medians.begin(), medians.end());
    c.remarks.push_back(
        fmt::format("processes differ, medians {:.3f} to {:.3f}: judged by the {} processes", *low,
                    *high, medians.size()));
    return MedianSample::independent(medians);
  }
  return MedianSample(c.ratios);
}

// Why the measurement cannot be believed, whatever its interval says; empty: nothing is wrong.
std::string suspicion(const SpeedCase& c, const SpeedRules& rules) {
  if (std::abs(std::log(c.clock_ratio)) > std::log1p(rules.clock_change)) {
    return fmt::format("the clock in B's calls was {:+.1f} % of that in A's; {:.1f} % may be",
                       (c.clock_ratio - 1.0) * 100.0, rules.clock_change * 100.0);
  }
  return "";
}

std::string why_undecided(const SpeedCase& c, const MedianSample& sample, const SpeedRules& rules,
                          std::size_t cases, bool same_but_for_delta) {
  const std::int64_t least = least_blocks(rules, cases);
  if (static_cast<std::int64_t>(sample.effective()) < least) {
    return fmt::format("{} blocks, as good as {} independent ones; {} are due at the least",
                       c.ratios.size(), sample.effective(), least);
  }
  if (same_but_for_delta || c.delta > rules.most_delta) {
    return fmt::format(
        "A against itself varies by {:.1f} %, so delta is {:.1f} %: more blocks or a quieter "
        "machine is due",
        c.noise * 100.0, c.delta * 100.0);
  }
  return fmt::format("the interval {:.3f} .. {:.3f} crosses {}", c.ratio.low, c.ratio.high,
                     c.ratio.high > 1.0 + c.delta
                         ? fmt::format("1 + delta = {:.3f}", 1.0 + c.delta)
                         : fmt::format("1 / (1 + delta) = {:.3f}", 1.0 / (1.0 + c.delta)));
}

void conclude(SpeedCase& c, const MedianSample& sample, const SpeedRules& rules, std::size_t cases,
              const HolmStep& change, const HolmStep& same) {
  c.ratio = sample.interval(1.0 - change.threshold);
  c.reason = suspicion(c, rules);
  c.verdict = SpeedVerdict::kUndecided;
  if (!c.reason.empty()) return;
  if (change.rejected) {
    c.verdict = c.ratio.median > 1.0 ? SpeedVerdict::kSlower : SpeedVerdict::kFaster;
  } else if (same.rejected && c.delta <= rules.most_delta) {
    c.ratio = sample.interval(1.0 - same.threshold);
    c.verdict = SpeedVerdict::kSame;
  } else {
    c.reason = why_undecided(c, sample, rules, cases, same.rejected);
  }
}

// What the machine did to its clocks. It does the same to A and B, so it changes no verdict.
std::vector<std::string> machine_remarks(const SpeedComparison& comparison) {
  constexpr double kMuchStolen = 0.05;
  std::uint64_t bits = 0;
  double stolen = 0.0;
  for (const MachineState& state : comparison.states) {
    bits |= state.gpu_throttle.value_or(0);
    stolen = std::max(stolen, state.steal_share.value_or(0.0));
  }
  std::vector<std::string> remarks;
  const std::string throttled = throttle_text(bits);
  if (!throttled.empty()) {
    remarks.push_back(fmt::format("the GPU lowered its clocks: {}", throttled));
  }
  if (stolen > kMuchStolen) {
    remarks.push_back(
        fmt::format("a hypervisor took {:.0f} % of the processors' time", stolen * 100.0));
  }
  return remarks;
}

}  // namespace

std::int64_t least_blocks(const SpeedRules& rules, std::size_t cases) {
  const double side = rules.alpha / (2.0 * static_cast<double>(std::max<std::size_t>(1, cases)));
  return static_cast<std::int64_t>(std::ceil(-std::log2(side)));
}

std::int64_t blocks_for(std::span<const double> noise_ratios, const SpeedRules& rules,
                        std::int64_t processes) {
  std::vector<double> logs;
  for (const double ratio : noise_ratios) logs.push_back(std::log(ratio));
  const double middle = median_of(logs);
  for (double& value : logs) value = std::abs(value - middle);
  constexpr double kMadToSigma = 1.4826;  // of a normal distribution
  constexpr double kMedianError = 1.2533;
  constexpr double kTwoSided95 = 1.96;
  const double sigma = kMadToSigma * median_of(logs);
  const double root = kTwoSided95 * kMedianError * sigma / (0.25 * rules.least_delta);
  const auto each = static_cast<std::int64_t>(
      std::ceil(std::min(1e6, root * root) / static_cast<double>(processes)));
  return processes * (std::clamp(each, kLeastBlocksOfProcess, kMostBlocksOfProcess) | 1);
}

void analyse_speed(SpeedComparison& comparison) {
  const SpeedRules& rules = comparison.rules;
  const std::size_t count = comparison.cases.size();
  std::vector<double> p_change;
  std::vector<double> p_same;
  std::vector<MedianSample> samples;
  for (SpeedCase& c : comparison.cases) {
    if (c.ratios.empty()) {
      throw Error(ErrorKind::kValue,
                  fmt::format("case '{}': no ratios; some are due", one_line(c.line)));
    }
    check_ratios(c, c.ratios, "ratios");
    check_ratios(c, c.noise_ratios, "noise_ratios");
    take_noise(c, rules);
    c.remarks.clear();
    const MedianSample& sample = samples.emplace_back(judged_sample(c));
    const double top = 1.0 + c.delta;
    const double bottom = 1.0 / top;
    // Two-sided both, so that a verdict is what the printed interval shows.
    c.p_change = std::min(1.0, 2.0 * std::min(sample.p_at_most(top), sample.p_at_least(bottom)));
    c.p_same = std::min(1.0, 2.0 * std::max(sample.p_at_least(top), sample.p_at_most(bottom)));
    p_change.push_back(c.p_change);
    p_same.push_back(c.p_same);
  }
  const std::vector<HolmStep> change = holm(p_change, rules.alpha);
  const std::vector<HolmStep> same = holm(p_same, rules.alpha);
  const std::vector<std::string> remarks = machine_remarks(comparison);
  for (std::size_t i = 0; i < count; ++i) {
    SpeedCase& c = comparison.cases[i];
    conclude(c, samples[i], rules, count, change[i], same[i]);
    c.remarks.insert(c.remarks.end(), remarks.begin(), remarks.end());
  }
}

}  // namespace lvsa::analysis
