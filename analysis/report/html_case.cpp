#include "analysis/report/html_case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

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
    {"Mask", "attended query-key pairs over all", "c3"},
    {"T", "latent frames", "n"},
    {"P", "tokens a latent frame", "n c3"},
    {"Text", "text tokens", "n c2"},
    {"Heads", "query heads / key and value heads", "n c2"},
    {"D", "head size", "n c2"},
    {"Type", "type of q, k and v", "c3"},
    {"Input", "how q, k and v are made", "c3"},
    {"Step", "denoising step", "n c2"},
    {"Error / bound", "worst element by tier A, the bounds of any kernel", "n"},
    {"Tier B", "worst element against the declared schedule", "n c2"},
    {"Checks", "relations and probes: failed, or held", "n c3"},
    {"Time", "of the kernel", "n c2"},
}};

std::string cell(std::size_t column, const std::string& html) {
  const char* classes = kColumns[column].classes;
  const std::string as_class = *classes == '\0' ? "" : fmt::format(" class=\"{}\"", classes);
  return fmt::format("<td{}>{}</td>", as_class, html);
}

std::string count_cell(std::size_t column, std::int64_t value) {
  return cell(column, std::to_string(value));
}

// A measured number, or a dash.
std::string value_cell(std::size_t column, bool present, const std::string& html) {
  return cell(column, present ? html : "<span class=\"soft\">&ndash;</span>");
}

std::string ratio_html(const OutputCheck& check) {
  const double ratio = check.worst_ratio;
  return fmt::format(
      "<span class=\"ratio{}\">{}<span class=\"meter\" aria-hidden=\"true\">"
      "<i style=\"width:{:.0f}%\"></i></span></span>",
      ratio <= 1.0 ? "" : " over", number_text(ratio), 100.0 * ratio_position(ratio));
}

std::int64_t count_state(const CaseResult& result, CheckState state) {
  return std::count_if(result.checks.begin(), result.checks.end(),
                       [=](const NamedCheck& check) { return check.state == state; });
}

std::string state_html(const CaseResult& result) {
  const std::int64_t failed = count_state(result, CheckState::kFails);
  const char* kind = failed > 0 ? "fails" : "holds";
  return fmt::format(
      "<span class=\"state state-{0}\"><svg class=\"icon\" aria-hidden=\"true\"><use "
      "href=\"#icon-{0}\"/></svg>{1} {2}</span>",
      kind, failed > 0 ? failed : count_state(result, CheckState::kHolds),
      failed > 0 ? "fail" : "hold");
}

std::string mask_html(const CaseResult& result, const MaskEntry& mask) {
  const std::string share = percent_text(result.density);
  if (mask.symbol_id.empty()) return share;
  return fmt::format("<svg class=\"thumb\" aria-hidden=\"true\"><use href=\"#{}\"/></svg>{}",
                     mask.symbol_id, share);
}

std::string input_html(const Case& c) {
  const std::string name = input_text(c);
  return !c.file.empty() || c.sigma == 1.0 ? name : fmt::format("{} &times; {:.3g}", name, c.sigma);
}

std::string toggle(std::size_t number) {
  return fmt::format(
      "<td class=\"n\"><button type=\"button\" class=\"toggle\""
      " aria-expanded=\"true\" aria-controls=\"detail-{0}\">"
      "<span class=\"visually-hidden\">Details of case </span>{0} "
      "<span class=\"chevron\" aria-hidden=\"true\">&#9656;</span></button></td>",
      number);
}

std::string measured_cells(const CaseResult& result) {
  const double kernel_s = result.timings.kernel_s;
  const OutputCheck& schedule = result.schedule;
  return value_cell(12, result.output.checked > 0, ratio_html(result.output)) +
         value_cell(13, schedule.checked > 0, ratio_html(schedule)) +
         value_cell(14, !result.checks.empty(), state_html(result)) +
         value_cell(15, kernel_s > 0.0, seconds_text(kernel_s));
}

std::string case_row(const CaseResult& result, std::size_t number, const MaskEntry& mask) {
  const Case& c = result.c;
  return "<tr class=\"case\">" + toggle(number) + cell(1, status_badge(result.status)) +
         fmt::format("<th scope=\"row\">{}</th>", escape_markup(c.model)) +
         cell(3, mask_html(result, mask)) + count_cell(4, c.grid.frames) +
         count_cell(5, c.grid.patches_per_frame) + count_cell(6, c.grid.text_tokens) +
         cell(7, fmt::format("{}/{}", c.heads, c.kv_heads)) + count_cell(8, c.head_dim) +
         cell(9, std::string(dtype_name(c.dtype))) + cell(10, input_html(c)) +
         count_cell(11, c.step) + measured_cells(result) + "</tr>";
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

std::string case_table_body(const CaseResult& result, std::size_t number, const MaskEntry& mask,
                            const std::string& details) {
  return fmt::format(
      "<tbody id=\"case-{0}\">{1}\n<tr class=\"detail\" id=\"detail-{0}\"><td colspan=\"{2}\">"
      "<div class=\"detail-box\">{3}</div></td></tr></tbody>\n",
      number, case_row(result, number, mask), kColumns.size(), details);
}

std::vector<SortValue> sort_values(const CaseResult& result, std::size_t number) {
  const Case& c = result.c;
  const auto measured = [](bool present, double value) -> SortValue {
    if (!present) return std::monostate();
    return std::isfinite(value) ? value : std::numeric_limits<double>::max();
  };
  const auto whole = [](std::int64_t value) { return static_cast<double>(value); };
  const auto failed = whole(count_state(result, CheckState::kFails));
  return {whole(static_cast<std::int64_t>(number)),
          whole(severity(result.status)),
          c.model,
          measured(true, result.density),
          whole(c.grid.frames),
          whole(c.grid.patches_per_frame),
          whole(c.grid.text_tokens),
          whole(c.heads),
          whole(c.head_dim),
          std::string(dtype_name(c.dtype)),
          input_text(c),
          whole(c.step),
          measured(result.output.checked > 0, result.output.worst_ratio),
          measured(result.schedule.checked > 0, result.schedule.worst_ratio),
          measured(!result.checks.empty(), failed),
          measured(result.timings.kernel_s > 0.0, result.timings.kernel_s)};
}

std::string input_text(const Case& c) {
  return c.file.empty() ? std::string(input_name(c.input)) : "recorded";
}

std::size_t case_number(const std::vector<CaseResult>& results, std::size_t index) {
  const std::int64_t number = results[index].number;
  return number > 0 ? static_cast<std::size_t>(number) : index + 1;
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

}  // namespace lvsa::analysis
