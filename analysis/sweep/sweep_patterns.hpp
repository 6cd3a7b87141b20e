#pragma once
// The different patterns of a list of settings: many settings have the same one.

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/sweep/metrics.hpp"
#include "analysis/sweep/setting.hpp"

namespace lvsa::analysis {

/// A sweep of more different patterns is refused.
inline constexpr std::int64_t kMostPatterns = 2'000'000;

class SweepPatterns {
 public:
  /// Patterns are numbered in the order in which the settings come to them. Throws what
  /// build_frame_pattern() throws, with the setting's words, and Error(kValue) for more than
  /// kMostPatterns.
  SweepPatterns(const std::vector<SweepSetting>& settings, std::int64_t frames);

  std::int64_t size() const { return static_cast<std::int64_t>(specs_.size()); }
  /// One of the specs that make this pattern.
  const PatternSpec& spec(std::int64_t pattern) const {
    return specs_[static_cast<std::size_t>(pattern)];
  }
  std::int64_t settings() const { return static_cast<std::int64_t>(first_.size()) - 1; }
  /// The patterns that a setting goes through, one for each offset.
  std::span<const std::int32_t> of(std::int64_t setting) const;

  /// A setting's values from those of the patterns ([size()]): the mean over its offsets, but the
  /// minimum of kCosineMin and kRecallMin and the maximum of kLseShiftMax.
  MetricValues combined(std::int64_t setting, std::span<const MetricValues> values) const;

 private:
  std::vector<PatternSpec> specs_;
  std::vector<std::int32_t> of_;
  std::vector<std::int64_t> first_;  // [settings + 1] into of_
};

/// The rule of combined() and pooled() for one metric: a mean, a minimum or a maximum over what is
/// added, in the order in which it is. What is not defined (NaN) is left out; NaN for nothing.
class MetricPool {
 public:
  explicit MetricPool(Metric metric);
  void add(double value);
  double value() const;

 private:
  enum class Rule { kMean, kLeast, kMost };
  Rule rule_;
  double value_ = 0.0;
  std::int64_t count_ = 0;
};

}  // namespace lvsa::analysis
