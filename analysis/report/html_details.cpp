#include "analysis/report/html_details.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/report/html_bound.hpp"
#include "analysis/report/html_figure.hpp"
#include "analysis/report/html_heat.hpp"
#include "analysis/report/html_recovered.hpp"
#include "analysis/report/text_format.hpp"
#include "analysis/verify/run_case.hpp"

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
  const std::string_view status = status_name(result.status);
  std::string html;
  const auto add = [&](std::string_view kind, const char* title, const std::string& text) {
    if (text.empty()) return;
    html += fmt::format("<p class=\"message {}\">{}<span>{}</span></p>", kind, title,
                        escape_markup(text));
  };
  const std::string of_status = fmt::format("s-{}", status);
  add(of_status, "", result.message);
  add(of_status, "<b>What the failing elements have in common</b>", result.where);
  add("suspect", "<b>Remark: within the bounds, but unlikely of a right kernel</b>",
      result.suspect);
  return html;
}

std::string repeat_html(const CaseResult& result) {
  std::string html = "<div class=\"repeat\">" + copy_box("command", result.command) +
                     copy_box("case", result.line);
  if (!result.replay.empty()) {
    html += copy_box("smallest case", "lvsa-verify replay " + shell_quoted(result.replay));
  }
  return html + "</div>\n";
}

std::string swatch(std::string_view variable, std::string_view name) {
  return fmt::format("<li><span class=\"swatch\" style=\"background:var({})\"></span>{}</li>",
                     variable, name);
}

std::string figure_html(const CaseResult& result, const MaskEntry& mask) {
  const std::string figure = frame_figure(result, mask);
  const bool has_heads = result.c.heads > 1 && !result.frame_heads.cells.empty();
  const char* title = !has_frame_ratios(result) ? "Mask"
                      : has_heads               ? "Mask, and error by query frame and head"
                                                : "Mask, and error by query frame";
  std::string html = fmt::format("<section><h4>{}</h4>", title);
  if (!figure.empty()) {
    html += "<div class=\"scroll\" role=\"group\" tabindex=\"0\" aria-label=\"Mask and errors\">" +
            figure + "</div>";
    if (!mask.symbol_id.empty()) {
      html += "<ul class=\"legend\">" + swatch("--mask-global", "global (anchor) frame") +
              swatch("--mask-window", "window") + swatch("--mask-both", "both") +
              swatch("--mask-skip", "not attended");
      if (!result.c.condition_frames.empty()) html += "<li>&#9662; condition frame</li>";
      html += "</ul>";
    }
    if (has_heads) html += "<ul class=\"legend\"><li>by head:</li>" + heat_legend() + "</ul>";
  }
  if (!mask.note.empty()) html += "<p class=\"soft\">" + escape_markup(mask.note) + "</p>";
  return html + "</section>";
}

// --- named checks
// ---------------------------------------------------------------------------------

std::string check_row(const NamedCheck& check) {
  const char* kind = check.state == CheckState::kFails   ? "fails"
                     : check.state == CheckState::kHolds ? "holds"
                                                         : "na";
  return fmt::format(
      "<tr><th scope=\"row\">{}</th><td class=\"state state-{}\"><svg class=\"icon\" "
      "aria-hidden=\"true\"><use href=\"#icon-{}\"/></svg>{}</td><td class=\"soft\">{}</td></tr>",
      escape_markup(check.name), kind, kind, check_state_name(check.state),
      escape_markup(check.message));
}

// What fails comes first, what does not apply last.
std::string checks_html(const CaseResult& result) {
  if (result.checks.empty()) return "";
  std::string rows;
  for (const CheckState state :
       {CheckState::kFails, CheckState::kHolds, CheckState::kNotApplicable}) {
    for (const NamedCheck& check : result.checks) {
      if (check.state == state) rows += check_row(check);
    }
  }
  return "<section><h4>Checks</h4><table class=\"terms\"><caption>Relations and probes that need "
         "no "
         "bound</caption><thead><tr><th scope=\"col\">Check</th><th scope=\"col\">State</th>"
         "<th scope=\"col\">What</th></tr></thead><tbody>" +
         rows + "</tbody></table></section>";
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

std::string input_facts(const CaseResult& result) {
  const InputHashes& hashes = result.inputs;
  if (hashes.q == 0 && hashes.k == 0 && hashes.v == 0) return "";
  return fmt::format(
      "<section><h4>Hashes of the inputs</h4><dl class=\"facts mono\">{}{}{}</dl></section>",
      fact("q", fmt::format("{:016x}", hashes.q)), fact("k", fmt::format("{:016x}", hashes.k)),
      fact("v", fmt::format("{:016x}", hashes.v)));
}

}  // namespace

std::string case_details(const CaseResult& result, std::size_t number, const MaskEntry& mask) {
  return fmt::format(
             "<div class=\"case-head\"><h3>Case {0}</h3><a href=\"#case-{0}\">link to case "
             "{0}</a></div>",
             number) +
         message_html(result) + repeat_html(result) + figure_html(result, mask) +
         "<div class=\"columns\"><div>" + worst_elements(result) + "</div><div>" +
         recovered_section(result) + checks_html(result) + "<div class=\"groups\">" +
         geometry_facts(result.c) + pattern_facts(result, mask) + power_facts(result) +
         time_facts(result) + input_facts(result) + "</div></div></div>\n";
}

}  // namespace lvsa::analysis
