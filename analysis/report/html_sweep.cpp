#include "analysis/report/html_sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "analysis/report/chart_library.hpp"
#include "analysis/report/html_charts.hpp"
#include "analysis/report/html_diagnosis.hpp"
#include "analysis/report/html_sweep_data.hpp"
#include "analysis/report/text_format.hpp"
#include "core/io/atomic_file.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kStaticRows = 60;      // of the front, for readers without script
constexpr std::size_t kListedSamples = 200;  // excluded ones

std::string tile(const char* name, const std::string& value) {
  return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", name, value);
}

std::string counted(std::size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string header_html(const SweepResults& r) {
  std::string facts =
      fmt::format("{} latent frames of {} tokens", r.grid.frames, r.grid.patches_per_frame);
  if (r.grid.text_tokens > 0) facts += fmt::format(" and {} of text", r.grid.text_tokens);
  facts += fmt::format(" &middot; {} against dense attention", counted(r.samples.size(), "sample"));
  if (r.rows_per_frame > 0) facts += fmt::format(", {} rows a frame", r.rows_per_frame);
  return fmt::format(
      "<header>\n<p class=\"kicker\">LVSA sweep</p>\n<h1>{}</h1>\n<p class=\"soft\">{}</p>\n"
      "</header>\n<main>\n",
      escape_markup(fmt::format("{} of {}", counted(r.settings.size(), "setting"), r.identity)),
      facts);
}

std::string words_html(const SweepResults& r, std::size_t setting) {
  const SettingFigures& figures = r.figures[setting];
  return fmt::format(
      "<span class=\"mono\">{}</span></span><span class=\"note\">Expected speedup {}x at a token "
      "density of {}.",
      escape_markup(setting_words(r.settings[setting])), number_text(figures.expected_speedup),
      number_text(figures.token_density));
}

std::string banner_html(const SweepResults& r, const FrontRequest& request, const Front& front) {
  if (request.requirements.empty()) return "";
  std::string asked;
  for (const Requirement& requirement : request.requirements) {
    asked += (asked.empty() ? "" : ", ") + escape_markup(requirement.text());
  }
  if (front.best) {
    return fmt::format("<p class=\"verdict s-pass\"><span>Best under {}: {}</span></p>\n", asked,
                       words_html(r, *front.best));
  }
  if (!front.nearest) {
    return fmt::format("<p class=\"verdict s-fail\"><span>No setting meets {}</span></p>\n", asked);
  }
  return fmt::format(
      "<p class=\"verdict s-fail\"><span>No setting meets {}; nearest: {}</span></p>\n", asked,
      words_html(r, *front.nearest));
}

std::string tiles_html(const SweepResults& r, std::size_t front) {
  double low = 1.0, speed = 1.0;
  for (const SettingFigures& figures : r.figures) {
    low = std::min(low, figures.token_density);
    speed = std::max(speed, figures.expected_speedup);
  }
  return fmt::format("<dl class=\"tiles\">{}{}{}{}{}{}</dl>\n",
                     tile("settings", std::to_string(r.settings.size())),
                     tile("on the front", std::to_string(front)),
                     tile("samples", std::to_string(r.samples.size())),
                     tile("excluded samples", std::to_string(r.excluded.size())),
                     tile("lowest density", number_text(low)),
                     tile("highest speedup", number_text(speed) + "x"));
}

std::string controls_html() {
  return R"html(<form id="controls" class="filters controls needs-script">
<label><span class="label">Across (x)</span><select id="x"></select></label>
<label><span class="label">Up (y)</span><select id="y"></select></label>
<label><span class="label">Colour by</span><select id="colour"></select></label>
<label><span class="label" id="bound-name">Bound</span><input type="number" id="bound" step="any" placeholder="none"></label>
<label class="choice"><input type="checkbox" id="log" checked>logarithmic errors</label>
<button type="button" class="plain" id="reset-controls">Reset</button>
<div id="parts" class="filters" style="margin:0"></div>
<details class="more" id="axis-filters" style="flex-basis:100%"><summary>Which settings</summary><div id="axes" class="filters"></div></details>
</form>
)html";
}

