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
  std::int64_t rows_per_frame = 0;   ///< sampled; 0: all
  std::uint64_t row_seed = 0;        ///< of their choice
  std::int64_t head_dim = 0;         ///< D
  std::string speedup_source;        ///< where expected_speedup comes from, a line for people
  std::string identity;              ///< of the source
  std::string tool;                  ///< version and commit that computed the values
  Provenance provenance;

  const MetricValues& at(std::size_t setting, std::size_t sample) const {
    return values[setting * samples.size() + sample];
  }
};

/// The results in a folder or HDF5 file that `sweep` wrote. Throws Error(kIo, kValue) that names
/// the file and what is wrong in it, an incomplete one included.
SweepResults read_sweep(const std::string& path);

/// Mean of a metric over samples for one setting (minimum for kCosineMin and kRecallMin, maximum
/// for kLseShiftMax); `chosen` empty: all samples. Samples where it is not defined (NaN) are left
/// out; NaN when it is defined on none.
double pooled(const SweepResults& results, std::size_t setting, Metric metric,
              const std::vector<std::size_t>& chosen = {});

}  // namespace lvsa::analysis
