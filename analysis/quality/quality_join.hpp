#pragma once
// Video quality beside what attention lost, setting by setting. docs/quality.md has the method.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "analysis/quality/quality_runs.hpp"
#include "analysis/quality/rank_correlation.hpp"
#include "analysis/quality/run_settings.hpp"
#include "analysis/sweep/sweep_results.hpp"

namespace lvsa::analysis {

/// A setting of the sweep, or dense attention, with the mean scores of its videos.
struct QualityPoint {
  std::optional<std::size_t> setting;  ///< unset: dense attention
  std::string words;                   ///< "dense" for that
  std::vector<double> scores;          ///< [dimensions], means over its runs; NaN: none
  std::vector<std::size_t> runs;       ///< [dimensions], how many
  std::vector<double> figures;         ///< [figures]
};

/// A figure of a setting: "density", "speedup", or a pooled metric.
struct QualityFigure {
  std::string name;
  std::string title;
  int better = 0;  ///< 1: higher, -1: lower, 0: neither
};

struct QualityPair {
  std::size_t dimension = 0;
  std::size_t figure = 0;
  CorrelationTest test;
  double p_adjusted = 1.0;  ///< p_rho after Holm, over all pairs of the table
  /// rho given the token density: what the figure tells beyond "how sparse". NaN for the density.
  double partial_rho = 0.0;
};

struct UnmatchedRun {
  std::string run;
  std::string reason;
};

struct QualityReport {
  std::vector<std::string> dimensions;
  std::vector<QualityFigure> figures;
  std::vector<QualityPoint> points;  ///< in the order of the sweep's settings, dense last
  std::vector<QualityPair> pairs;    ///< dimensions, then figures
  std::size_t runs = 0;              ///< that were matched
  std::vector<UnmatchedRun> unmatched;
  std::vector<std::string> warnings;  ///< lines for people
};

/// Names that `figures` may ask for: those of figure_names() and of the metrics.
std::vector<std::string> quality_figure_names();
/// What is tested unless something else is asked for.
std::vector<std::string> default_quality_figures();

/// The unit is the setting: scores of several videos of a setting are averaged, since they share
/// their attention figures and are no independent pairs. Throws Error(kValue) for an unknown figure
/// and when no run has a setting of the sweep.
QualityReport join_quality(const SweepResults& sweep, const QualityRuns& runs,
                           const std::vector<RunSetting>& settings,
                           const std::vector<std::string>& figures,
                           const CorrelationOptions& options = {});

/// setting, figures, then a mean and a count for each dimension.
std::string quality_csv(const QualityReport& report);
/// A row a pair: rho, its interval and p, tau, its interval and p, Holm's p, the partial rho, n.
std::string correlations_csv(const QualityReport& report);
/// For the terminal.
std::string quality_text(const QualityReport& report);

}  // namespace lvsa::analysis
