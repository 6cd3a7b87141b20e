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
constexpr double kLane = 26.0;       // below the plot: cases that gave no number
constexpr double kLabelRoom = 24.0;  // names of the models below all
constexpr double kLetter = 6.6;      // width of one, about

double row_of(double ratio) { return kTop + (1.0 - ratio_position(ratio)) * kPlotHeight; }

// Left edge of the column of case `index`.
double column_x(std::size_t index, double pitch) {
  return kLeft + 4.0 + static_cast<double>(index) * pitch;
}

std::string overview_axis(double right) {
  std::string svg = fmt::format(
      "<rect class=\"beyond\" x=\"{0:g}\" y=\"{1:g}\" width=\"{2:g}\" height=\"{3:g}\"/>", kLeft,
      kTop, right - kLeft, row_of(1.0) - kTop);
  std::string lines;
  for (const double ratio : {1e-4, 0.01, 1.0, 100.0}) {
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
  const double y = has_number ? row_of(result.output.worst_ratio) : kTop + kPlotHeight + kLane;
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

// Neighbours of the same model under one name, with a line between the models.
std::string model_labels(const std::vector<CaseResult>& results, double pitch, double bottom) {
  std::string labels;
  std::string lines;
  for (std::size_t first = 0; first < results.size();) {
    const std::string& model = results[first].c.model;
    std::size_t end = first + 1;
    while (end < results.size() && results[end].c.model == model) ++end;
    const double left = column_x(first, pitch);
    const double width = column_x(end, pitch) - left;
    if (first > 0) lines += fmt::format("M{:g} {:g}V{:g}", left, kTop, bottom + 16.0);
    if (static_cast<double>(model.size()) * kLetter <= width) {
      labels += fmt::format("<text x=\"{:g}\" y=\"{:g}\" text-anchor=\"middle\">{}</text>",
                            left + width / 2.0, bottom + 14.0, escape_markup(model));
    }
    first = end;
  }
  return fmt::format("<path class=\"axis\" d=\"{}\"/>{}", lines, labels);
}

}  // namespace

std::string overview_figure(const std::vector<CaseResult>& results) {
  if (results.empty()) return "";
  const auto count = static_cast<double>(results.size());
  const double pitch = std::clamp(1130.0 / count, 13.0, 60.0);
  const double right = kLeft + count * pitch + 8.0;
  const bool has_lane = std::any_of(results.begin(), results.end(), [](const CaseResult& result) {
    return result.output.checked == 0;
  });
  const double bottom = kTop + kPlotHeight + (has_lane ? kLane + 10.0 : 8.0);
  std::string svg = fmt::format(
      "<svg class=\"figure\" width=\"{0:g}\" height=\"{1:g}\" viewBox=\"0 0 {0:g} {1:g}\" "
      "role=\"img\""
      " aria-label=\"Worst error over bound of each case; the table below has the numbers.\">{2}"
      "<g class=\"points\">",
      right + 4.0, bottom + kLabelRoom, overview_axis(right));
  svg += model_labels(results, pitch, bottom);
  for (std::size_t i = 0; i < results.size(); ++i) {
    svg += mark(results[i], i, column_x(i, pitch) + 0.5 * pitch);
  }
  svg += "</g>";
  if (has_lane) {
    svg += fmt::format("<text x=\"{:g}\" y=\"{:g}\" text-anchor=\"end\">none</text>", kLeft - 6.0,
                       kTop + kPlotHeight + kLane + 4.0);
  }
  return svg + "</svg>";
}

}  // namespace lvsa::analysis