std::string chart_html(const SweepColumn& x, const SweepColumn& y,
                       const std::vector<std::size_t>& front) {
  return fmt::format(
      "<h2 id=\"front-heading\">Figures of the settings</h2>\n{}{}<p class=\"count needs-script\" "
      "id=\"count\" role=\"status\"></p>\n<div class=\"panel\">"
      "<div class=\"chart-box needs-charts\"><canvas id=\"chart\" tabindex=\"0\" role=\"img\" "
      "aria-label=\"Chart of the settings; the arrow keys walk along the front, the tables below "
      "have the figures\"></canvas></div><div class=\"static-chart scroll\" role=\"region\" "
      "tabindex=\"0\" aria-label=\"Chart of the settings\">{}</div>"
      "<p class=\"soft chart-hint needs-charts\">Point at a setting for its figures, click to "
      "choose it; with the chart in focus the arrow keys walk along the front.</p></div>\n",
      chart_library_note(), controls_html(), sweep_figure(x, y, front));
}

std::string front_html(const SweepResults& r, const SweepColumn& x, const SweepColumn& y,
                       const Front& front) {
  std::string html = fmt::format(
      "<h2>Front</h2>\n<p class=\"count\" id=\"front-count\">{} settings that no other one beats "
      "in "
      "both {} and {}.</p>\n<div class=\"panel scroll\" role=\"region\" tabindex=\"0\" "
      "aria-label=\"Settings on the front\"><table class=\"plain\"><thead id=\"front-head\"><tr>"
      "<th scope=\"col\">Setting</th><th scope=\"col\" class=\"n\">{}</th><th scope=\"col\" "
      "class=\"n\">expected speedup (x)</th><th scope=\"col\" class=\"n\">{}</th></tr></thead>"
      "<tbody id=\"front-body\">\n",
      front.settings.size(), escape_markup(x.title), escape_markup(y.title), escape_markup(x.title),
      escape_markup(y.title));
  for (std::size_t k = 0; k < std::min(front.settings.size(), kStaticRows); ++k) {
    const std::size_t i = front.settings[k];
    html += fmt::format(
        "<tr><th scope=\"row\" class=\"mono\">{}{}{}</th><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td>"
        "<td class=\"n\">{}</td></tr>\n",
        escape_markup(setting_words(r.settings[i])),
        i == front.knee ? "<span class=\"tag knee\">knee</span>" : "",
        i == front.best ? "<span class=\"tag best\">best</span>" : "", number_text(x.values[i], 4),
        number_text(r.figures[i].expected_speedup, 4), number_text(y.values[i], 4));
  }
  return html + "</tbody></table></div>\n";
}

std::string chosen_html() {
  return R"html(<section class="needs-script" aria-labelledby="chosen-heading"><h2 id="chosen-heading">Chosen setting</h2>
<div class="panel" id="chosen-body"></div></section>
)html";
}

std::string tables_html() {
  return R"html(<section class="needs-script controls" aria-labelledby="settings-heading"><div class="bar"><h2 id="settings-heading">All settings</h2>
<span class="pager" id="pager"><button type="button" class="plain" id="page-back">Back</button><span id="page-number"></span><button type="button" class="plain" id="page-on">On</button></span></div>
<div class="panel scroll" role="region" tabindex="0" aria-label="All settings"><table class="plain"><thead id="settings-head"></thead><tbody id="settings-body"></tbody></table></div></section>
)html";
}

std::string excluded_html(const SweepResults& r) {
  if (r.excluded.empty()) return "";
  std::string html = fmt::format(
      "<h2>Samples left out</h2>\n<div class=\"panel scroll\" role=\"region\" tabindex=\"0\" "
      "aria-label=\"Samples left out\"><p>{} could not be used and {} in no figure above.</p>"
      "<table class=\"plain\"><thead><tr><th scope=\"col\">Sample</th><th "
      "scope=\"col\">Why</th></tr></thead><tbody>\n",
      counted(r.excluded.size(), "sample"), r.excluded.size() == 1 ? "stands" : "stand");
  for (std::size_t i = 0; i < std::min(r.excluded.size(), kListedSamples); ++i) {
    html +=
        fmt::format("<tr><th scope=\"row\">{}</th><td class=\"text\">{}</td></tr>\n",
                    escape_markup(describe(r.excluded[i].id)), escape_markup(r.excluded[i].reason));
  }
  html += "</tbody></table>";
  if (r.excluded.size() > kListedSamples) {
    html +=
        fmt::format("<p class=\"soft\">The first {} of {}.</p>", kListedSamples, r.excluded.size());
  }
  return html + "</div>\n";
}

