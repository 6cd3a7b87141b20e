#pragma once
// What a sweep is going to do: what its parts, on other days or other machines, must agree in.

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/run/plan.hpp"
#include "analysis/sweep/sample.hpp"
#include "analysis/sweep/setting.hpp"

namespace lvsa::analysis {

/// Everything that decides the values, and the shard. The work is cut into units: a sample with
/// patterns_per_unit of the patterns. Unit u (from 1) is chunk (u - 1) % chunks of sample
/// (u - 1) / chunks.
struct SweepPlan {
  std::string tool;  ///< version and commit of lvsa-verify
  std::string identity;
  FrameGrid grid;
  std::int64_t head_dim = 0;
  std::int64_t rows_per_frame = 8;
  std::uint64_t row_seed = 1;
  std::int64_t patterns_per_unit = 0;
  std::vector<SweepSetting> settings;
  std::vector<SampleId> samples;
  std::vector<std::string> classes;  ///< [samples], or empty
  std::vector<ExcludedSample> excluded;
  Shard shard;
};

/// Settings times samples: a sweep of more is refused.
inline constexpr std::int64_t kMostSweepRows = 2'000'000;

/// As many patterns as keep a unit's lists within some 256 MiB, 256 .. 16384.
std::int64_t default_patterns_per_unit(std::int64_t frames);

/// The plan for all samples of a source: one grid for all. Reads the first sample for its head
/// size. The shard is the whole. Throws Error(kValue) that names what does not fit: no samples,
/// samples of two grids, more than kMostSweepRows.
SweepPlan plan_of_source(const SampleSource& source, const std::vector<SweepSetting>& settings,
                         std::int64_t rows_per_frame, std::uint64_t row_seed);

/// In what two plans differ, one line for people; empty when they are the same. With `any_shard`,
/// the shards may differ.
std::string difference(const SweepPlan& then, const SweepPlan& now, bool any_shard);

/// As JSON text on one line, and back; the list of settings may be empty (comparisons of patterns
/// have none). Throws Error(kJson) that names what is missing or wrong.
std::string sweep_plan_json(const SweepPlan& plan);
SweepPlan parse_sweep_plan(const std::string& json);

}  // namespace lvsa::analysis
