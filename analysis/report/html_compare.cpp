#include "analysis/report/html_compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/report/html_charts.hpp"
#include "analysis/report/html_compare_parts.hpp"
#include "analysis/report/html_diagnosis.hpp"
#include "analysis/report/text_format.hpp"
#include "core/io/atomic_file.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kMostPanels = 60;
constexpr double kWide = 760.0, kNarrow = 400.0;

bool is_logarithmic(Metric metric) {
  return metric == Metric::kRelativeL1 || metric == Metric::kRelativeL2;
}

std::string metric_title(Metric metric) {
  const MetricInfo& known = info(metric);
  return known.unit.empty() ? std::string(known.title)
                            : fmt::format("{} ({})", known.title, known.unit);
}

double metric_of(const CompareFigures& figures, Metric metric) {
  return figures.metrics[static_cast<std::size_t>(metric)];
}

// One of a number of figures, of which one metric's is shown.
std::string of_metric(Metric metric, const std::string& svg) {
  return fmt::format("<div data-metric=\"{}\"{}>{}</div>", info(metric).name,
                     metric == kPageMetrics[0] ? "" : " hidden", svg);
}

std::string header_html(const CompareResults& r) {
  std::string facts =
      fmt::format("{} latent frames of {} tokens", r.grid.frames, r.grid.patches_per_frame);
  if (r.grid.text_tokens > 0) facts += fmt::format(" and {} of text", r.grid.text_tokens);
  facts +=
      fmt::format(" &middot; {} against dense attention", counted_text(r.samples.size(), "sample"));
  if (r.rows_per_frame > 0) facts += fmt::format(", {} rows a frame", r.rows_per_frame);
  return fmt::format(
      "<header>\n<p class=\"kicker\">LVSA toolkit</p>\n<h1>{} side by side</h1>\n<p "
      "class=\"soft\">{}</p>\n<p class=\"soft mono\">{}</p>\n</header>\n<main>\n",
      counted_text(r.rules.size(), "sparse pattern"), facts, escape_markup(r.identity));
}

std::string legend_html(const CompareResults& r) {
  std::string html = "<ul class=\"legend\">";
  for (std::size_t i = 0; i < r.rules.size(); ++i) {
    html += fmt::format(
        "<li><label><input type=\"checkbox\" name=\"rule\" value=\"{}\" checked>{}<span "
        "class=\"mono\">{}</span></label></li>",
        i, rule_mark(i), escape_markup(r.rules[i].words));
  }
  return html + "</ul>";
}

template <typename Value>
std::string select_html(const char* id, const char* label, const std::vector<Value>& options) {
  std::string html = fmt::format(
      "<label class=\"needs-script\"><span class=\"label\">{}</span><select id=\"{}\">", label, id);
  for (const auto& [value, text] : options) {
    html +=
        fmt::format("<option value=\"{}\">{}</option>", escape_markup(value), escape_markup(text));
  }
  return html + "</select></label>";
}

std::string controls_html(const CompareResults& r) {
  using Option = std::pair<std::string, std::string>;
  std::vector<Option> metrics, layers{{"", "all"}}, classes{{"", "all"}};
  for (const Metric metric : kPageMetrics) {
    metrics.emplace_back(info(metric).name, metric_title(metric));
  }
  for (const SampleGroup& group : groups_by_layer_and_class(r)) {
    const auto add = [](std::vector<Option>& options, const std::string& value) {
      const auto same = [&](const Option& o) { return o.first == value; };
      if (std::none_of(options.begin(), options.end(), same)) options.emplace_back(value, value);
    };
    add(layers, std::to_string(group.layer));
    if (!group.head_class.empty()) add(classes, group.head_class);
  }
  return "<form id=\"compare-controls\">" + legend_html(r) +
         "<div class=\"filters controls needs-script\">" + select_html("metric", "Error", metrics) +
         select_html("layer", "Layer", layers) + select_html("class", "Class of head", classes) +
         "<button type=\"button\" class=\"plain\" id=\"reset-controls\">Reset</button></div>"
         "</form>\n<p class=\"count needs-script\" id=\"count\" role=\"status\"></p>\n";
}

std::string point_text(const CompareResults& r, std::size_t e, const CompareFigures& f) {
  const std::string text = fmt::format(
      "{}: token density {}, rel. L2 {}, recall {}, predicted speedup {}x", r.entry_text(e),
      number_text(f.token_density, 4), number_text(metric_of(f, Metric::kRelativeL2), 4),
      number_text(metric_of(f, Metric::kRecallMean), 4), number_text(f.time.speedup, 3));
  if (!compare_is_timed(r)) return text;
  return text + fmt::format(", measured {}x", number_text(f.measured.speedup, 3));
}

