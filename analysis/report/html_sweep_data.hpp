#pragma once
// What the script of a sweep's page reads.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/report/html_sweep.hpp"

namespace lvsa::analysis {

/// A figure of all settings: density, speedup, or a metric pooled over the samples.
struct SweepColumn {
  std::string key;
  std::string title;
  std::string unit;
  int better = 0;  ///< 1: higher, -1: lower, 0: neither
  bool log = false;
  int metric = -1;  ///< its place in Metric; -1: none
  std::vector<double> values;
};
std::vector<SweepColumn> sweep_columns(const SweepResults& results, const Front& front);

/// A word of the settings that differs between them.
struct SweepAxis {
  std::string name;                 ///< "W"
  std::string title;                ///< "window W, frames on each side"
  std::vector<std::string> values;  ///< different ones, in order
  std::vector<std::size_t> index;   ///< [settings], into values
};
std::vector<SweepAxis> sweep_axes(const SweepResults& results);

/// Metrics whose values of single samples fit into the page, the weightier ones first.
std::vector<Metric> page_metrics(const SweepResults& results);

/// <script> elements: the data of the settings, and one with the samples' values a metric.
/// `x`, `y`: keys of the columns that are drawn at first.
std::string sweep_data_html(const SweepResults& results, const std::vector<SweepColumn>& columns,
                            const std::string& x, const std::string& y,
                            std::optional<std::size_t> best);

/// Of the page's own script.
std::string_view html_sweep_script();

/// A drawing of the columns for readers without script; front in order of x.
std::string sweep_figure(const SweepColumn& x, const SweepColumn& y,
                         const std::vector<std::size_t>& front);

}  // namespace lvsa::analysis
