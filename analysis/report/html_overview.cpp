#include "analysis/report/html_overview.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/report/html_case.hpp"
#include "analysis/report/html_figure.hpp"
#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kMostColumns = 100;  // cases share columns where there are more
constexpr double kNoNumber = -1.0;
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

// Neighbouring cases that share a column; the most severe one is drawn.
struct Group {
  std::size_t first = 0;
  std::size_t end = 0;
  std::size_t worst = 0;
  double least = kNoNumber;  ///< of those with a number
  double most = kNoNumber;
};

// What needs a look first: by status, then by ratio.
bool comes_before(const CaseResult& a, const CaseResult& b) {
  if (a.status != b.status) return severity(a.status) < severity(b.status);
  return ratio_position(a.output.worst_ratio) > ratio_position(b.output.worst_ratio);
}

std::vector<Group> make_groups(const std::vector<CaseResult>& results) {
  const std::size_t size = (results.size() + kMostColumns - 1) / kMostColumns;
  std::vector<Group> groups;
  for (std::size_t first = 0; first < results.size(); first += size) {
    Group group{first, std::min(first + size, results.size()), first};
    for (std::size_t i = first; i < group.end; ++i) {
      if (comes_before(results[i], results[group.worst])) group.worst = i;
      if (results[i].output.checked == 0) continue;
      const double at = ratio_position(results[i].output.worst_ratio);
      group.least = group.least == kNoNumber ? at : std::min(group.least, at);
      group.most = std::max(group.most, at);
    }
    groups.push_back(group);
  }
  return groups;
}

std::string mark(const std::vector<CaseResult>& results, const Group& group, double x) {
  const CaseResult& result = results[group.worst];
  const bool has_number = result.output.checked > 0;
  const double y = has_number ? row_of(result.output.worst_ratio) : kTop + kPlotHeight + kLane;
  const std::string_view status = status_name(result.status);
  std::string svg;
  if (group.end - group.first > 1 && group.least != kNoNumber) {
    svg = fmt::format("<path class=\"range\" d=\"M{:g} {:g}V{:g}\"/>", x,
                      kTop + (1.0 - group.most) * kPlotHeight,
                      kTop + (1.0 - group.least) * kPlotHeight);
  }
  return svg + fmt::format(
                   "<a href=\"#case-{0}\" tabindex=\"-1\" class=\"s-{1}\"><use "
                   "href=\"#icon-{1}\" x=\"{2:g}\" y=\"{3:g}\" width=\"{4:g}\" height=\"{4:g}\" "
                   "fill=\"currentColor\"/><title>{0}: {1}, {5}, {6}</title></a>",
                   case_number(results, group.worst), status, x - kMark / 2.0, y - kMark / 2.0,
                   kMark, has_number ? number_text(result.output.worst_ratio) : "no number",
                   escape_markup(result.c.model));
}

// Neighbours of the same model under one name, with a line between the models.
std::string model_labels(const std::vector<CaseResult>& results, double pitch, double bottom) {
  std::string labels;
  std::string lines;
  std::size_t runs = 1;
  for (std::size_t i = 1; i < results.size(); ++i) {
    if (results[i].c.model != results[i - 1].c.model) ++runs;
  }
  if (runs > kMostColumns / 2) return "";  // shuffled: lines would hide the marks
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
  const std::vector<Group> groups = make_groups(results);
  const auto count = static_cast<double>(groups.size());
  const double pitch =
      std::clamp(1130.0 / count, 11.3, 60.0) * count / static_cast<double>(results.size());
  const double right = kLeft + static_cast<double>(results.size()) * pitch + 8.0;
  const bool has_lane = std::any_of(results.begin(), results.end(), [](const CaseResult& result) {
    return result.output.checked == 0;
  });
  const double bottom = kTop + kPlotHeight + (has_lane ? kLane + 10.0 : 8.0);
  std::string svg = fmt::format(
      "<svg class=\"figure\" width=\"{0:g}\" height=\"{1:g}\" viewBox=\"0 0 {0:g} {1:g}\" "
      "role=\"img\""
      " aria-label=\"Worst error over bound of each case{3}; the table below has the numbers.\">{2}"
      "<g class=\"points\">",
      right + 4.0, bottom + kLabelRoom, overview_axis(right),
      groups.size() < results.size() ? ", the worst of neighbours" : "");
  svg += model_labels(results, pitch, bottom);
  for (const Group& group : groups) {
    const double width = static_cast<double>(group.end - group.first) * pitch;
    svg += mark(results, group, column_x(group.first, pitch) + 0.5 * width);
  }
  svg += "</g>";
  if (has_lane) {
    svg += fmt::format("<text x=\"{:g}\" y=\"{:g}\" text-anchor=\"end\">none</text>", kLeft - 6.0,
                       kTop + kPlotHeight + kLane + 4.0);
  }
  return svg + "</svg>";
}

}  // namespace lvsa::analysis