// What a figure's points stand over.
enum class Across { kDensity, kPredicted, kMeasured };

std::vector<ComparePoint> points_of(const CompareResults& r,
                                    const std::vector<std::size_t>& samples, Metric metric,
                                    Across across) {
  std::vector<ComparePoint> points;
  for (std::size_t e = 0; e < r.entries.size(); ++e) {
    const CompareFigures f = pooled_figures(r, e, samples);
    const double x = across == Across::kDensity     ? f.token_density
                     : across == Across::kPredicted ? f.time.speedup
                                                    : f.measured.speedup;
    points.push_back({r.entries[e].rule, x, metric_of(f, metric), point_text(r, e, f)});
  }
  return points;
}

// Patterns without an error, which a logarithmic axis has no place for, are named.
std::string errorless_html(const CompareResults& r, const std::vector<ComparePoint>& points,
                           Metric metric) {
  if (!is_logarithmic(metric)) return "";
  std::vector<std::string> names;
  for (const ComparePoint& point : points) {
    const std::string name = escape_markup(r.rules[point.rule].words);
    const bool known = std::find(names.begin(), names.end(), name) != names.end();
    if (point.y == 0.0 && !known) names.push_back(name);
  }
  if (names.empty()) return "";
  return fmt::format("<p class=\"soft errorless\">Not in this figure, for an error of 0: {}.</p>",
                     fmt::join(names, "; "));
}

std::string pareto_html(const CompareResults& r, Across across) {
  const bool measured = across == Across::kMeasured;
  const std::string speed = measured ? "measured speedup" : "predicted speedup";
  const std::string axis = measured ? "measured speedup over the same kernel on all blocks"
                                    : "predicted speedup over dense attention, prediction included";
  std::string html = fmt::format("<h2{}>Error against {}, all samples</h2>\n<div class=\"panel\">",
                                 measured ? "" : " id=\"pareto-heading\"", speed);
  for (const Metric metric : kPageMetrics) {
    const std::vector<ComparePoint> points = points_of(r, {}, metric, across);
    html += of_metric(
        metric,
        fmt::format("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Error "
                    "against {}\">",
                    speed) +
            compare_figure(points, {axis}, {metric_title(metric), is_logarithmic(metric)}, kWide,
                           fmt::format("{} against {}, a point a pattern and density; the table "
                                       "has the figures",
                                       info(metric).title, speed),
                           pareto_front(points, info(metric).better)) +
            errorless_html(r, points, metric) + "</div>");
  }
  const std::string source =
      measured ? "Measured: " + escape_markup(r.time_source)
               : "Predicted from rates, nothing was timed: see below for the rates";
  return html + fmt::format(
                    "<p class=\"soft\">{}. The broad line joins what no other pattern beats "
                    "in both. Point at a mark for its figures.</p></div>\n",
                    source);
}

std::string group_name(const SampleGroup& group) {
  std::string name = group.layer < 0 ? "" : fmt::format("layer {}", group.layer);
  if (!group.head_class.empty()) {
    name += fmt::format("{}{} heads", name.empty() ? "" : ", ", group.head_class);
  }
  return name.empty() ? "all samples" : name;
}

std::string group_html(const CompareResults& r, const SampleGroup& group) {
  const std::string name = group_name(group);
  std::string html = fmt::format(
      "<section class=\"group\" data-layer=\"{}\" data-class=\"{}\"><h3>{} <span class=\"soft\">"
      "({})</span></h3><div class=\"panel pairs\"><div>",
      group.layer, escape_markup(group.head_class), escape_markup(name),
      counted_text(group.samples.size(), "sample"));
  const CompareAxis density{"token density"};
  for (const Metric metric : kPageMetrics) {
    html += of_metric(
        metric,
        compare_figure(points_of(r, group.samples, metric, Across::kDensity), density,
                       {metric_title(metric), is_logarithmic(metric)}, kNarrow,
                       fmt::format("{} against token density, {}", info(metric).title, name)));
  }
  return html + "</div><div>" +
         compare_figure(points_of(r, group.samples, Metric::kRecallMean, Across::kDensity), density,
                        {metric_title(Metric::kRecallMean)}, kNarrow,
                        fmt::format("recall against token density, {}", name)) +
         "</div></div></section>\n";
}

