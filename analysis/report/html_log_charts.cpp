#include "analysis/report/html_log_charts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kWidth = 1080.0;
constexpr double kLeft = 62.0;
constexpr double kPlot = 150.0;
constexpr double kTop = 10.0;
constexpr std::size_t kMostLanes = 16;
constexpr std::size_t kMostBars = 400;
constexpr std::size_t kMostPoints = 1000;

// 1, 2 or 5 times a power of ten, at least `value`.
double round_up(double value) {
  if (!(value > 0.0)) return 1.0;
  const double power = std::pow(10.0, std::floor(std::log10(value)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= value) return factor * power;
  }
  return 10.0 * power;
}

std::string polyline(const std::vector<double>& values, std::size_t whole, double top) {
  const std::size_t bin = (values.size() + kMostPoints - 1) / kMostPoints;
  std::string path;
  for (std::size_t i = 0; i < values.size(); i += bin) {
    const auto end = values.begin() + static_cast<std::ptrdiff_t>(std::min(i + bin, values.size()));
    const double value = *std::max_element(values.begin() + static_cast<std::ptrdiff_t>(i), end);
    const double x = kLeft + (kWidth - kLeft - 8.0) * (static_cast<double>(i) + 0.5) /
                                 static_cast<double>(whole);
    const double y = kTop + kPlot * (1.0 - value / top);
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x, y);
  }
  return path;
}

char cell_of(const std::string& row, std::size_t column) {
  return column < row.size() ? row[column] : '.';
}

}  // namespace

std::string_view verdict_class(Verdict verdict) {
  if (is_good(verdict)) return "pass";
  return verdict == Verdict::kUnknown ? "unsupported" : "fail";
}

std::string lanes_figure(const LogFacts& facts, const LogVerdict& verdict) {
  const auto lanes = std::min(facts.sources.size(), kMostLanes);
  if (lanes == 0 || facts.lines == 0) return "";
  const double left = 150.0;
  const double scale = (kWidth - left - 8.0) / static_cast<double>(facts.lines);
  const double height = 26.0 * static_cast<double>(lanes) + 24.0;
  std::string svg = fmt::format(
      "<svg class=\"figure\" width=\"{0:g}\" height=\"{1:g}\" viewBox=\"0 0 {0:g} {1:g}\" "
      "role=\"img\" aria-label=\"Requests over the lines of the log; the table of requests has the "
      "same as text.\">",
      kWidth, height);
  const auto bar = [&](std::size_t lane, const LogRequest& r, std::string_view look,
                       const std::string& title) {
    const double x = left + scale * static_cast<double>(r.first_line - 1);
    const double wide = std::max(4.0, scale * static_cast<double>(r.last_line - r.first_line + 1));
    const double shown = std::min(wide, kWidth - 8.0 - std::min(x, kWidth - 12.0));
    svg += fmt::format(
        "<rect class=\"bar s-{}\" x=\"{:.1f}\" y=\"{:g}\" width=\"{:.1f}\" height=\"18\" rx=\"2\">"
        "<title>{}</title></rect>",
        look, std::min(x, kWidth - 12.0), 26.0 * static_cast<double>(lane) + 4.0, shown,
        escape_markup(title));
    // The colour is not the only sign where there is room for a word.
    if (shown < 7.0 * static_cast<double>(title.size()) + 8.0) return;
    svg += fmt::format("<text class=\"in-bar\" x=\"{:.1f}\" y=\"{:g}\">{}</text>", x + 6.0,
                       26.0 * static_cast<double>(lane) + 17.0, escape_markup(title));
  };
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    const LogSource& source = facts.sources[lane];
    svg += fmt::format("<text x=\"{:g}\" y=\"{:g}\" text-anchor=\"end\">{}</text>", left - 8.0,
                       26.0 * static_cast<double>(lane) + 17.0,
                       escape_markup(source.name.empty() ? "log" : source.name.substr(0, 22)));
    for (std::size_t i = 0; i < std::min(source.requests.size(), kMostBars); ++i) {
      if (source.requests[i].warm_up) bar(lane, source.requests[i], "warm", "warm-up");
    }
  }
  std::size_t bars = 0;
  for (const RequestVerdict& judged : verdict.requests) {
    if (judged.source >= lanes || bars++ >= kMostBars) continue;
    bar(judged.source, facts.sources[judged.source].requests[judged.request],
        verdict_class(judged.verdict),
        fmt::format("request {}: {}", judged.number, name(judged.verdict)));
  }
  return svg + fmt::format(
                   "<text x=\"{:g}\" y=\"{:g}\">line 1</text><text x=\"{:g}\" y=\"{:g}\" "
                   "text-anchor=\"end\">{}</text></svg>",
                   left, height - 6.0, kWidth - 8.0, height - 6.0, facts.lines);
}

