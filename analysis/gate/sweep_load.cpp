// Sweeps as evidence: metrics pooled over all samples and over each class.
#include <fmt/format.h>

#include <set>

#include "analysis/gate/evidence_load.hpp"
#include "analysis/sweep/sweep_results.hpp"

namespace lvsa::analysis {
namespace {

void add_rows(SweepEvidence& evidence, const SweepResults& results, const std::string& name,
              const std::vector<std::size_t>& chosen, std::size_t samples) {
  for (std::size_t i = 0; i < results.settings.size(); ++i) {
    SweepRow row;
    row.setting = setting_words(results.settings[i]);
    row.sample_class = name;
    row.samples = static_cast<std::int64_t>(samples);
    row.token_density = results.figures.at(i).token_density;
    for (std::size_t m = 0; m < kMetricCount; ++m) {
      row.values[m] = pooled(results, i, static_cast<Metric>(m), chosen);
    }
    evidence.rows.push_back(std::move(row));
  }
}

}  // namespace

SweepEvidence load_sweep(const std::string& path) {
  const SweepResults results = read_sweep(path);
  SweepEvidence evidence;
  evidence.source = path;
  evidence.provenance = results.provenance;
  evidence.identity = results.identity;
  evidence.grid = fmt::format("T={} P={} text={}", results.grid.frames,
                              results.grid.patches_per_frame, results.grid.text_tokens);
  evidence.rows_per_frame = results.rows_per_frame;
  evidence.excluded = static_cast<std::int64_t>(results.excluded.size());
  add_rows(evidence, results, "all", {}, results.samples.size());
  const std::set<std::string> classes(results.sample_classes.begin(), results.sample_classes.end());
  for (const std::string& name : classes) {
    if (name.empty()) continue;
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < results.sample_classes.size(); ++i) {
      if (results.sample_classes[i] == name) chosen.push_back(i);
    }
    add_rows(evidence, results, name, chosen, chosen.size());
  }
  return evidence;
}

}  // namespace lvsa::analysis
