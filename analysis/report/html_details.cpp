#include "analysis/report/html_details.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "analysis/report/html_figure.hpp"
#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

std::string fact(std::string_view name, const std::string& html) {
  return fmt::format("<dt>{}</dt><dd>{}</dd>", name, html);
}

std::string copy_box(std::string_view what, const std::string& text) {
  return fmt::format(
      "<div class=\"copybox\"><span class=\"what\">{0}</span><code>{1}</code>"
      "<button type=\"button\" class=\"plain copy\" aria-label=\"Copy {0}\">Copy</button></div>",
      what, escape_markup(text));
}

std::string message_html(const CaseResult& result) {
  if (result.message.empty()) return "";
  return fmt::format("<p class=\"message s-{}\"><span>{}</span></p>", status_name(result.status),
                     escape_markup(result.message));
}

std::string swatch(std::string_view variable, std::string_view name) {
  return fmt::format("<li><span class=\"swatch\" style=\"background:var({})\"></span>{}</li>",
                     variable, name);
}

std::string figure_html(const CaseResult& result, const MaskEntry& mask) {
  const std::string figure = frame_figure(result, mask);
  const char* title = has_frame_ratios(result) ? "Mask and error by query frame" : "Mask";
  std::string html = fmt::format("<section><h4>{}</h4>", title);
  if (!figure.empty()) {
    html += "<div class=\"scroll\">" + figure + "</div>";
    if (!mask.symbol_id.empty()) {
      html += "<ul class=\"legend\">" + swatch("--mask-global", "global (anchor) frame") +
              swatch("--mask-window", "window") + swatch("--mask-both", "both") +
              swatch("--mask-skip", "not attended") + "</ul>";
    }
  }
  if (!mask.note.empty()) html += "<p class=\"soft\">" + escape_markup(mask.note) + "</p>";
  return html + "</section>";
}

// --- worst element ------------------------------------------------------------------------------

std::string term_row(std::string_view name, std::string_view formula, double value, double total) {
  const double share = total > 0.0 && std::isfinite(value / total) ? value / total : 0.0;
  return fmt::format(
      "<tr><th scope=\"row\">{}<span class=\"formula\">{}</span></th><td class=\"n\">{}</td>"
      "<td><span class=\"meter\" aria-hidden=\"true\"><i style=\"width:{:.0f}%\"></i></span>"
      "<span class=\"visually-hidden\">{:.0f} %</span></td></tr>",
      name, formula, number_text(value, 4), 100.0 * share, 100.0 * share);
}

std::string bound_table(const Tolerance& t) {
  const double sum = t.p_rounding + t.scores + t.accumulation + t.underflow;
  return "<table class=\"terms\"><caption>Its bound, term by term</caption>"
         "<thead><tr><th scope=\"col\">Term</th><th scope=\"col\" class=\"n\">Value</th>"
         "<th scope=\"col\">Share</th></tr></thead><tbody>" +
         term_row("P rounded before P&middot;V", "u<sub>P</sub> A", t.p_rounding, sum) +
         term_row("scores, through the softmax",
                  "&Sigma; p<sub>j</sub> |v<sub>j</sub> &minus; o| &eta;<sub>j</sub> / L", t.scores,
                  sum) +
         term_row("accumulation of P&middot;V and L", "(B + 2N + 4) u<sub>a</sub> (A + |o|)",
                  t.accumulation, sum) +
         term_row("underflow of P", "&mu;<sub>P</sub> &Sigma; |v<sub>j</sub>| / L", t.underflow,
                  sum) +
         fmt::format(
             "</tbody><tfoot><tr><th scope=\"row\">bound: the sum &times; (1 + "
             "2<sup>&minus;6</sup>)</th>"
             "<td class=\"n\">{}</td><td></td></tr></tfoot></table>",
             number_text(t.total, 4));
}

std::string element_html(const ElementReport& element, const std::string& place) {
  return "<dl class=\"facts\">" + fact("where", place) +
         fact("expected", number_text(element.expected, 9)) +
         fact("got", number_text(element.got, 9)) +
         fact("error", number_text(std::abs(element.got - element.expected), 4)) +
         fact("bound", number_text(element.tolerance.total, 4)) +
         fact("error / bound", number_text(element.ratio, 4) + " (output rounding set aside)") +
         "</dl>";
}

std::string counts_text(const OutputCheck& check) {
  std::string text =
      fmt::format("{} elements checked, {} outside their bounds", check.checked, check.failed);
  if (check.unwritten > 0) text += fmt::format(", {} never written", check.unwritten);
  return text + ".";
}

