// Figures of a comparison as SVG: they need no script, and follow theme and paper by the page's
// colours.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/report/html_compare_parts.hpp"
#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kLeft = 66.0, kTop = 10.0, kHeight = 230.0, kBelow = 46.0, kRight = 14.0;

// Places of values between 0 and 1, with ticks at 1, 2 or 5 times a power of ten.
struct Scale {
  double low = 0.0, high = 1.0;
  bool log = false;
  std::vector<double> ticks;

  bool holds(double value) const { return std::isfinite(value) && (!log || value > 0.0); }
  double raw(double value) const { return log ? std::log10(value) : value; }
  double at(double value) const { return (raw(value) - low) / (high - low); }
};

void add_linear_ticks(Scale& scale) {
  const double power = std::pow(10.0, std::floor(std::log10(scale.high - scale.low)));
  double step = power;
  for (const double factor : {0.1, 0.2, 0.5, 1.0}) {
    step = factor * power;
    if ((scale.high - scale.low) / step <= 6.0) break;
  }
  for (double i = std::ceil(scale.low / step); i * step <= scale.high; i += 1.0) {
    scale.ticks.push_back(i * step);
  }
}

void add_log_ticks(Scale& scale) {
  const bool wide = scale.high - scale.low > 2.0;
  for (double p = std::floor(scale.low); p <= scale.high; p += 1.0) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (wide && factor != 1.0) continue;
      const double value = factor * std::pow(10.0, p);
      if (std::log10(value) >= scale.low && std::log10(value) <= scale.high) {
        scale.ticks.push_back(value);
      }
    }
  }
}

Scale scale_of(const std::vector<double>& values, bool log) {
  Scale scale;
  scale.log = log && std::any_of(values.begin(), values.end(),
                                 [](double v) { return std::isfinite(v) && v > 0.0; });
  double low = INFINITY, high = -INFINITY;
  for (const double value : values) {
    if (!scale.holds(value)) continue;
    low = std::min(low, scale.raw(value));
    high = std::max(high, scale.raw(value));
  }
  if (!std::isfinite(low)) low = high = 0.0;
  const double room =
      std::max(0.06 * (high - low), scale.log ? 0.1 : 1e-3 * std::fabs(high) + 1e-6);
  scale.low = low - room;
  scale.high = high + room;
  if (scale.log) {
    add_log_ticks(scale);
  } else {
    add_linear_ticks(scale);
  }
  return scale;
}

std::string axes_svg(const CompareAxis& x, const CompareAxis& y, const Scale& across,
                     const Scale& up, double width) {
  const double bottom = kTop + kHeight;
  std::string svg;
  for (const double tick : across.ticks) {
    const double at = kLeft + across.at(tick) * width;
    svg += fmt::format(
        "<path class=\"grid\" d=\"M{0:.1f} {1}V{2}\"/><text x=\"{0:.1f}\" y=\"{3}\" "
        "text-anchor=\"middle\">{4}</text>",
        at, kTop, bottom, bottom + 16, number_text(tick));
  }
  for (const double tick : up.ticks) {
    const double at = bottom - up.at(tick) * kHeight;
    svg += fmt::format(
        "<path class=\"grid\" d=\"M{0} {1:.1f}H{2}\"/><text x=\"{3}\" y=\"{4:.1f}\" "
        "text-anchor=\"end\">{5}</text>",
        kLeft, at, kLeft + width, kLeft - 6, at + 4, number_text(tick));
  }
  svg += fmt::format("<path class=\"axis\" d=\"M{0} {1}V{2}H{3}\"/>", kLeft, kTop, bottom,
                     kLeft + width);
  return svg +
         fmt::format(
             "<text class=\"title\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text><text "
             "class=\"title\" transform=\"translate(14 {:.1f}) rotate(-90)\" "
             "text-anchor=\"middle\">{}</text>",
             kLeft + width / 2, bottom + 38, escape_markup(x.title), kTop + kHeight / 2,
             escape_markup(y.title));
}