std::string line_figure(const std::vector<ChartLine>& lines, const std::vector<std::size_t>& breaks,
                        const std::string& unit, const std::string& label) {
  std::size_t whole = 0;
  double most = 0.0;
  for (const ChartLine& line : lines) {
    whole = std::max(whole, line.values.size());
    for (const double value : line.values) most = std::max(most, value);
  }
  if (whole == 0) return "";
  const double top = round_up(most);
  std::string svg = fmt::format(
      "<svg class=\"figure\" width=\"{0:g}\" height=\"{1:g}\" viewBox=\"0 0 {0:g} {1:g}\" "
      "role=\"img\" aria-label=\"{2}\">",
      kWidth, kTop + kPlot + 26.0, escape_markup(label));
  std::string axis;
  for (int i = 0; i <= 4; ++i) {
    const double y = kTop + kPlot * (1.0 - i / 4.0);
    axis += fmt::format("M{:g} {:g}H{:g}", kLeft, y, kWidth - 8.0);
    svg += fmt::format("<text x=\"{:g}\" y=\"{:g}\" text-anchor=\"end\">{:g}{}</text>", kLeft - 6.0,
                       y + 4.0, top * i / 4.0, i == 4 ? " " + unit : "");
  }
  for (const std::size_t at : breaks) {
    if (at == 0 || at >= whole) continue;
    const double x =
        kLeft + (kWidth - kLeft - 8.0) * static_cast<double>(at) / static_cast<double>(whole);
    axis += fmt::format("M{:.1f} {:g}V{:g}", x, kTop, kTop + kPlot + 6.0);
  }
  svg += fmt::format("<path class=\"axis\" d=\"{}\"/>", axis);
  for (std::size_t i = 0; i < std::min<std::size_t>(lines.size(), 4); ++i) {
    if (lines[i].values.empty()) continue;
    svg += fmt::format("<path class=\"curve curve-{}\" d=\"{}\"><title>{}</title></path>", i + 1,
                       polyline(lines[i].values, whole, top), escape_markup(lines[i].name));
  }
  return svg + fmt::format(
                   "<text x=\"{:g}\" y=\"{:g}\">step 0</text><text x=\"{:g}\" y=\"{:g}\" "
                   "text-anchor=\"end\">{} steps</text></svg>",
                   kLeft, kTop + kPlot + 20.0, kWidth - 8.0, kTop + kPlot + 20.0, whole);
}

std::string mask_figure(const std::vector<std::string>& rows, const std::string& label) {
  if (rows.empty()) return "";
  const auto frames = static_cast<double>(rows.size());
  const double cell = std::clamp(420.0 / frames, 0.4, 14.0);
  std::string paths;
  for (const auto& [kind, look] : {std::pair{'G', "global"}, {'W', "window"}, {'X', "both"}}) {
    std::string path;
    for (std::size_t f = 0; f < rows.size(); ++f) {
      for (std::size_t first = 0; first < rows.size();) {
        std::size_t end = first;
        while (end < rows.size() && cell_of(rows[f], end) == kind) ++end;
        if (end > first) path += fmt::format("M{} {}h{}v1H{}z", first, f, end - first, first);
        first = end + 1;
      }
    }
    paths += fmt::format("<path class=\"cell-{}\" d=\"{}\"/>", look, path);
  }
  return fmt::format(
      "<svg class=\"figure\" width=\"{0:g}\" height=\"{0:g}\" viewBox=\"0 0 {1} {1}\" role=\"img\" "
      "aria-label=\"{2}\"><rect class=\"mask-skip\" width=\"{1}\" height=\"{1}\"/>{3}</svg>",
      cell * frames, rows.size(), escape_markup(label), paths);
}

}  // namespace lvsa::analysis
