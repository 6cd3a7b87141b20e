#include "analysis/report/html_heat.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::array<double, 5> kLevelEnds = {0.01, 0.1, 0.5, 1.0, 10.0};
constexpr int kLevels = 6;
constexpr std::size_t kMostTitles = 300;  // cells above 1 that tell their number on hovering

struct Box {
  double x, y, width, height;
};

Box cell_box(const HeatPlan& plan, const FrameHeadMap& map, const FrameHeadCell& cell) {
  const double x = plan.x + static_cast<double>(cell.head) * plan.head_width;
  const std::int64_t rows = frame_rows(map, plan.frames);
  if (cell.row >= rows) return {x, plan.text_y, plan.head_width, kTextRowHeight};
  const std::int64_t first = cell.row * map.frames_per_row;
  const std::int64_t last = std::min(first + map.frames_per_row, plan.frames);
  return {x, plan.y + static_cast<double>(first) * plan.frame_height, plan.head_width,
          static_cast<double>(last - first) * plan.frame_height};
}

std::string cell_name(std::int64_t frames, const FrameHeadMap& map, const FrameHeadCell& cell) {
  if (cell.row >= frame_rows(map, frames)) return fmt::format("text rows, head {}", cell.head);
  const std::int64_t first = cell.row * map.frames_per_row;
  const std::int64_t last = std::min(first + map.frames_per_row, frames) - 1;
  if (first == last) return fmt::format("frame {}, head {}", first, cell.head);
  return fmt::format("frames {} to {}, head {}", first, last, cell.head);
}

bool is_over(const FrameHeadCell& cell) { return !(cell.ratio <= 1.0); }

std::string cells_path(const HeatPlan& plan, const FrameHeadMap& map, int level) {
  std::string path;
  for (const FrameHeadCell& cell : map.cells) {
    if (cell.head >= plan.heads || heat_level(cell.ratio) != level) continue;
    const Box box = cell_box(plan, map, cell);
    path += fmt::format("M{:.6g} {:.6g}h{:.4g}v{:.4g}h-{:.4g}z", box.x, box.y, box.width,
                        box.height, box.width);
  }
  return path.empty() ? "" : fmt::format("<path class=\"heat-{}\" d=\"{}\"/>", level, path);
}

// Colour is not the only sign: cells above 1 are crossed out where there is room, and say their
// number.
std::string over_marks(const HeatPlan& plan, const FrameHeadMap& map) {
  std::string crosses;
  std::string titles;
  std::size_t told = 0;
  for (const FrameHeadCell& cell : map.cells) {
    if (cell.head >= plan.heads || !is_over(cell)) continue;
    const Box box = cell_box(plan, map, cell);
    const double reach = 0.5 * std::min({box.width, box.height, 12.0}) - 1.0;
    if (reach >= 1.5) {
      const double x = box.x + 0.5 * box.width;
      const double y = box.y + 0.5 * box.height;
      crosses += fmt::format("M{0:.6g} {1:.6g}l{2:.4g} {2:.4g}m0 -{2:.4g}l-{2:.4g} {2:.4g}",
                             x - reach, y - reach, 2.0 * reach);
    }
    if (told++ >= kMostTitles) continue;
    titles += fmt::format(
        "<rect x=\"{:.6g}\" y=\"{:.6g}\" width=\"{:.4g}\" height=\"{:.4g}\" fill=\"transparent\">"
        "<title>{}: {}</title></rect>",
        box.x, box.y, box.width, box.height, cell_name(plan.frames, map, cell),
        number_text(cell.ratio));
  }
  if (!crosses.empty()) crosses = fmt::format("<path class=\"crosses\" d=\"{}\"/>", crosses);
  return crosses + titles;
}

}  // namespace

int heat_level(double ratio) {
  const auto end = std::find_if(kLevelEnds.begin(), kLevelEnds.end(),
                                [=](double limit) { return ratio <= limit; });
  return 1 + static_cast<int>(end - kLevelEnds.begin());
}

std::string heat_name(int level) {
  if (level >= kLevels) return fmt::format("above {:g}", kLevelEnds.back());
  return fmt::format("up to {:g}", kLevelEnds[static_cast<std::size_t>(level - 1)]);
}

std::string heat_part(const HeatPlan& plan, const FrameHeadMap& map) {
  const double width = plan.head_width * static_cast<double>(plan.heads);
  std::string svg = fmt::format(
      "<text class=\"title\" x=\"{:g}\" y=\"14\">head: worst error / bound</text>"
      "<rect class=\"heat-0\" x=\"{:g}\" y=\"{:g}\" width=\"{:g}\" height=\"{:g}\"/>",
      plan.x, plan.x - 1.0, plan.y - 1.0, width + 2.0, plan.bottom - plan.y + 2.0);
  std::int64_t step = 1;
  while (static_cast<double>(step) * plan.head_width < 22.0) step *= 2;
  for (std::int64_t head = 0; head < plan.heads; head += step) {
    svg += fmt::format("<text x=\"{:g}\" y=\"34\" text-anchor=\"middle\">{}</text>",
                       plan.x + (static_cast<double>(head) + 0.5) * plan.head_width, head);
  }
  for (int level = 1; level <= kLevels; ++level) svg += cells_path(plan, map, level);
  return svg + over_marks(plan, map);
}

std::string heat_label(std::int64_t frames, const FrameHeadMap& map) {
  if (map.cells.empty()) return "";
  const auto over = std::count_if(map.cells.begin(), map.cells.end(), is_over);
  const auto worst = std::max_element(map.cells.begin(), map.cells.end(),
                                      [](const FrameHeadCell& a, const FrameHeadCell& b) {
                                        return a.ratio < b.ratio || std::isnan(b.ratio);
                                      });
  return fmt::format(
      "Worst error over bound by frame and head: {} of {} checked cells above 1, the worst {} at "
      "{}.",
      over, map.cells.size(), number_text(worst->ratio), cell_name(frames, map, *worst));
}

std::string heat_legend() {
  std::string html;
  for (int level = 1; level <= kLevels; ++level) {
    html += fmt::format(
        "<li><span class=\"swatch\" style=\"background:var(--heat-{})\"></span>{}{}</li>", level,
        heat_name(level), level == 5 ? " (crossed: wrong)" : "");
  }
  return html + "<li>blank: no row checked</li>";
}

}  // namespace lvsa::analysis
