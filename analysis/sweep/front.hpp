#pragma once
// Which settings of a sweep are worth having: the Pareto front, its knee, and the best one that
// meets requirements. docs/sweep.md has the definitions.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/sweep/sweep_results.hpp"

namespace lvsa::analysis {

/// A bound on a figure or a pooled metric of a setting: "recall>=0.95", "density<=0.3".
struct Requirement {
  enum class Sign { kLess, kAtMost, kMore, kAtLeast };
  std::string name;  ///< of a metric (metric_infos()) or a figure (figure_names())
  Sign sign = Sign::kAtLeast;
  double bound = 0.0;

  bool met_by(double value) const;  ///< never by NaN
  std::string text() const;
};
/// Throws Error(kValue) that names the text and what would be right, with the names there are.
Requirement parse_requirement(const std::string& text);

/// "density" (token pairs), "speedup", "frame_density", "coverage", "oldest_unseen",
/// "steps_to_cover", "interval".
std::vector<std::string> figure_names();
double figure_value(const SettingFigures& figures, const std::string& name);

enum class FrontCost { kTokenDensity, kExpectedSpeedup };

struct FrontRequest {
  FrontCost cost = FrontCost::kTokenDensity;
  Metric metric = Metric::kRelativeL2;
  std::vector<Requirement> requirements;
};

struct Front {
  std::vector<MetricValues> pooled;   ///< [settings], over the chosen samples
  std::vector<std::size_t> settings;  ///< on the front, the sparsest first
  std::optional<std::size_t> knee;    ///< a setting on the front
  std::vector<bool> meets;            ///< [settings] all requirements; empty without requirements
  std::optional<std::size_t> best;    ///< the fastest that meets all; unset: none does
  /// Where none does: the one with the smallest sum of shortfalls, each over its bound.
  std::optional<std::size_t> nearest;
};

/// `chosen`: samples to pool over; empty: all. Throws Error(kValue) for a metric without a better
/// side.
Front find_front(const SweepResults& results, const FrontRequest& request,
                 const std::vector<std::size_t>& chosen = {});

/// The value that a requirement is about.
double required_value(const Requirement& requirement, const SettingFigures& figures,
                      const MetricValues& pooled);

}  // namespace lvsa::analysis
