#include "analysis/sweep/sweep_patterns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

#include "analysis/verify/byte_hash.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using SpecKey = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, bool>;

SpecKey key_of(const PatternSpec& spec) {
  return {spec.window_frames, spec.n_first_frames, spec.interval.value_or(0), spec.offset,
          spec.expand_window};
}

// Of what the pattern attends: the lists and where each begins.
struct ContentKey {
  std::uint64_t list;
  std::uint64_t offsets;
  std::int64_t pairs;
  auto operator<=>(const ContentKey&) const = default;
};

ContentKey key_of(const FramePattern& pattern) {
  return {byte_hash(pattern.list.data(), pattern.list.size() * sizeof(std::int32_t)),
          byte_hash(pattern.offsets.data(), pattern.offsets.size() * sizeof(std::int64_t)),
          pattern.frame_pairs()};
}

}  // namespace

SweepPatterns::SweepPatterns(const std::vector<SweepSetting>& settings, std::int64_t frames) {
  std::map<SpecKey, std::int32_t> by_spec;
  std::map<ContentKey, std::int32_t> by_content;
  first_.push_back(0);
  for (const SweepSetting& setting : settings) {
    try {
      for (const PatternSpec& spec : pattern_specs(setting, frames)) {
        const auto [known, is_new] = by_spec.emplace(key_of(spec), 0);
        if (is_new) {
          const auto [same, is_other] = by_content.emplace(
              key_of(build_frame_pattern(spec)), static_cast<std::int32_t>(specs_.size()));
          if (is_other) specs_.push_back(spec);
          known->second = same->second;
        }
        of_.push_back(known->second);
      }
    } catch (const Error& error) {
      throw Error(error.kind(),
                  fmt::format("setting '{}': {}", setting_words(setting), error.what()));
    }
    if (size() > kMostPatterns) {
      throw Error(ErrorKind::kValue,
                  fmt::format("the settings have more than {} different patterns (each offset of a "
                              "rotation is one); fewer settings are due",
                              kMostPatterns));
    }
    first_.push_back(static_cast<std::int64_t>(of_.size()));
  }
}

std::span<const std::int32_t> SweepPatterns::of(std::int64_t setting) const {
  const auto at = static_cast<std::size_t>(setting);
  return std::span(of_).subspan(static_cast<std::size_t>(first_[at]),
                                static_cast<std::size_t>(first_[at + 1] - first_[at]));
}

MetricValues SweepPatterns::combined(std::int64_t setting,
                                     std::span<const MetricValues> values) const {
  MetricValues result{};
  for (std::size_t m = 0; m < kMetricCount; ++m) {
    MetricPool pool(static_cast<Metric>(m));
    for (const std::int32_t pattern : of(setting)) {
      pool.add(values[static_cast<std::size_t>(pattern)][m]);
    }
    result[m] = pool.value();
  }
  return result;
}

MetricPool::MetricPool(Metric metric) : rule_(Rule::kMean) {
  if (metric == Metric::kCosineMin || metric == Metric::kRecallMin) rule_ = Rule::kLeast;
  if (metric == Metric::kLseShiftMax) rule_ = Rule::kMost;
}

void MetricPool::add(double value) {
  if (value != value) return;  // NaN
  if (count_++ == 0) {
    value_ = value;
  } else if (rule_ == Rule::kLeast) {
    value_ = std::min(value_, value);
  } else if (rule_ == Rule::kMost) {
    value_ = std::max(value_, value);
  } else {
    value_ += value;
  }
}

double MetricPool::value() const {
  if (count_ == 0) return std::numeric_limits<double>::quiet_NaN();
  return rule_ == Rule::kMean ? value_ / static_cast<double>(count_) : value_;
}

}  // namespace lvsa::analysis
