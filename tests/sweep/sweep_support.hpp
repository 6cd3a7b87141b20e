#pragma once
// A sweep without tensors: what its units find is computed from sample and pattern alone.

#include <filesystem>
#include <string>

#include "analysis/sweep/sweep_finish.hpp"
#include "analysis/sweep/sweep_journal.hpp"
#include "analysis/sweep/sweep_units.hpp"

namespace lvsa::analysis {

/// Samples of a grid of 7 frames: layer 0 and on, two heads each.
class PlainSource : public SampleSource {
 public:
  explicit PlainSource(std::int64_t layers);
  const std::vector<SampleId>& ids() const override { return ids_; }
  const std::vector<ExcludedSample>& excluded() const override { return excluded_; }
  FrameGrid grid(std::size_t) const override { return make_frame_grid(7, 3, 2); }
  Sample load(std::size_t index) const override;
  std::string identity() const override { return "plain source"; }

 private:
  std::vector<SampleId> ids_;
  std::vector<ExcludedSample> excluded_;
};

/// Metric m of a pattern with n pairs on a sample: other values for each.
std::vector<MetricValues> plain_values(const Sample& sample,
                                       std::span<const FramePattern> patterns);

/// Windows 0 .. 3, rotation on and off, units of two patterns.
struct PlainSweep {
  explicit PlainSweep(std::int64_t layers = 3);
  UnitResult compute(std::int64_t unit) const;
  /// Without a journal.
  SweepResults results() const;

  PlainSource source;
  SweepPlan plan;
  SweepPatterns patterns;
  SweepUnits units;
};

/// An empty folder of the test that runs.
std::string scratch_folder();
std::string bytes_of(const std::string& path);

}  // namespace lvsa::analysis
