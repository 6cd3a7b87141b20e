// Targets that read scores of videos.
#include <cmath>

#include "analysis/quality/csv_table.hpp"
#include "analysis/quality/quality_join.hpp"
#include "analysis/quality/quality_runs.hpp"
#include "analysis/quality/run_settings.hpp"
#include "core/error.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace lvsa::fuzz {
namespace {

// Joins the runs with a small sweep, as the command would.
void join(const analysis::QualityRuns& runs, const analysis::SettingMap& map) {
  if (runs.runs.size() > 200) return;
  for (const analysis::QualityRun& run : runs.runs) {
    require(!run.name.empty(), "a run has a name");
    for (const auto& [dimension, score] : run.scores) {
      require(std::isfinite(score), "a score is a number");
    }
  }
  analysis::SweepResults sweep;
  for (const std::int64_t window : {1, 2, 3}) {
    analysis::SweepSetting setting;
    setting.window = window;
    sweep.settings.push_back(setting);
    sweep.figures.push_back({});
  }
  const auto settings = analysis::settings_of_runs(runs, map, {}, sweep.settings);
  analysis::CorrelationOptions options;
  options.permutations = options.resamples = 9;
  const analysis::QualityReport report =
      analysis::join_quality(sweep, runs, settings, {"density"}, options);
  const analysis::CsvTable table = analysis::parse_csv(analysis::quality_csv(report), "table");
  require(table.rows.size() == report.points.size(), "a written table reads back");
}

}  // namespace

void fuzz_quality_table(std::string_view bytes) {
  // A table of scores, then, behind a line of its own, a table of settings.
  constexpr std::string_view kMark = "\n---\n";
  const std::size_t mark = bytes.find(kMark);
  analysis::QualityRuns runs;
  analysis::add_vqeval(runs, bytes.substr(0, mark), "table");
  analysis::SettingMap map;
  if (mark != std::string_view::npos) {
    map = analysis::parse_setting_map(bytes.substr(mark + kMark.size()), "map");
  }
  join(runs, map);
}

void fuzz_quality_json(std::string_view bytes) {
  analysis::QualityRuns runs;
  analysis::add_vbench(runs, bytes, "results");
  join(runs, {});
}

}  // namespace lvsa::fuzz
