#pragma once
// What a sweep found, as pages, gates and joins read it. docs/sweep.md has the form of the files.

#include <cstddef>
#include <string>
#include <vector>

#include "analysis/report/provenance.hpp"
#include "analysis/sweep/metrics.hpp"
#include "analysis/sweep/sample.hpp"
#include "analysis/sweep/setting.hpp"

namespace lvsa::analysis {

struct SweepResults {
  FrameGrid grid;  ///< the same for all samples
  std::vector<SweepSetting> settings;
  std::vector<SettingFigures> figures;  ///< [settings]
  std::vector<SampleId> samples;
  std::vector<std::string> sample_classes;  ///< [samples]: "spatial", "temporal", ...; empty: none
  std::vector<ExcludedSample> excluded;
  std::vector<MetricValues> values;  ///< [settings * samples], samples fastest
  std::int64_t rows_per_frame = 0;   ///< sampled
  std::string identity;              ///< of the source
  Provenance provenance;

  const MetricValues& at(std::size_t setting, std::size_t sample) const {
    return values[setting * samples.size() + sample];
  }
};

/// The results in a folder or HDF5 file that `sweep` wrote. Throws Error(kIo, kValue) that names
/// the file and what is wrong in it, an incomplete one included.
SweepResults read_sweep(const std::string& path);

/// Mean of a metric over samples for one setting (minimum for kCosineMin and kRecallMin, maximum
/// for kLseShiftMax); `chosen` empty: all samples.
double pooled(const SweepResults& results, std::size_t setting, Metric metric,
              const std::vector<std::size_t>& chosen = {});

}  // namespace lvsa::analysis
