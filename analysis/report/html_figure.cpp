#include "analysis/report/html_figure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/report/html_heat.hpp"
#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kMaskSide = 400.0;  // at most, in pixels
constexpr double kMaxCell = 16.0;
constexpr double kLeft = 52.0;
constexpr double kTop = 42.0;
constexpr double kGap = 40.0;        // between mask and strip; the label "text" stands there
constexpr double kTitleRoom = 74.0;  // of "key frame" across and "query frame" down, for tiny masks
constexpr double kStripWidth = 180.0;
constexpr double kHeatWidth = 224.0;  // at most
constexpr double kMaxHeadWidth = 18.0;
constexpr double kHeatTitleRoom = 150.0;
constexpr std::array<double, 4> kTicks = {1e-4, 0.01, 1.0, 100.0};

// Sizes of one figure in pixels.
struct Plan {
  std::int64_t frames = 0;
  double cell = 1.0;  ///< height of a frame
  double side = 1.0;  ///< T * cell
  bool has_mask = false;
  bool has_strip = false;
  bool has_heat = false;
  bool has_text_row = false;
  double heat_x = 0.0;
  double head_width = 0.0;
  double strip_x = 0.0;
  double text_y = 0.0;
  double bottom = 0.0;  ///< lower end of the axes
  double width = 0.0;
  double height = 0.0;
};

Plan make_plan(const CaseResult& result, const MaskEntry& mask) {
  Plan plan;
  plan.frames = result.c.grid.frames;
  plan.has_mask = !mask.symbol_id.empty();
  const auto entries = static_cast<std::int64_t>(result.frame_worst_ratio.size());
  plan.has_strip = has_frame_ratios(result) && entries >= plan.frames;
  plan.has_text_row = plan.has_strip && entries > plan.frames;
  const double cell = std::min(kMaxCell, kMaskSide / static_cast<double>(plan.frames));
  plan.cell = cell > 1.0 ? std::floor(cell) : cell;  // whole pixels keep the rows equally high
  plan.side = plan.cell * static_cast<double>(plan.frames);
  plan.heat_x = kLeft + (plan.has_mask ? std::max(plan.side, kTitleRoom) + kGap : 0.0);
  const auto heads = static_cast<double>(std::max<std::int64_t>(result.c.heads, 1));
  plan.has_heat = plan.has_strip && result.c.heads > 1 && !result.frame_heads.cells.empty();
  plan.head_width = std::min(kMaxHeadWidth, kHeatWidth / heads);
  if (plan.head_width > 1.0) plan.head_width = std::floor(plan.head_width);
  const double heat_room = std::max(heads * plan.head_width, kHeatTitleRoom) + kGap;
  plan.strip_x = plan.heat_x + (plan.has_heat ? heat_room : 0.0);
  plan.text_y = kTop + plan.side + 8.0;
  plan.bottom = plan.text_y + (plan.has_text_row ? 14.0 : -6.0);
  plan.width = plan.has_strip ? plan.strip_x + kStripWidth + 22.0
                              : kLeft + std::max(plan.side, kTitleRoom) + 12.0;
  plan.height = std::max(plan.bottom + 2.0, kTop + kTitleRoom);
  return plan;
}

// Distance of frame labels: 1, 2 or 5 times a power of ten, at least `room` pixels.
std::int64_t label_step(double cell, double room) {
  for (std::int64_t power = 1;; power *= 10) {
    for (const std::int64_t step : {power, 2 * power, 5 * power}) {
      if (static_cast<double>(step) * cell >= room) return step;
    }
  }
}

std::string row_labels(const Plan& plan, double x) {
  std::string svg = fmt::format(
      "<text class=\"title\" transform=\"translate({:g} {:g}) rotate(-90)\""
      " text-anchor=\"end\">query frame</text>",
      x - 34.0, kTop);
  for (std::int64_t f = 0, step = label_step(plan.cell, 26.0); f < plan.frames; f += step) {
    svg += fmt::format("<text x=\"{:g}\" y=\"{:g}\" text-anchor=\"end\">{}</text>", x - 6.0,
                       kTop + (static_cast<double>(f) + 0.5) * plan.cell + 4.0, f);
  }
  return svg;
}

