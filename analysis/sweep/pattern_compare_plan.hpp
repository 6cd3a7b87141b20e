#pragma once
// What a comparison is going to do: what its parts, on other days or other machines, must agree in.

#include <string>
#include <vector>

#include "analysis/sweep/pattern_compare.hpp"
#include "analysis/sweep/sweep_plan.hpp"

namespace lvsa::analysis {

/// Everything that decides the values, and the shard. Unit u (from 1) is sample u - 1 under all
/// entries.
struct ComparePlan {
  SweepPlan base;  ///< without settings: tool, source, grid, samples, rows, shard
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<CompareRule> rules;  ///< `make` is empty in a plan that was read
  std::vector<CompareEntry> entries;
  std::string rates_source;
  std::string time_source;  ///< empty: nothing is timed
  std::vector<DecidingOption> options;

  std::int64_t units() const { return static_cast<std::int64_t>(base.samples.size()); }
};

/// The plan for all samples of a source; the shard is the whole, the tool is not said. Throws
/// Error(kValue) for what plan_of_source() refuses and for more than 2,000,000 results.
ComparePlan plan_of_comparison(const SampleSource& source, const CompareOptions& options);

/// In what two plans differ, one line for people, as difference() of sweeps says it; empty when
/// they are the same. With `any_shard`, the shards may differ.
std::string difference(const ComparePlan& then, const ComparePlan& now, bool any_shard);

/// As JSON text on one line, and back. Throws Error(kJson) that names what is missing or wrong.
std::string compare_plan_json(const ComparePlan& plan);
ComparePlan parse_compare_plan(const std::string& json);

/// Results of the plan with nothing in them yet: all figures NaN.
CompareResults results_of_plan(const ComparePlan& plan);

}  // namespace lvsa::analysis
