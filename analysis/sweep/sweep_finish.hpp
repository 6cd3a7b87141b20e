#pragma once
// From the values of the units to the results of the sweep.

#include <functional>
#include <vector>

#include "analysis/sweep/sweep_plan.hpp"
#include "analysis/sweep/sweep_results.hpp"
#include "analysis/sweep/sweep_units.hpp"

namespace lvsa::analysis {

/// The figures of all settings, each different pattern sequence looked at once. The same on any
/// number of threads.
std::vector<SettingFigures> all_figures(const std::vector<SweepSetting>& settings,
                                        const FrameGrid& grid, std::int64_t head_dim);

/// The values of a unit, [pattern_count(unit)].
using ReadUnit = std::function<std::vector<MetricValues>(std::int64_t unit)>;

/// Without provenance.
SweepResults finish_sweep(const SweepPlan& plan, const SweepPatterns& patterns,
                          const SweepUnits& units, const ReadUnit& read);

/// The plan that such results come from; the shard is the whole, patterns_per_unit 0.
SweepPlan plan_of_results(const SweepResults& results);

}  // namespace lvsa::analysis