std::string entry(std::string_view name, std::string_view text) {
  return fmt::format("<dt>{}</dt><dd>{}</dd>", name, text);
}

std::string help_html(const SweepResults& r) {
  std::string html =
      "<h2>How to read this page</h2>\n<div class=\"panel help\"><dl>" +
      entry("Setting",
            "the words of the pattern, in latent frames: window W on each side, first frames, "
            "keyframe interval (auto: from reference and sparsity scale, or from the budget), "
            "whether the window expands, whether the grid rotates over the denoising steps") +
      entry("Token density", "share of the query-key pairs that are attended, text included") +
      entry(
          "Expected speedup",
          "over dense attention, from measured rates of kernels" +
              (r.speedup_source.empty() ? std::string() : ": " + escape_markup(r.speedup_source))) +
      entry("Union coverage", "share of the frame pairs that a full rotation sees at least once") +
      entry("Age of the oldest unseen pair",
            "steps: the longest wait between two visits of a frame pair that is seen at all") +
      entry("Metrics",
            "sampled rows of the sparse output against those of dense attention: means over the "
            "samples, and over the offsets of a rotation; of the smallest cosine and the smallest "
            "recall the least, of the largest shift the greatest. Recall is the share of the dense "
            "softmax that the attended keys hold") +
      entry("Front", "settings that no other one beats in both figures of the chart") +
      entry("Knee",
            "the setting of the front that lies farthest below the straight line between its ends, "
            "both figures scaled to the front's extent") +
      entry("Best",
            "the highest expected speedup among the settings that keep a requirement or the bound "
            "above");
  const std::size_t kept = page_metrics(r).size();
  if (kept < kMetricCount && !r.samples.empty()) {
    html += entry("Single samples",
                  fmt::format("there are too many values for a page: {} of {} metrics have them "
                              "here; the files of the sweep have all",
                              kept, kMetricCount));
  }
  return html +
         entry("Digits",
               "values of single samples carry four digits here; sweep.h5 and sweep.csv all "
               "of them") +
         "</dl></div>\n";
}

}  // namespace

std::string html_sweep(const SweepResults& results, const FrontRequest& request) {
  const Front front = find_front(results, request);
  const std::vector<SweepColumn> columns = sweep_columns(results, front);
  const auto by_key = [&](std::string_view key) -> const SweepColumn& {
    const auto at = std::find_if(columns.begin(), columns.end(),
                                 [&](const SweepColumn& c) { return c.key == key; });
    return at == columns.end() ? columns[1] : *at;  // the speedup, where nothing was measured
  };
  const bool by_speed = request.cost == FrontCost::kExpectedSpeedup;
  const SweepColumn& x = by_key(by_speed ? "speedup" : "density");
  const SweepColumn& y = by_key(info(request.metric).name);
  std::string html = chart_page_head(
      fmt::format("Sweep of {} - LVSA", counted(results.settings.size(), "setting")),
      "front-heading", "Skip to the chart");
  html += header_html(results) + banner_html(results, request, front) +
          tiles_html(results, front.settings.size()) + chart_html(x, y, front.settings) +
          chosen_html() + front_html(results, x, y, front) + tables_html() +
          excluded_html(results) + help_html(results) + provenance_panel(results.provenance);
  html +=
      "<noscript><p class=\"panel\">Without script this page shows one chart and its front; "
      "sweep.csv has all settings.</p></noscript>\n</main>\n<footer><p>The same as data: sweep.h5 "
      "and sweep.csv.</p></footer>\n";
  return html + sweep_data_html(results, columns, x.key, y.key, front.best) +
         chart_page_end(html_sweep_script());
}

void write_sweep_page(const SweepResults& results, const std::string& path,
                      const FrontRequest& request) {
  AtomicFile file(path);
  file.write(html_sweep(results, request));
  file.commit();
}

}  // namespace lvsa::analysis
