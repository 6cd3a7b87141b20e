// The chart for readers without script, as SVG.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/report/html_sweep_data.hpp"
#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kLeft = 70.0, kTop = 14.0, kWidth = 640.0, kHeight = 300.0;
constexpr std::size_t kMostPoints = 2000;

// The place of values between 0 and 1.
struct Scale {
  double low = 0.0, high = 1.0;
  bool log = false;

  bool holds(double value) const { return std::isfinite(value) && (!log || value > 0.0); }
  double at(double value) const { return ((log ? std::log10(value) : value) - low) / (high - low); }
  double value(double share) const {
    const double raw = low + share * (high - low);
    return log ? std::pow(10.0, raw) : raw;
  }
};

Scale scale_of(const SweepColumn& column) {
  Scale scale;
  scale.log = column.log && std::any_of(column.values.begin(), column.values.end(),
                                        [](double v) { return std::isfinite(v) && v > 0.0; });
  double low = INFINITY, high = -INFINITY;
  for (const double value : column.values) {
    if (!scale.holds(value)) continue;
    const double raw = scale.log ? std::log10(value) : value;
    low = std::min(low, raw);
    high = std::max(high, raw);
  }
  if (!(low < high)) {
    low = std::isfinite(low) ? low - 0.5 : 0.0;
    high = low + 1.0;
  }
  const double room = 0.04 * (high - low);
  scale.low = low - room;
  scale.high = high + room;
  return scale;
}

std::string axes_svg(const SweepColumn& x, const SweepColumn& y, const Scale& across,
                     const Scale& up) {
  std::string svg = fmt::format("<path class=\"axis\" d=\"M{0} {1}V{2}H{3}\"/>", kLeft, kTop,
                                kTop + kHeight, kLeft + kWidth);
  for (int i = 0; i <= 4; ++i) {
    const double share = 0.04 + 0.92 * i / 4.0;
    svg +=
        fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>",
                    kLeft + share * kWidth, kTop + kHeight + 16, number_text(across.value(share)));
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>", kLeft - 6,
                       kTop + kHeight - share * kHeight + 4, number_text(up.value(share)));
  }
  return svg + fmt::format(
                   "<text class=\"title\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}"
                   "</text><text class=\"title\" transform=\"translate(14 {:.1f}) rotate(-90)\" "
                   "text-anchor=\"middle\">{}</text>",
                   kLeft + kWidth / 2, kTop + kHeight + 36, escape_markup(x.title),
                   kTop + kHeight / 2, escape_markup(y.title));
}

}  // namespace

std::string sweep_figure(const SweepColumn& x, const SweepColumn& y,
                         const std::vector<std::size_t>& front) {
  const Scale across = scale_of(x), up = scale_of(y);
  const auto place = [&](std::size_t i) {
    return fmt::format("{:.1f} {:.1f}", kLeft + across.at(x.values[i]) * kWidth,
                       kTop + kHeight - up.at(y.values[i]) * kHeight);
  };
  const auto drawn = [&](std::size_t i) {
    return across.holds(x.values[i]) && up.holds(y.values[i]);
  };
  std::string points;
  const std::size_t stride = 1 + x.values.size() / kMostPoints;
  for (std::size_t i = 0; i < x.values.size(); i += stride) {
    if (drawn(i)) points += fmt::format("M{}h0", place(i));
  }
  std::string line;
  for (const std::size_t i : front) {
    if (drawn(i)) line += fmt::format("{}{}", line.empty() ? "M" : "L", place(i));
  }
  return fmt::format(
      "<svg class=\"figure\" role=\"img\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "aria-label=\"{2} against {3}, a point a setting, and their front\">{4}"
      "<path d=\"{5}\" fill=\"none\" stroke=\"var(--accent)\" stroke-width=\"5\" "
      "stroke-linecap=\"round\" opacity=\".65\"/>"
      "<path d=\"{6}\" fill=\"none\" stroke=\"var(--ink)\" stroke-width=\"1.5\"/></svg>",
      kLeft + kWidth + 20, kTop + kHeight + 46, escape_markup(y.title), escape_markup(x.title),
      axes_svg(x, y, across, up), points, line);
}

}  // namespace lvsa::analysis