std::string checks_html(const CaseResult& result) {
  const OutputCheck& output = result.output;
  if (output.checked == 0 && output.unwritten == 0) {
    return "<section><h4>Output</h4><p>Nothing was checked.</p></section>";
  }
  std::string html = "<section><h4>Worst element of the output</h4>";
  html += "<p class=\"soft\">" + counts_text(output) + "</p>";
  if (output.checked > 0) {
    html +=
        element_html(output.worst, place_text(output.worst)) + bound_table(output.worst.tolerance);
  }
  if (result.lse.checked > 0) {
    html += "<h4>Worst element of the log-sum-exp</h4><p class=\"soft\">" +
            counts_text(result.lse) + "</p>" +
            element_html(result.lse.worst, lse_place_text(result.lse.worst));
  } else {
    html += "<p class=\"soft\">The kernel has no log-sum-exp output.</p>";
  }
  return html + "</section>";
}

// --- facts --------------------------------------------------------------------------------------

std::string geometry_facts(const Case& c) {
  std::string html = "<section><h4>Problem</h4><dl class=\"facts\">";
  html +=
      fact("tokens", fmt::format("T &times; P + text = {} &times; {} + {} = {}", c.grid.frames,
                                 c.grid.patches_per_frame, c.grid.text_tokens, c.grid.seq_len()));
  html += fact("batch", std::to_string(c.batch));
  html += fact("heads", fmt::format("{} of query, {} of key and value; size {}", c.heads,
                                    c.kv_heads, c.head_dim));
  html += fact("type, layout", fmt::format("{}, {}", dtype_name(c.dtype), layout_name(c.layout)));
  html += fact("input", c.file.empty() ? fmt::format("{}, sigma {:g}, seed {}", input_name(c.input),
                                                     c.sigma, c.seed)
                                       : escape_markup(c.file));
  return html + "</dl></section>";
}

std::string interval_text(const CaseResult& result) {
  if (result.interval <= 0) return "none";
  const std::string_view origin = result.c.interval ? "given" : "automatic";
  return result.interval == 1 ? fmt::format("1: dense ({})", origin)
                              : fmt::format("{} ({})", result.interval, origin);
}

std::string pattern_facts(const CaseResult& result, const MaskEntry& mask) {
  const Case& c = result.c;
  std::string html = "<section><h4>Pattern</h4><dl class=\"facts\">";
  html += fact("behaviour", fmt::format("LVSA {}", behaviour(c.version).name));
  html += fact("window W", fmt::format("{} frames on each side{}", c.window_frames,
                                       c.expand ? ", expanded" : ""));
  html += fact("first frames", fmt::format("{} always global", c.n_first_frames));
  if (!c.condition_frames.empty()) {
    html += fact("condition frames", fmt::format("{}", fmt::join(c.condition_frames, ", ")));
  }
  html += fact("reference, scale",
               fmt::format("{} frames, {:g}", c.reference_frames, c.sparsity_scale));
  html += fact("keyframe interval", interval_text(result));
  html += fact("step, offset",
               fmt::format("{}, {}{}", c.step, result.offset, c.rotate ? "" : " (no rotation)"));
  if (!mask.symbol_id.empty()) html += fact("global frames", std::to_string(mask.globals));
  html += fact("frames attended", fmt::format("{} to {} of {}", result.frames_attended_min,
                                              result.frames_attended_max, c.grid.frames));
  html += fact("density", percent_text(result.density));
  return html + "</dl></section>";
}

std::string power_facts(const CaseResult& result) {
  if (result.output.checked == 0) return "";
  std::string html = "<section><h4>Power of the check</h4><dl class=\"facts\">";
  html += fact("rows checked", std::to_string(result.rows_checked));
  html += fact("mean |expected|", number_text(result.mean_signal));
  html += fact(
      "mean bound",
      result.mean_signal > 0.0
          ? fmt::format("{}, {} of that", number_text(result.mean_tolerance),
                        number_text(100.0 * result.mean_tolerance / result.mean_signal, 2) + " %")
          : number_text(result.mean_tolerance));
  html += fact("rows with uncertain scores", std::to_string(result.weak_rows));
  return html + "</dl></section>";
}

std::string time_facts(const CaseResult& result) {
  const Timings& t = result.timings;
  std::string html = "<section><h4>Time</h4><dl class=\"facts\">";
  html += fact("kernel", seconds_text(t.kernel_s) +
                             (result.c.only_wanted ? ", told which rows are checked" : ""));
  html += fact("inputs", seconds_text(t.inputs_s));
  html += fact("oracle", seconds_text(t.oracle_s));
  if (result.useful_gflops > 0.0) {
    html += fact("useful rate", number_text(result.useful_gflops) + " GFLOP/s");
  }
  return html + "</dl></section>";
}

}  // namespace

std::string case_details(const CaseResult& result, std::size_t number, const MaskEntry& mask) {
  return fmt::format("<h3 class=\"visually-hidden\">Case {}</h3>", number) + message_html(result) +
         "<div class=\"repeat\">" + copy_box("command", result.command) +
         copy_box("case", result.line) + "</div>\n<div class=\"columns\"><div>" +
         figure_html(result, mask) + "<div class=\"groups\">" + geometry_facts(result.c) +
         pattern_facts(result, mask) + power_facts(result) + time_facts(result) + "</div></div>" +
         checks_html(result) + "</div>\n";
}

}  // namespace lvsa::analysis
