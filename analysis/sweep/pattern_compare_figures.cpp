// Columns of a comparison, and figures over several samples.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "analysis/sweep/pattern_compare.hpp"
#include "analysis/sweep/sweep_patterns.hpp"

namespace lvsa::analysis {
namespace {

using F = CompareFigures;

template <double F::*kMember>
constexpr FigureInfo member(std::string_view name, std::string_view title, std::string_view unit) {
  return {name, title, unit, [](const F& f) { return f.*kMember; },
          [](F& f) -> double& { return f.*kMember; }};
}

template <double PredictedTime::*kMember>
constexpr FigureInfo timed(std::string_view name, std::string_view title, std::string_view unit) {
  return {name, title, unit, [](const F& f) { return f.time.*kMember; },
          [](F& f) -> double& { return f.time.*kMember; }};
}

template <double MeasuredTime::*kMember>
constexpr FigureInfo measured(std::string_view name, std::string_view title,
                              std::string_view unit) {
  return {name, title, unit, [](const F& f) { return f.measured.*kMember; },
          [](F& f) -> double& { return f.measured.*kMember; }};
}

constexpr std::array<FigureInfo, 20> kFigures = {{
    member<&F::token_density>("token_density",
                              "attended share of the token pairs, element masks counted", "1"),
    member<&F::density_distance>("density_distance", "distance to the density that was asked for",
                                 "1"),
    member<&F::block_density>("block_density", "kept share of the blocks", "1"),
    member<&F::computed_density>("computed_density", "share of the token pairs in kept blocks",
                                 "1"),
    member<&F::skip_density>("skip_density",
                             "attended share of the token pairs that the online skip leaves", "1"),
    member<&F::skip_mass>("skip_mass", "share of the attended softmax mass that the skip drops",
                          "1"),
    member<&F::knob>("knob", "value of the parameter that was searched", "1"),
    member<&F::patterns>("patterns", "patterns of the rotation, 1 without", "1"),
    timed<&PredictedTime::speedup>(
        "predicted_speedup", "predicted speedup over dense attention, prediction included", "1"),
    timed<&PredictedTime::total_ms>("predicted_ms", "predicted time of a head", "ms"),
    timed<&PredictedTime::attention_ms>("attention_ms", "of it attention", "ms"),
    timed<&PredictedTime::prediction_ms>("prediction_ms", "of it finding the pattern", "ms"),
    timed<&PredictedTime::order_ms>("order_ms", "of it reordering tokens", "ms"),
    timed<&PredictedTime::dense_ms>("dense_ms", "predicted time of dense attention", "ms"),
    measured<&MeasuredTime::speedup>(
        "measured_speedup",
        "measured speedup over the same kernel on all blocks, prediction included", "1"),
    measured<&MeasuredTime::total_ms>("measured_ms", "measured time of a head", "ms"),
    measured<&MeasuredTime::attention_ms>("measured_attention_ms", "of it attention", "ms"),
    measured<&MeasuredTime::prediction_ms>("measured_prediction_ms", "of it finding the pattern",
                                           "ms"),
    measured<&MeasuredTime::dense_ms>("measured_dense_ms",
                                      "measured time of the same kernel on all blocks", "ms"),
    measured<&MeasuredTime::ratio>("measured_ratio",
                                   "measured attention over that on all blocks, paired", "1"),
}};

template <typename Key>
std::vector<SampleGroup> grouped(const CompareResults& results, const Key& key) {
  std::vector<SampleGroup> groups;
  for (std::size_t i = 0; i < results.samples.size(); ++i) {
    SampleGroup group = key(i);
    const auto at = std::find_if(groups.begin(), groups.end(), [&](const SampleGroup& g) {
      return g.layer == group.layer && g.head_class == group.head_class;
    });
    if (at == groups.end()) {
      group.samples = {i};
      groups.push_back(std::move(group));
    } else {
      at->samples.push_back(i);
    }
  }
  return groups;
}

std::string class_of(const CompareResults& results, std::size_t sample) {
  return results.sample_classes.empty() ? "" : results.sample_classes[sample];
}

}  // namespace

std::span<const FigureInfo> compare_figures() { return kFigures; }

CompareFigures no_figures() {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  CompareFigures figures;
  figures.metrics.fill(kNan);
  for (const FigureInfo& figure : kFigures) figure.place(figures) = kNan;
  return figures;
}

std::int64_t head_count(const std::vector<SampleId>& samples) {
  std::int64_t heads = 1;
  for (const SampleId& id : samples) heads = std::max(heads, id.head + 1);
  return heads;
}

std::string CompareResults::entry_text(std::size_t entry) const {
  const CompareEntry& e = entries[entry];
  if (e.target != e.target) return rules[e.rule].words;
  return fmt::format("{} @{}", rules[e.rule].words, e.target);
}

CompareFigures pooled_figures(const CompareResults& results, std::size_t entry,
                              const std::vector<std::size_t>& chosen) {
  std::vector<std::size_t> samples = chosen;
  if (samples.empty()) {
    for (std::size_t i = 0; i < results.samples.size(); ++i) samples.push_back(i);
  }
  const auto pool = [&](Metric rule, const auto& value) {
    MetricPool all(rule);
    for (const std::size_t i : samples) all.add(value(results.values[results.place(entry, i)]));
    return all.value();
  };
  CompareFigures made;
  for (std::size_t m = 0; m < kMetricCount; ++m) {
    made.metrics[m] =
        pool(static_cast<Metric>(m), [&](const CompareFigures& f) { return f.metrics[m]; });
  }
  for (const FigureInfo& figure : kFigures) {
    figure.place(made) = pool(Metric::kRelativeL2, figure.value);
  }
  return made;
}

bool missed_density(const CompareResults& results, std::size_t entry,
                    const CompareFigures& pooled) {
  return pooled.density_distance > 0.02 * results.entries[entry].target;  // NaN: no target
}

std::vector<SampleGroup> groups_by_class(const CompareResults& results) {
  if (results.sample_classes.empty()) return {};
  return grouped(results, [&](std::size_t i) { return SampleGroup{-1, class_of(results, i), {}}; });
}

std::vector<SampleGroup> groups_by_layer_and_class(const CompareResults& results) {
  return grouped(results, [&](std::size_t i) {
    return SampleGroup{results.samples[i].layer, class_of(results, i), {}};
  });
}

}  // namespace lvsa::analysis
