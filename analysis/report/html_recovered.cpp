#include "analysis/report/html_recovered.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include "analysis/verify/number_ranges.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kSide = 300.0;  // at most, in pixels
constexpr double kMaxCell = 14.0;
constexpr double kTop = 22.0;
constexpr std::size_t kMostLines = 8;

// What a letter of recover.hpp's cell_letter() looks like.
const char* cell_class(char letter) {
  switch (letter) {
    case '#':
      return "cell-due";
    case '+':
      return "cell-extra";
    case '-':
      return "cell-missing";
    case '%':
    case '2':
    case '?':
      return "cell-odd";
    default:
      return "";
  }
}

bool differs(char letter) { return letter != '#' && letter != '.'; }

// Runs of the same letter, one stroke each.
std::string cells_of(const RecoveredMask& mask, std::string_view letters) {
  std::string path;
  for (std::size_t f = 0; f < mask.rows.size(); ++f) {
    const std::string& row = mask.rows[f];
    for (std::size_t begin = 0; begin < row.size();) {
      std::size_t end = begin;
      while (end < row.size() && letters.find(row[end]) != std::string_view::npos) ++end;
      if (end > begin) path += fmt::format("M{} {}h{}v1h-{}z", begin, f, end - begin, end - begin);
      begin = std::max(end, begin + 1);
    }
  }
  return path;
}

std::string layer(const RecoveredMask& mask, std::string_view letters) {
  const std::string path = cells_of(mask, letters);
  return path.empty() ? ""
                      : fmt::format("<path class=\"{}\" d=\"{}\"/>", cell_class(letters[0]), path);
}

std::string panel(double x, double cell, std::size_t frames, const std::string& title,
                  const std::string& shapes) {
  return fmt::format(
      "<text class=\"title\" x=\"{0:g}\" y=\"14\">{1}</text><g transform=\"translate({0:g} {2:g}) "
      "scale({3:.5g})\"><path class=\"mask-skip\" d=\"M0 0h{4}v{4}h-{4}z\"/>{5}</g>",
      x, title, kTop, cell, frames, shapes);
}

std::string figure(const RecoveredMask& mask) {
  const std::size_t frames = mask.rows.size();
  double cell = std::min(kMaxCell, kSide / static_cast<double>(frames));
  if (cell > 1.0) cell = std::floor(cell);
  const double side = cell * static_cast<double>(frames);
  const double second = std::max(side, 90.0) + 30.0;
  // What a partly attended or repeated frame is drawn as in the first panel: attended.
  const std::string attended =
      fmt::format("<path class=\"cell-due\" d=\"{}\"/>", cells_of(mask, "#+%2?"));
  return fmt::format(
             "<svg class=\"figure\" width=\"{0:g}\" height=\"{1:g}\" viewBox=\"0 0 {0:g} {1:g}\" "
             "role=\"img\" aria-label=\"Mask recovered from the outputs, and where it differs from "
             "the pattern; the list has the frames.\">",
             second + std::max(side, 90.0) + 2.0, kTop + side + 2.0) +
         panel(0.0, cell, frames, "recovered", attended) +
         panel(second, cell, frames, "difference",
               layer(mask, "+") + layer(mask, "-") + layer(mask, "%2?")) +
         "</svg>";
}

std::string difference_line(std::size_t query, const std::string& row) {
  std::string line;
  const auto add = [&](std::string_view letters, const char* what) {
    std::vector<std::int64_t> frames;
    for (std::size_t k = 0; k < row.size(); ++k) {
      if (letters.find(row[k]) != std::string_view::npos) {
        frames.push_back(static_cast<std::int64_t>(k));
      }
    }
    if (frames.empty()) return;
    line += fmt::format("{} {} {}", line.empty() ? "" : ";", what, counted("frame", frames));
  };
  add("+", "attends too much:");
  add("-", "misses");
  add("%", "attends a part of");
  add("2", "attends more than once");
  add("?", "attends, how often is not known:");
  return fmt::format("<li>query frame {}{}</li>", query, line);
}

std::string difference_list(const RecoveredMask& mask) {
  std::string items;
  std::size_t found = 0;
  for (std::size_t f = 0; f < mask.rows.size(); ++f) {
    if (std::none_of(mask.rows[f].begin(), mask.rows[f].end(), differs)) continue;
    if (found++ < kMostLines) items += difference_line(f, mask.rows[f]);
  }
  if (found == 0) return "<p>It attends exactly the frames that the pattern has.</p>";
  if (found > kMostLines) {
    items += fmt::format("<li>and {} more query frames</li>", found - kMostLines);
  }
  return "<ul>" + items + "</ul>";
}

std::string swatch(const char* variable, const char* name) {
  return fmt::format("<li><span class=\"swatch\" style=\"background:var({})\"></span>{}</li>",
                     variable, name);
}

}  // namespace

std::string recovered_section(const CaseResult& result) {
  const RecoveredMask& mask = result.recovered;
  if (mask.rows.empty()) return "";
  return fmt::format(
             "<section><h4>Mask that the kernel really has</h4><p class=\"soft\">Recovered from "
             "its outputs alone; batch element {}, head {}.</p>",
             mask.batch, mask.head) +
         "<div class=\"scroll\" role=\"group\" tabindex=\"0\" aria-label=\"Recovered mask\">" +
         figure(mask) + "</div><ul class=\"legend\">" + swatch("--mask-global", "attended") +
         swatch("--heat-5", "too much") + swatch("--mask-window", "missing") +
         swatch("--error", "partly or repeated") + "</ul>" + difference_list(mask) + "</section>";
}

}  // namespace lvsa::analysis