std::string mask_part(const Plan& plan, const MaskEntry& mask) {
  std::string svg =
      fmt::format("<text class=\"title\" x=\"{:g}\" y=\"14\">key frame</text>", kLeft);
  for (std::int64_t f = 0, step = label_step(plan.cell, 30.0); f < plan.frames; f += step) {
    svg += fmt::format("<text x=\"{:g}\" y=\"34\" text-anchor=\"middle\">{}</text>",
                       kLeft + (static_cast<double>(f) + 0.5) * plan.cell, f);
  }
  // Crisp edges would drop the columns that are narrower than a pixel.
  const char* edges = plan.cell < 1.0 ? "" : " shape-rendering=\"crispEdges\"";
  svg += fmt::format("<use href=\"#{}\" x=\"{:g}\" y=\"{:g}\" width=\"{:g}\" height=\"{:g}\"{}/>",
                     mask.symbol_id, kLeft, kTop, plan.side, plan.side, edges);
  if (plan.cell < 6.0) return svg;
  std::string grid;
  for (std::int64_t f = 1; f < plan.frames; ++f) {
    const double at = static_cast<double>(f) * plan.cell;
    grid += fmt::format("M{:g} {:g}h{:g}M{:g} {:g}v{:g}", kLeft, kTop + at, plan.side, kLeft + at,
                        kTop, plan.side);
  }
  return svg + fmt::format("<path class=\"grid\" shape-rendering=\"crispEdges\" d=\"{}\"/>", grid);
}

// Small triangles over the columns of the condition frames.
std::string condition_marks(const Plan& plan, const Case& c) {
  std::string path;
  for (const std::int64_t frame : c.condition_frames) {
    if (frame < 0 || frame >= plan.frames) continue;
    path += fmt::format("M{:g} {:g}l-3.5 -5h7z",
                        kLeft + (static_cast<double>(frame) + 0.5) * plan.cell, kTop - 0.5);
  }
  return path.empty() ? "" : fmt::format("<path class=\"condition\" d=\"{}\"/>", path);
}

std::string heat_map(const Plan& plan, const CaseResult& result) {
  HeatPlan heat;
  heat.frames = plan.frames;
  heat.heads = result.c.heads;
  heat.x = plan.heat_x;
  heat.y = kTop;
  heat.frame_height = plan.cell;
  heat.head_width = plan.head_width;
  heat.text_y = plan.text_y;
  heat.bottom = plan.has_text_row ? plan.text_y + kTextRowHeight : kTop + plan.side;
  return heat_part(heat, result.frame_heads);
}

std::string strip_axis(const Plan& plan) {
  const double limit = plan.strip_x + ratio_position(1.0) * kStripWidth;
  std::string svg = fmt::format(
      "<text class=\"title\" x=\"{:g}\" y=\"14\">worst error / bound</text>"
      "<rect class=\"beyond\" x=\"{:g}\" y=\"{:g}\" width=\"{:g}\" height=\"{:g}\"/>",
      plan.strip_x, limit, kTop, plan.strip_x + kStripWidth - limit, plan.bottom - kTop);
  std::string lines;
  for (const double tick : kTicks) {
    const double at = plan.strip_x + ratio_position(tick) * kStripWidth;
    svg += fmt::format("<text x=\"{:g}\" y=\"34\" text-anchor=\"middle\">{:g}</text>", at, tick);
    lines += fmt::format("M{:g} {:g}V{:g}", at, kTop - 4.0, plan.bottom);
  }
  return svg +
         fmt::format("<path class=\"axis\" d=\"{}\"/><path class=\"limit\" d=\"M{:g} {:g}V{:g}\"/>",
                     lines, limit, kTop - 4.0, plan.bottom);
}

struct Bar {
  std::string name;  ///< "frame 17", "frames 16 to 18", "text rows"
  double ratio = 0.0;
  double y = 0.0;
  double height = 0.0;
};

// Frames that share a pixel share a bar with the worst of them.
std::vector<Bar> make_bars(const Plan& plan, const std::vector<double>& ratios) {
  std::vector<Bar> bars;
  const auto per_bar = static_cast<std::int64_t>(std::ceil(1.0 / plan.cell));
  for (std::int64_t first = 0; first < plan.frames; first += per_bar) {
    const std::int64_t last = std::min(first + per_bar, plan.frames) - 1;
    Bar bar;
    bar.ratio = -1.0;
    for (std::int64_t f = first; f <= last; ++f) {
      const double ratio = ratios[static_cast<std::size_t>(f)];
      if (ratio > bar.ratio || std::isnan(ratio)) bar.ratio = ratio;
      if (std::isnan(ratio)) break;
    }
    if (bar.ratio < 0.0) continue;  // no row of these frames was sampled
    bar.name = first == last ? fmt::format("frame {}", first)
                             : fmt::format("frames {} to {}", first, last);
    bar.y = kTop + static_cast<double>(first) * plan.cell;
    bar.height = static_cast<double>(last - first + 1) * plan.cell;
    bars.push_back(bar);
  }
  if (plan.has_text_row) {
    const double ratio = ratios[static_cast<std::size_t>(plan.frames)];
    if (!(ratio < 0.0)) bars.push_back({"text rows", ratio, plan.text_y, kTextRowHeight});
  }
  return bars;
}

