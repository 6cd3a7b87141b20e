#include "analysis/report/html_overview.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/report/html_figure.hpp"
#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kLeft = 44.0;
constexpr double kTop = 12.0;
constexpr double kPlotHeight = 160.0;
constexpr double kMark = 11.0;
constexpr double kNoNumberLane = 26.0;  // below the plot: cases that gave no number

double row_of(double ratio) { return kTop + (1.0 - ratio_position(ratio)) * kPlotHeight; }

std::string overview_axis(double right) {
  std::string svg = fmt::format(
      "<rect class=\"beyond\" x=\"{0:g}\" y=\"{1:g}\" width=\"{2:g}\" height=\"{3:g}\"/>", kLeft,
      kTop, right - kLeft, kPlotHeight / 4.0);
  std::string lines;
  for (const double ratio : {0.001, 0.01, 0.1, 1.0, 10.0}) {
    svg += fmt::format("<text x=\"{:g}\" y=\"{:g}\" text-anchor=\"end\">{:g}</text>", kLeft - 6.0,
                       row_of(ratio) + 4.0, ratio);
    lines += fmt::format("M{:g} {:g}H{:g}", kLeft, row_of(ratio), right);
  }
  svg += fmt::format("<path class=\"axis\" d=\"{}\"/><path class=\"limit\" d=\"M{:g} {:g}H{:g}\"/>",
                     lines, kLeft, row_of(1.0), right);
  return svg;
}

std::string mark(const CaseResult& result, std::size_t index, double x) {
  const bool has_number = result.output.checked > 0;
  const double y =
      has_number ? row_of(result.output.worst_ratio) : kTop + kPlotHeight + kNoNumberLane;
  const std::string_view status = status_name(result.status);
  return fmt::format(
      "<a href=\"#case-{0}\" tabindex=\"-1\" class=\"s-{1}\"><use href=\"#icon-{1}\" x=\"{2:g}\" "
      "y=\"{3:g}\""
      " width=\"{4:g}\" height=\"{4:g}\" fill=\"currentColor\"/><title>{0}: {1}, {5}, "
      "{6}</title></a>",
      index + 1, status, x - kMark / 2.0, y - kMark / 2.0, kMark,
      has_number ? number_text(result.output.worst_ratio) : "no number",
      escape_markup(result.c.model));
}

}  // namespace

std::string overview_figure(const std::vector<CaseResult>& results) {
  if (results.empty()) return "";
  const auto count = static_cast<double>(results.size());
  const double pitch = std::clamp(1120.0 / count, 13.0, 34.0);
  const double right = kLeft + count * pitch + 8.0;
  const bool has_lane = std::any_of(results.begin(), results.end(), [](const CaseResult& result) {
    return result.output.checked == 0;
  });
  const double height = kTop + kPlotHeight + (has_lane ? kNoNumberLane + 12.0 : 12.0);
  std::string svg = fmt::format(
      "<svg class=\"figure\" width=\"{:g}\" height=\"{:g}\" role=\"img\" aria-label=\"Worst error "
      "over"
      " bound of each case; the table below has the numbers.\">{}<g class=\"points\">",
      right + 4.0, height, overview_axis(right));
  for (std::size_t i = 0; i < results.size(); ++i) {
    svg += mark(results[i], i, kLeft + 4.0 + (static_cast<double>(i) + 0.5) * pitch);
  }
  svg += "</g>";
  if (has_lane) {
    svg += fmt::format("<text x=\"{:g}\" y=\"{:g}\" text-anchor=\"end\">none</text>", kLeft - 6.0,
                       kTop + kPlotHeight + kNoNumberLane + 4.0);
  }
  return svg + "</svg>";
}

}  // namespace lvsa::analysis
