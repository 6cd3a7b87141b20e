#include "analysis/sweep/sweep_results.hpp"

#include "analysis/sweep/sweep_patterns.hpp"

namespace lvsa::analysis {

double pooled(const SweepResults& results, std::size_t setting, Metric metric,
              const std::vector<std::size_t>& chosen) {
  MetricPool pool(metric);
  const auto m = static_cast<std::size_t>(metric);
  if (chosen.empty()) {
    for (std::size_t i = 0; i < results.samples.size(); ++i) pool.add(results.at(setting, i)[m]);
  } else {
    for (const std::size_t i : chosen) pool.add(results.at(setting, i)[m]);
  }
  return pool.value();
}

}  // namespace lvsa::analysis
