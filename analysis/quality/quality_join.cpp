#include "analysis/quality/quality_join.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "analysis/sweep/front.hpp"
#include "core/error.hpp"
#include "core/io/printable.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kFewSettings = 10;

QualityFigure figure_of(const std::string& name) {
  if (const auto metric = metric_of_name(name)) {
    const MetricInfo& each = info(*metric);
    const int better =
        each.better == Better::kHigher ? 1 : (each.better == Better::kLower ? -1 : 0);
    return {name, std::string(each.title), better};
  }
  static const std::map<std::string, std::pair<const char*, int>> kFigures = {
      {"density", {"token density", 0}},
      {"speedup", {"expected speedup", 0}},
      {"frame_density", {"frame density", 0}},
      {"coverage", {"union coverage over a rotation", 1}},
      {"oldest_unseen", {"age of the oldest unseen pair", -1}},
      {"steps_to_cover", {"steps until all that is ever seen was", -1}},
      {"interval", {"interval in force", 0}}};
  const auto at = kFigures.find(name);
  if (at == kFigures.end()) {
    throw Error(ErrorKind::kValue, fmt::format("figure '{}': one of {} is due", printable(name),
                                               fmt::join(quality_figure_names(), ", ")));
  }
  return {name, at->second.first, at->second.second};
}

double figure_at(const SweepResults& sweep, std::size_t setting, const std::string& name) {
  if (const auto metric = metric_of_name(name)) return pooled(sweep, setting, *metric);
  return figure_value(sweep.figures[setting], name);
}

// Dense attention against itself; what depends on the tensors is the same for all settings.
double dense_figure(const SweepResults& sweep, const std::string& name) {
  static const std::map<std::string, double> kExact = {
      {"density", 1.0},     {"speedup", 1.0},        {"frame_density", 1.0}, {"coverage", 1.0},
      {"oldest_unseen", 0}, {"steps_to_cover", 1.0}, {"rel_l1", 0.0},        {"rel_l2", 0.0},
      {"cosine", 1.0},      {"cosine_min", 1.0},     {"rmse", 0.0},          {"psnr", INFINITY},
      {"recall", 1.0},      {"recall_p01", 1.0},     {"recall_min", 1.0},    {"lse_shift", 0.0},
      {"lse_shift_max", 0}};
  const auto at = kExact.find(name);
  if (at != kExact.end()) return at->second;
  if (name.starts_with("entropy") && !sweep.settings.empty()) {
    return pooled(sweep, 0, Metric::kEntropyDense);
  }
  return kNaN;
}

void add_run(QualityPoint& point, const QualityRun& run,
             const std::vector<std::string>& dimensions) {
  for (std::size_t d = 0; d < dimensions.size(); ++d) {
    const auto score = run.scores.find(dimensions[d]);
    if (score == run.scores.end()) continue;
    point.scores[d] += score->second;
    ++point.runs[d];
  }
}

std::vector<QualityPoint> points_of(const SweepResults& sweep, const QualityRuns& runs,
                                    const std::vector<RunSetting>& settings,
                                    QualityReport& report) {
  const std::size_t dense = sweep.settings.size();
  std::map<std::size_t, QualityPoint> points;
  for (std::size_t i = 0; i < runs.runs.size(); ++i) {
    const RunSetting& run = settings[i];
    if (!run.dense && !run.setting) {
      report.unmatched.push_back({runs.runs[i].name, run.reason});
      continue;
    }
    ++report.runs;
    QualityPoint& point = points[run.dense ? dense : *run.setting];
    if (point.scores.empty()) {
      point.scores.assign(runs.dimensions.size(), 0.0);
      point.runs.assign(runs.dimensions.size(), 0);
      point.setting = run.dense ? std::nullopt : run.setting;
      point.words = run.dense ? "dense" : setting_words(sweep.settings[*run.setting]);
    }
    add_run(point, runs.runs[i], runs.dimensions);
  }
  std::vector<QualityPoint> list;
  for (auto& [at, point] : points) {
    for (std::size_t d = 0; d < point.scores.size(); ++d) {
      point.scores[d] =
          point.runs[d] == 0 ? kNaN : point.scores[d] / static_cast<double>(point.runs[d]);
    }
    for (const QualityFigure& figure : report.figures) {
      point.figures.push_back(point.setting ? figure_at(sweep, *point.setting, figure.name)
                                            : dense_figure(sweep, figure.name));
    }
    list.push_back(std::move(point));
  }
  return list;
}

