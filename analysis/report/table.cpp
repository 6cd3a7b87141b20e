#include "analysis/report/table.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

struct Column {
  const char* name;
  std::size_t width;
  bool is_text;  // left-aligned and cut; numbers stand on the right and are never cut
};

constexpr std::array<Column, 15> kColumns = {{
    {"status", 11, true},
    {"model", 13, true},
    {"T", 4, false},
    {"P", 5, false},
    {"text", 5, false},
    {"H/Hkv", 5, false},
    {"D", 4, false},
    {"dtype", 5, true},
    {"input", 10, true},
    {"step", 4, false},
    {"interval", 8, false},
    {"density", 7, false},
    {"err/bound", 9, false},
    {"kernel", 9, false},
    {"GFLOP/s", 7, false},
}};

using Cells = std::array<std::string, kColumns.size()>;

std::string join(const Cells& cells) {
  std::string row;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const Column& column = kColumns[i];
    std::string cell = cells[i];
    if (column.is_text && cell.size() > column.width) {
      cell = cell.substr(0, column.width - 1) + '~';
    }
    if (i > 0) row += "  ";
    row += column.is_text ? fmt::format("{:<{}}", cell, column.width)
                          : fmt::format("{:>{}}", cell, column.width);
  }
  return row;
}

// A terminal takes control characters for commands, and other bytes would shift the columns.
std::string printable(std::string_view text) {
  std::string ascii;
  for (const char c : text) ascii += c >= ' ' && c <= '~' ? c : '?';
  return ascii;
}

std::string input_text(const Case& c) {
  if (!c.file.empty()) return "recorded";
  const std::string name(input_name(c.input));
  return c.sigma == 1.0 ? name : fmt::format("{} x{:.3g}", name, c.sigma);
}

std::string gflops_text(double gflops) {
  if (!(gflops > 0.0)) return "-";
  return gflops < 99.95 ? fmt::format("{:.3g}", gflops) : fmt::format("{:.0f}", gflops);
}

}  // namespace

std::string result_table_header() {
  Cells names;
  Cells rules;
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    names[i] = kColumns[i].name;
    rules[i] = std::string(kColumns[i].width, '-');
  }
  return join(names) + '\n' + join(rules);
}

std::string result_row(const CaseResult& result) {
  const Case& c = result.c;
  return join({
      std::string(status_name(result.status)),
      printable(c.model),
      std::to_string(c.grid.frames),
      std::to_string(c.grid.patches_per_frame),
      std::to_string(c.grid.text_tokens),
      fmt::format("{}/{}", c.heads, c.kv_heads),
      std::to_string(c.head_dim),
      std::string(dtype_name(c.dtype)),
      input_text(c),
      std::to_string(c.step),
      result.interval > 0 ? std::to_string(result.interval) : "-",
      percent_text(result.density),
      result.output.checked > 0 ? number_text(result.output.worst_ratio) : "-",
      result.timings.kernel_s > 0.0 ? seconds_text(result.timings.kernel_s) : "-",
      gflops_text(result.useful_gflops),
  });
}

}  // namespace lvsa::analysis