std::string groups_html(const CompareResults& r) {
  const std::vector<SampleGroup> groups = groups_by_layer_and_class(r);
  std::string html =
      "<h2>Error and recall against token density, by layer and class of head</h2>\n<p "
      "class=\"soft\">A line a pattern, a mark each density that was asked for; token density is "
      "the "
      "share that was reached, means over the samples.</p>\n";
  for (std::size_t i = 0; i < std::min(groups.size(), kMostPanels); ++i) {
    html += group_html(r, groups[i]);
  }
  if (groups.size() > kMostPanels) {
    html += fmt::format("<p>The first {} of {}; compare.csv has all samples.</p>\n", kMostPanels,
                        groups.size());
  }
  return html;
}

std::string number_cell(double value, const char* mark = "") {
  return fmt::format("<td class=\"n\" data-value=\"{}\">{}{}</td>",
                     std::isfinite(value) ? fmt::format("{}", value) : number_text(value), mark,
                     std::isnan(value) ? "-" : number_text(value, 4));
}

std::string table_rows(const CompareResults& r, const SampleGroup& group) {
  std::string html;
  for (std::size_t e = 0; e < r.entries.size(); ++e) {
    const CompareFigures f = pooled_figures(r, e, group.samples);
    html += fmt::format(
        "<tr data-rule=\"{}\" data-class=\"{}\"{}><th scope=\"row\" class=\"mono\">{}</th>",
        r.entries[e].rule, escape_markup(group.head_class),
        group.head_class.empty() ? "" : " hidden", escape_markup(r.rules[r.entries[e].rule].words));
    html += number_cell(r.entries[e].target) +
            number_cell(f.token_density, missed_density(r, e, f) ? "~" : "") +
            number_cell(f.block_density) + number_cell(f.skip_density);
    for (const Metric metric : {Metric::kRelativeL2, Metric::kRelativeL1, Metric::kCosinePooled,
                                Metric::kPsnr, Metric::kRecallMean, Metric::kRecallMin}) {
      html += number_cell(metric_of(f, metric));
    }
    html += number_cell(f.time.total_ms) + number_cell(f.time.prediction_ms) +
            number_cell(f.time.speedup);
    if (compare_is_timed(r)) {
      html += number_cell(f.measured.total_ms) + number_cell(f.measured.prediction_ms) +
              number_cell(f.measured.speedup);
    }
    html += "</tr>\n";
  }
  return html;
}

std::string table_html(const CompareResults& r) {
  std::string html =
      "<h2>All patterns</h2>\n<div class=\"panel scroll\" role=\"region\" tabindex=\"0\" "
      "aria-label=\"All patterns\"><table class=\"plain\"><thead id=\"compare-head\"><tr><th "
      "scope=\"col\">Pattern</th>";
  std::vector<const char*> names = {"asked density",
                                    "token density",
                                    "block density",
                                    "after skip",
                                    "rel. L2",
                                    "rel. L1",
                                    "cosine",
                                    "PSNR (dB)",
                                    "recall",
                                    "smallest recall",
                                    "predicted ms a head",
                                    "of it prediction",
                                    "predicted speedup"};
  if (compare_is_timed(r)) {
    names.insert(names.end(),
                 {"measured ms a head", "of it measured prediction", "measured speedup"});
  }
  for (const char* name : names) {
    html += fmt::format("<th scope=\"col\" class=\"n\">{}</th>", name);
  }
  html += "</tr></thead><tbody id=\"compare-body\">\n" + table_rows(r, {});
  for (const SampleGroup& group : groups_by_class(r)) html += table_rows(r, group);
  return html + "</tbody></table></div>\n";
}

}  // namespace

std::string html_compare(const CompareResults& results) {
  return chart_page_head("Sparse patterns side by side - LVSA", "pareto-heading",
                         "Skip to the figures") +
         fmt::format("<style>{}</style>\n", html_compare_style()) + header_html(results) +
         controls_html(results) + pareto_html(results, Across::kPredicted) +
         (compare_is_timed(results) ? pareto_html(results, Across::kMeasured) : std::string()) +
         groups_html(results) + table_html(results) + compare_left_out_html(results) +
         compare_help_html(results) + provenance_panel(results.provenance) +
         "</main>\n<footer><p>The same as data: compare.h5, compare.csv and "
         "summary.csv.</p></footer>\n" +
         chart_page_end(html_compare_script());
}

void write_compare_page(const CompareResults& results, const std::string& path) {
  write_file_atomically(path, html_compare(results));
}

}  // namespace lvsa::analysis
