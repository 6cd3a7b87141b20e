#include "analysis/report/html_case.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "analysis/report/html_details.hpp"
#include "analysis/report/html_figure.hpp"
#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

// A column of the table of cases. Narrow screens hide what the details repeat.
struct Column {
  const char* name;
  const char* title;    ///< long name
  const char* classes;  ///< "n": number, "c2" and "c3": hidden below 1200 and 960 pixels
};

constexpr std::array<Column, 16> kColumns = {{
    {"#", "number of the case", "n"},
    {"Status", "", ""},
    {"Model", "", ""},
    {"T", "latent frames", "n"},
    {"P", "tokens a latent frame", "n c3"},
    {"Text", "text tokens", "n c2"},
    {"Heads", "query heads / key and value heads", "n c2"},
    {"D", "head size", "n c2"},
    {"Type", "type of q, k and v", "c3"},
    {"Input", "how q, k and v are made", "c3"},
    {"Step", "denoising step", "n c3"},
    {"Interval", "keyframe interval in latent frames", "n c2"},
    {"Density", "attended query-key pairs over all", "n c3"},
    {"Error / bound", "worst element", "n"},
    {"Kernel time", "", "n c3"},
    {"GFLOP/s", "4 D H attended pairs / kernel time", "n c2"},
}};

std::string cell(std::size_t column, const std::string& sort_value, const std::string& html) {
  const char* classes = kColumns[column].classes;
  const std::string as_class = *classes == '\0' ? "" : fmt::format(" class=\"{}\"", classes);
  return fmt::format("<td{} data-v=\"{}\">{}</td>", as_class, sort_value, html);
}

std::string count_cell(std::size_t column, std::int64_t value) {
  return cell(column, std::to_string(value), std::to_string(value));
}

// A measured number; without one the cell shows a dash and sorts last.
std::string value_cell(std::size_t column, double value, bool present, const std::string& html) {
  if (!present) return cell(column, "", "<span class=\"soft\">&ndash;</span>");
  return cell(column, number_text(value, 6), html);
}

std::string ratio_html(double ratio) {
  return fmt::format(
      "<span class=\"ratio{}\">{}<span class=\"meter\" aria-hidden=\"true\">"
      "<i style=\"width:{:.0f}%\"></i></span></span>",
      ratio <= 1.0 ? "" : " over", number_text(ratio), 100.0 * ratio_position(ratio));
}

std::string input_html(const Case& c) {
  if (!c.file.empty()) return "recorded";
  const std::string name(input_name(c.input));
  return c.sigma == 1.0 ? name : fmt::format("{} &times; {:.3g}", name, c.sigma);
}

// Order of the status column: what needs a look comes first.
int severity(Status status) {
  switch (status) {
    case Status::kFail:
      return 0;
    case Status::kCrash:
      return 1;
    case Status::kTimeout:
      return 2;
    case Status::kError:
      return 3;
    case Status::kWeak:
      return 4;
    case Status::kPass:
      return 5;
    case Status::kUnsupported:
      return 6;
  }
  return 7;
}

std::string toggle(std::size_t number) {
  return fmt::format(
      "<td class=\"n\" data-v=\"{0}\"><button type=\"button\" class=\"toggle\""
      " aria-expanded=\"true\" aria-controls=\"detail-{0}\">"
      "<span class=\"visually-hidden\">Details of case </span>{0} "
      "<span class=\"chevron\" aria-hidden=\"true\">&#9656;</span></button></td>",
      number);
}

std::string measured_cells(const CaseResult& result) {
  const bool checked = result.output.checked > 0;
  const double kernel_s = result.timings.kernel_s;
  return value_cell(11, static_cast<double>(result.interval), result.interval > 0,
                    std::to_string(result.interval)) +
         value_cell(12, result.density, true, percent_text(result.density)) +
         value_cell(13, result.output.worst_ratio, checked, ratio_html(result.output.worst_ratio)) +
         value_cell(14, kernel_s, kernel_s > 0.0, seconds_text(kernel_s)) +
         value_cell(15, result.useful_gflops, result.useful_gflops > 0.0,
                    number_text(result.useful_gflops));
}

std::string case_row(const CaseResult& result, std::size_t number) {
  const Case& c = result.c;
  const std::string model = escape_markup(c.model);
  return "<tr class=\"case\">" + toggle(number) +
         cell(1, std::to_string(severity(result.status)), status_badge(result.status)) +
         fmt::format("<th scope=\"row\" data-v=\"{0}\">{0}</th>", model) +
         count_cell(3, c.grid.frames) + count_cell(4, c.grid.patches_per_frame) +
         count_cell(5, c.grid.text_tokens) +
         cell(6, std::to_string(c.heads), fmt::format("{}/{}", c.heads, c.kv_heads)) +
         count_cell(7, c.head_dim) +
         cell(8, std::string(dtype_name(c.dtype)), std::string(dtype_name(c.dtype))) +
         cell(9, std::string(input_name(c.input)), input_html(c)) + count_cell(10, c.step) +
         measured_cells(result) + "</tr>";
}

}  // namespace

std::string status_icon(Status status) {
  return fmt::format(
      "<svg class=\"icon s-{0}\" aria-hidden=\"true\"><use href=\"#icon-{0}\"/></svg>",
      status_name(status));
}

std::string status_badge(Status status) {
  return fmt::format("<span class=\"badge s-{0}\">{1}{0}</span>", status_name(status),
                     status_icon(status));
}

std::string case_table_head() {
  std::string html = "<thead><tr>";
  for (const Column& column : kColumns) {
    const std::string classes =
        *column.classes == '\0' ? "" : fmt::format(" class=\"{}\"", column.classes);
    const std::string title =
        *column.title == '\0' ? "" : fmt::format(" title=\"{}\"", column.title);
    html += fmt::format(
        "<th scope=\"col\" aria-sort=\"none\"{}{}><button type=\"button\">{}</button></th>",
        classes, title, column.name);
  }
  return html + "</tr></thead>\n";
}

std::string case_table_body(const CaseResult& result, std::size_t number, const MaskEntry& mask) {
  return fmt::format(
      "<tbody id=\"case-{0}\" data-status=\"{1}\" data-model=\"{2}\">{3}\n"
      "<tr class=\"detail\" id=\"detail-{0}\"><td colspan=\"{4}\">"
      "<div class=\"detail-box\">{5}</div></td></tr></tbody>\n",
      number, status_name(result.status), escape_markup(result.c.model), case_row(result, number),
      kColumns.size(), case_details(result, number, mask));
}

}  // namespace lvsa::analysis
