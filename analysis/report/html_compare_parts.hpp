#pragma once
// Pieces of the page of a comparison.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/sweep/pattern_compare.hpp"

namespace lvsa::analysis {

/// Metrics that the figures can show; the first is shown at first.
inline constexpr std::array kPageMetrics = {Metric::kRelativeL2, Metric::kRelativeL1,
                                            Metric::kCosinePooled, Metric::kPsnr,
                                            Metric::kRecallMean};

/// A point of a figure.
struct ComparePoint {
  std::size_t rule = 0;
  double x = 0.0;
  double y = 0.0;
  std::string text;  ///< what it is, for pointing at it
};

struct CompareAxis {
  std::string title;
  bool log = false;
};

/// A line a rule through its points in the order of x, each rule in a colour and a shape of its
/// own. `front`: points (indices) joined by a line of their own.
std::string compare_figure(const std::vector<ComparePoint>& points, const CompareAxis& x,
                           const CompareAxis& y, double width, std::string_view label,
                           const std::vector<std::size_t>& front = {});

/// The mark of a rule, for legends: its shape in its colour.
std::string rule_mark(std::size_t rule);

/// Points that no other one beats in both: larger x, better y.
std::vector<std::size_t> pareto_front(const std::vector<ComparePoint>& points, Better better);

/// What was left out and what was not timed, with reasons; empty when there is nothing.
std::string compare_left_out_html(const CompareResults& results);
/// How to read the page.
std::string compare_help_html(const CompareResults& results);
bool compare_is_timed(const CompareResults& results);
/// "1 sample", "2 samples".
std::string counted_text(std::size_t count, const std::string& one, const std::string& many = "");

std::string_view html_compare_script();
std::string_view html_compare_style();

}  // namespace lvsa::analysis