// Around (0, 0).
std::string_view shape(std::size_t rule) {
  static constexpr std::array<std::string_view, 7> kShapes = {
      "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
      "M0 -5L5 4H-5z",
      "M-4 -4H4V4H-4z",
      "M0 -5.5L5.5 0L0 5.5L-5.5 0z",
      "M0 5L5 -4H-5z",
      "M-1.5 -5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5v-3h3.5z",
      "M-5 -3H5V3H-5z"};
  return kShapes[rule % kShapes.size()];
}

std::string style(std::size_t rule) { return fmt::format("var(--point-{})", rule % 7 + 1); }

}  // namespace

std::string rule_mark(std::size_t rule) {
  return fmt::format(
      "<svg class=\"mark\" width=\"26\" height=\"12\" viewBox=\"-13 -6 26 12\" "
      "aria-hidden=\"true\"><path d=\"M-13 0H13\" stroke=\"{0}\" stroke-width=\"1.6\"{1}/><path "
      "d=\"{2}\" fill=\"{0}\"/></svg>",
      style(rule), rule < 7 ? "" : " stroke-dasharray=\"4 3\"", shape(rule));
}

std::vector<std::size_t> pareto_front(const std::vector<ComparePoint>& points, Better better) {
  const double sign = better == Better::kHigher ? 1.0 : -1.0;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (std::isfinite(points[i].x) && !std::isnan(points[i].y)) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (points[a].x != points[b].x) return points[a].x > points[b].x;
    return sign * points[a].y > sign * points[b].y;
  });
  std::vector<std::size_t> front;
  for (const std::size_t i : order) {
    if (front.empty() || sign * points[i].y > sign * points[front.back()].y) front.push_back(i);
  }
  return front;
}

std::string compare_figure(const std::vector<ComparePoint>& points, const CompareAxis& x,
                           const CompareAxis& y, double width, std::string_view label,
                           const std::vector<std::size_t>& front) {
  std::vector<double> xs, ys;
  for (const ComparePoint& p : points) ys.push_back(p.y);
  const Scale up = scale_of(ys, y.log);
  for (const ComparePoint& p : points) {
    if (up.holds(p.y)) xs.push_back(p.x);
  }
  const Scale across = scale_of(xs, x.log);
  const auto drawn = [&](const ComparePoint& p) { return across.holds(p.x) && up.holds(p.y); };
  const auto place = [&](const ComparePoint& p) {
    return fmt::format("{:.1f} {:.1f}", kLeft + across.at(p.x) * width,
                       kTop + kHeight - up.at(p.y) * kHeight);
  };
  std::map<std::size_t, std::vector<const ComparePoint*>> of_rule;
  for (const ComparePoint& p : points) {
    if (drawn(p)) of_rule[p.rule].push_back(&p);
  }
  std::string joined;
  for (const std::size_t i : front) {
    if (drawn(points[i])) joined += (joined.empty() ? "M" : "L") + place(points[i]);
  }
  std::string body;
  if (!joined.empty()) body = fmt::format("<path class=\"front\" d=\"{}\"/>", joined);
  for (auto& [rule, of] : of_rule) {
    std::stable_sort(of.begin(), of.end(),
                     [](const ComparePoint* a, const ComparePoint* b) { return a->x < b->x; });
    std::string line, marks;
    for (const ComparePoint* p : of) {
      line += (line.empty() ? "M" : "L") + place(*p);
      marks += fmt::format("<path transform=\"translate({})\" d=\"{}\"><title>{}</title></path>",
                           place(*p), shape(rule), escape_markup(p->text));
    }
    body += fmt::format(
        "<g data-rule=\"{0}\" style=\"color:{1}\"><path class=\"line\"{2} d=\"{3}\"/>{4}</g>", rule,
        style(rule), rule < 7 ? "" : " stroke-dasharray=\"4 3\"", line, marks);
  }
  return fmt::format(
      "<svg class=\"figure compare\" role=\"img\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
      "{1}\" aria-label=\"{2}\">{3}{4}</svg>",
      kLeft + width + kRight, kTop + kHeight + kBelow, escape_markup(label),
      axes_svg(x, y, across, up, width), body);
}

}  // namespace lvsa::analysis