double density_of(const SweepResults& sweep, const QualityPoint& point) {
  return point.setting ? sweep.figures[*point.setting].token_density : 1.0;
}

QualityPair pair_of(const SweepResults& sweep, const QualityReport& report, std::size_t dimension,
                    std::size_t figure, const CorrelationOptions& options) {
  std::vector<double> x, y, density;
  for (const QualityPoint& point : report.points) {
    if (std::isnan(point.scores[dimension]) || std::isnan(point.figures[figure])) continue;
    x.push_back(point.figures[figure]);
    y.push_back(point.scores[dimension]);
    density.push_back(density_of(sweep, point));
  }
  QualityPair pair{dimension, figure, test_correlation(x, y, options), kNaN, kNaN};
  if (x.size() >= 4 && report.figures[figure].name != "density") {
    pair.partial_rho =
        partial_rho(pair.test.rho, spearman_rho(x, density), spearman_rho(y, density));
  }
  return pair;
}

// "vqeval.composite and 6 more": scores of which the same is to be said.
std::string names_of(const std::vector<std::string>& dimensions) {
  if (dimensions.size() == 1) return dimensions.front();
  return fmt::format("{} and {} more", dimensions.front(), dimensions.size() - 1);
}

std::string few_settings(std::size_t settings) {
  if (settings < 3) return fmt::format("{} settings; a correlation takes at least 3", settings);
  double orders = 1.0;
  for (std::size_t i = 2; i <= settings; ++i) orders *= static_cast<double>(i);
  return fmt::format(
      "only {} settings: intervals are rough, and even a perfect order has p = {:.2g}", settings,
      2.0 / orders);
}

void warn(QualityReport& report) {
  std::map<std::size_t, std::vector<std::string>> few;
  std::map<std::pair<std::size_t, std::size_t>, std::vector<std::string>> uneven;
  for (std::size_t d = 0; d < report.dimensions.size(); ++d) {
    std::size_t settings = 0, least = SIZE_MAX, most = 0;
    for (const QualityPoint& point : report.points) {
      if (point.runs[d] == 0) continue;
      ++settings;
      least = std::min(least, point.runs[d]);
      most = std::max(most, point.runs[d]);
    }
    if (settings < kFewSettings) few[settings].push_back(report.dimensions[d]);
    if (settings > 0 && least != most) uneven[{least, most}].push_back(report.dimensions[d]);
  }
  for (const auto& [settings, names] : few) {
    report.warnings.push_back(names_of(names) + ": " + few_settings(settings));
  }
  for (const auto& [counts, names] : uneven) {
    report.warnings.push_back(fmt::format(
        "{}: settings have from {} to {} videos; means over different prompts or seeds may differ "
        "for that alone",
        names_of(names), counts.first, counts.second));
  }
}

}  // namespace

std::vector<std::string> quality_figure_names() {
  std::vector<std::string> names = figure_names();
  for (const MetricInfo& each : metric_infos()) names.emplace_back(each.name);
  return names;
}

std::vector<std::string> default_quality_figures() {
  return {"density", "recall", "rel_l2", "cosine_min", "lse_shift"};
}

QualityReport join_quality(const SweepResults& sweep, const QualityRuns& runs,
                           const std::vector<RunSetting>& settings,
                           const std::vector<std::string>& figures,
                           const CorrelationOptions& options) {
  QualityReport report;
  report.dimensions = runs.dimensions;
  for (const std::string& name : figures) report.figures.push_back(figure_of(name));
  report.points = points_of(sweep, runs, settings, report);
  if (report.points.empty()) {
    throw Error(
        ErrorKind::kValue,
        fmt::format("none of {} videos has a setting of the sweep; the first, '{}': {}; a "
                    "column `setting`, words in the names, --pattern or --map tell it",
                    runs.runs.size(), runs.runs.empty() ? "" : printable(runs.runs.front().name),
                    settings.empty() ? "no videos" : printable(settings.front().reason)));
  }
  std::vector<double> p;
  for (std::size_t d = 0; d < report.dimensions.size(); ++d) {
    for (std::size_t f = 0; f < report.figures.size(); ++f) {
      report.pairs.push_back(pair_of(sweep, report, d, f, options));
      p.push_back(report.pairs.back().test.p_rho);
    }
  }
  const std::vector<double> adjusted = holm_adjusted(p);
  for (std::size_t i = 0; i < p.size(); ++i) report.pairs[i].p_adjusted = adjusted[i];
  warn(report);
  return report;
}

}  // namespace lvsa::analysis
