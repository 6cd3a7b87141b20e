#pragma once
// The work of a sweep in units: a sample with a part of the patterns.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "analysis/sweep/metrics.hpp"
#include "analysis/sweep/sample.hpp"
#include "analysis/sweep/sweep_patterns.hpp"
#include "analysis/sweep/sweep_plan.hpp"

namespace lvsa::analysis {

/// Which samples and patterns the units of a sweep hold. Units count from 1.
class SweepUnits {
 public:
  SweepUnits(const SweepPlan& plan, const SweepPatterns& patterns);

  std::int64_t count() const { return samples_ * chunks_; }
  std::size_t sample(std::int64_t unit) const {
    return static_cast<std::size_t>((unit - 1) / chunks_);
  }
  std::int64_t first_pattern(std::int64_t unit) const { return (unit - 1) % chunks_ * chunk_; }
  std::int64_t pattern_count(std::int64_t unit) const;
  /// Those of a sample, first and last.
  std::int64_t first_unit(std::size_t sample) const {
    return static_cast<std::int64_t>(sample) * chunks_ + 1;
  }
  std::int64_t units_of_sample() const { return chunks_; }

 private:
  std::int64_t samples_;
  std::int64_t patterns_;
  std::int64_t chunk_;
  std::int64_t chunks_;
};

struct UnitResult {
  std::int64_t unit = 0;
  std::vector<MetricValues> values;  ///< [pattern_count(unit)]
};

/// The metrics of the patterns on a sample.
using Evaluate = std::function<std::vector<MetricValues>(const Sample& sample,
                                                         std::span<const FramePattern> patterns)>;

/// Computes units; keeps the sample of the last one, since the next is mostly of the same. One
/// thread at a time.
class UnitWorker {
 public:
  /// All of them must outlive it.
  UnitWorker(const SampleSource& source, const SweepPatterns& patterns, const SweepUnits& units,
             Evaluate evaluate);
  ~UnitWorker();
  UnitResult compute(std::int64_t unit);

 private:
  const SampleSource& source_;
  const SweepPatterns& patterns_;
  const SweepUnits& units_;
  Evaluate evaluate_;
  std::unique_ptr<Sample> sample_;
  std::size_t loaded_ = 0;
  std::vector<FramePattern> built_;
  std::int64_t built_from_ = -1;
};

}  // namespace lvsa::analysis
