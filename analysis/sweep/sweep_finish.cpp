#include "analysis/sweep/sweep_finish.hpp"

#include <exception>
#include <map>
#include <tuple>

#include "analysis/sweep/speedup.hpp"

namespace lvsa::analysis {
namespace {

using FigureKey = std::tuple<std::int64_t, std::int64_t, std::int64_t, bool, bool, std::int64_t>;

// A setting's values on one sample, at their place among the results.
void combine_sample(const SweepPatterns& patterns, const std::vector<MetricValues>& values,
                    std::size_t sample, SweepResults& results) {
  const std::size_t samples = results.samples.size();
  for (std::int64_t s = 0; s < patterns.settings(); ++s) {
    results.values[static_cast<std::size_t>(s) * samples + sample] = patterns.combined(s, values);
  }
}

}  // namespace

std::vector<SettingFigures> all_figures(const std::vector<SweepSetting>& settings,
                                        const FrameGrid& grid, std::int64_t head_dim) {
  std::map<FigureKey, std::size_t> known;
  std::vector<const SweepSetting*> different;
  std::vector<std::size_t> of;
  for (const SweepSetting& s : settings) {
    const FigureKey key{s.window, s.n_first, interval_in_force(s, grid.frames),
                        s.expand, s.rotate,  s.offset};
    const auto [at, is_new] = known.emplace(key, different.size());
    if (is_new) different.push_back(&s);
    of.push_back(at->second);
  }
  std::vector<SettingFigures> figures(different.size());
  std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic)
  for (std::size_t i = 0; i < different.size(); ++i) {
    try {
      figures[i] = setting_figures(*different[i], grid, head_dim);
    } catch (...) {
#pragma omp critical
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
  std::vector<SettingFigures> all;
  all.reserve(settings.size());
  for (const std::size_t i : of) all.push_back(figures[i]);
  return all;
}

SweepResults finish_sweep(const SweepPlan& plan, const SweepPatterns& patterns,
                          const SweepUnits& units, const ReadUnit& read) {
  SweepResults results;
  results.grid = plan.grid;
  results.settings = plan.settings;
  results.figures = all_figures(plan.settings, plan.grid, plan.head_dim);
  results.samples = plan.samples;
  results.sample_classes = plan.classes;
  results.excluded = plan.excluded;
  results.rows_per_frame = plan.rows_per_frame;
  results.row_seed = plan.row_seed;
  results.head_dim = plan.head_dim;
  results.speedup_source = speedup_source(plan.head_dim, plan.grid);
  results.identity = plan.identity;
  results.tool = plan.tool;
  results.values.resize(plan.settings.size() * plan.samples.size());
  for (std::size_t sample = 0; sample < plan.samples.size(); ++sample) {
    std::vector<MetricValues> values;
    const std::int64_t first = units.first_unit(sample);
    for (std::int64_t unit = first; unit < first + units.units_of_sample(); ++unit) {
      const std::vector<MetricValues> some = read(unit);
      values.insert(values.end(), some.begin(), some.end());
    }
    combine_sample(patterns, values, sample, results);
  }
  return results;
}

SweepPlan plan_of_results(const SweepResults& results) {
  SweepPlan plan;
  plan.tool = results.tool;
  plan.identity = results.identity;
  plan.grid = results.grid;
  plan.head_dim = results.head_dim;
  plan.rows_per_frame = results.rows_per_frame;
  plan.row_seed = results.row_seed;
  plan.settings = results.settings;
  plan.samples = results.samples;
  plan.classes = results.sample_classes;
  plan.excluded = results.excluded;
  return plan;
}

}  // namespace lvsa::analysis