bool is_over(double ratio) { return !(ratio <= 1.0); }

std::string strip_bars(const Plan& plan, const std::vector<Bar>& bars) {
  std::string svg;
  for (const bool over : {false, true}) {
    std::string rectangles;
    std::string caps;
    for (const Bar& bar : bars) {
      if (is_over(bar.ratio) != over) continue;
      const double length = ratio_position(bar.ratio) * kStripWidth;
      const double gap = bar.height >= 5.0 ? 1.0 : 0.0;
      rectangles += fmt::format(
          "<rect y=\"{:g}\" width=\"{:.4g}\" height=\"{:g}\"><title>{}: {}</title></rect>",
          bar.y + gap, std::max(length, 3.0), bar.height - 2.0 * gap, bar.name,
          number_text(bar.ratio));
      caps += fmt::format("M{:.4g} {:g}v{:g}", std::max(length - 1.5, 1.5), bar.y + gap,
                          bar.height - 2.0 * gap);
    }
    if (rectangles.empty()) continue;
    const char* kind = over ? " over" : "";
    svg += fmt::format(
        "<g transform=\"translate({:g})\" shape-rendering=\"crispEdges\">"
        "<g class=\"bars{}\">{}</g><path class=\"caps{}\" d=\"{}\"/></g>",
        plan.strip_x, kind, rectangles, kind, caps);
  }
  return svg;
}

std::string figure_label(const CaseResult& result, const Plan& plan, const MaskEntry& mask,
                         const std::vector<Bar>& bars) {
  std::string label;
  if (plan.has_mask) {
    label = fmt::format("Mask of {} frames, {} of them global. ", plan.frames, mask.globals);
  }
  const auto worst = std::max_element(bars.begin(), bars.end(), [](const Bar& a, const Bar& b) {
    return ratio_position(a.ratio) < ratio_position(b.ratio);
  });
  if (worst != bars.end()) {
    label += fmt::format(
        "Worst error over bound: {}, {}; {} of {} bars above 1.", number_text(worst->ratio),
        worst->name,
        std::count_if(bars.begin(), bars.end(), [](const Bar& bar) { return is_over(bar.ratio); }),
        bars.size());
  }
  if (plan.has_heat) label += ' ' + heat_label(plan.frames, result.frame_heads);
  if (label.empty()) label = fmt::format("Case {}", status_name(result.status));
  return label;
}

}  // namespace

double ratio_position(double ratio) {
  if (std::isnan(ratio) || ratio >= kMaxRatio) return 1.0;
  if (ratio <= kMinRatio) return 0.0;
  return std::log10(ratio / kMinRatio) / std::log10(kMaxRatio / kMinRatio);
}

bool has_frame_ratios(const CaseResult& result) {
  return std::any_of(result.frame_worst_ratio.begin(), result.frame_worst_ratio.end(),
                     [](double ratio) { return !(ratio < 0.0); });
}

std::string frame_figure(const CaseResult& result, const MaskEntry& mask) {
  const Plan plan = make_plan(result, mask);
  if (!plan.has_mask && !plan.has_strip) return "";
  std::vector<Bar> bars;
  if (plan.has_strip) bars = make_bars(plan, result.frame_worst_ratio);
  std::string svg = fmt::format(
      "<svg class=\"figure\" width=\"{0:g}\" height=\"{1:g}\" viewBox=\"0 0 {0:g} {1:g}\" "
      "role=\"img\""
      " aria-label=\"{2}\">",
      plan.width, plan.height, escape_markup(figure_label(result, plan, mask, bars)));
  svg += row_labels(plan, kLeft);
  if (plan.has_mask) svg += mask_part(plan, mask) + condition_marks(plan, result.c);
  if (plan.has_heat) svg += heat_map(plan, result);
  if (plan.has_strip) {
    svg += strip_axis(plan) + strip_bars(plan, bars);
    if (plan.has_text_row) {
      svg += fmt::format("<text x=\"{:g}\" y=\"{:g}\" text-anchor=\"end\">text</text>",
                         plan.heat_x - 6.0, plan.text_y + 9.0);
    }
  }
  return svg + "</svg>";
}

}  // namespace lvsa::analysis
