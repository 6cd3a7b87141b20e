#include "analysis/report/html_quality.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/report/chart_library.hpp"
#include "analysis/report/html_charts.hpp"
#include "analysis/report/html_diagnosis.hpp"
#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kListedRuns = 200;

std::string header_html(const QualityReport& r, const QualitySources& sources) {
  std::string files;
  for (const std::string& file : sources.files) {
    files += (files.empty() ? "" : ", ") + escape_markup(file);
  }
  return fmt::format(
      "<header>\n<p class=\"kicker\">LVSA: video quality against attention</p>\n<h1>{} videos of "
      "{} "
      "settings</h1>\n<p class=\"soft\">Scores from {} &middot; attention of {}</p>\n</header>\n"
      "<main>\n",
      r.runs, r.points.size(), files, escape_markup(sources.sweep));
}

std::string warnings_html(const QualityReport& r) {
  if (r.warnings.empty()) return "";
  std::string html = "<div class=\"message s-weak\"><b>Read with care</b>";
  for (const std::string& line : r.warnings) html += "<span>" + escape_markup(line) + "</span><br>";
  return html + "</div>\n";
}

std::string signed_text(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:+.2f}", value);
}

std::string interval_text(const Interval95& interval) {
  if (std::isnan(interval.low)) return "-";
  return fmt::format("{:+.2f} to {:+.2f}", interval.low, interval.high);
}

std::string p_text(double p) {
  if (std::isnan(p)) return "-";
  return p < 0.001 ? fmt::format("{:.0e}", p) : fmt::format("{:.3f}", p);
}

// Stronger colours for stronger correlations; the sign stands in the text.
std::string rho_class(double rho) {
  if (std::isnan(rho)) return "";
  return fmt::format("lv{}", 1 + std::min(3, static_cast<int>(std::abs(rho) * 4.0)));
}

std::string matrix_html(const QualityReport& r) {
  std::string html =
      "<h2 id=\"pairs-heading\">Spearman's rho, quality down, attention across</h2>\n<div "
      "class=\"panel scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Rank "
      "correlations\"><table class=\"heat\"><thead><tr><th scope=\"col\">score</th>";
  for (const QualityFigure& figure : r.figures) {
    html += fmt::format("<th scope=\"col\">{}</th>", escape_markup(figure.title));
  }
  html += "</tr></thead><tbody>\n";
  for (std::size_t d = 0; d < r.dimensions.size(); ++d) {
    html += fmt::format("<tr><th scope=\"row\">{}</th>", escape_markup(r.dimensions[d]));
    for (std::size_t f = 0; f < r.figures.size(); ++f) {
      const double rho = r.pairs[d * r.figures.size() + f].test.rho;
      html += fmt::format("<td class=\"{}\" data-pair=\"{},{}\">{}</td>", rho_class(rho), d, f,
                          signed_text(rho));
    }
    html += "</tr>\n";
  }
  return html +
         "</tbody></table><p class=\"soft\">Deeper colours are stronger, of either "
         "sign.</p></div>\n";
}

std::string chart_html() {
  return chart_library_note() + R"html(<h2 id="chart-heading">Setting by setting</h2>
<form id="controls" class="filters controls needs-script needs-charts">
<label><span class="label">Quality (y)</span><select id="y"></select></label>
<label><span class="label">Attention (x)</span><select id="x"></select></label>
</form>
<p class="count needs-script needs-charts" id="count" role="status"></p>
<div class="panel needs-charts"><div class="chart-box"><canvas id="chart" role="img" aria-label="Quality against an attention figure, a point a setting; the tables below have the figures"></canvas></div></div>
)html";
}

std::string pairs_html(const QualityReport& r) {
  std::string html =
      "<h2>All pairs</h2>\n<div class=\"panel scroll\" role=\"region\" tabindex=\"0\" "
      "aria-label=\"All pairs\"><table class=\"plain\"><thead><tr><th scope=\"col\">Score</th><th "
      "scope=\"col\">Figure</th><th scope=\"col\" class=\"n\">settings</th><th scope=\"col\" "
      "class=\"n\">rho</th><th scope=\"col\" class=\"n\">95 % interval</th><th scope=\"col\" "
      "class=\"n\">p</th><th scope=\"col\" class=\"n\">p, Holm</th><th scope=\"col\" "
      "class=\"n\">tau-b</th><th scope=\"col\" class=\"n\">its interval</th><th scope=\"col\" "
      "class=\"n\">its p</th><th scope=\"col\" class=\"n\">rho given density</th></tr></thead>"
      "<tbody>\n";
  for (const QualityPair& pair : r.pairs) {
    const CorrelationTest& t = pair.test;
    html += fmt::format(
        "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td><td "
        "class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n",
        escape_markup(r.dimensions[pair.dimension]), escape_markup(r.figures[pair.figure].title),
        t.pairs, signed_text(t.rho), interval_text(t.rho_interval), p_text(t.p_rho),
        p_text(pair.p_adjusted), signed_text(t.tau), interval_text(t.tau_interval), p_text(t.p_tau),
        signed_text(pair.partial_rho));
  }
  return html + "</tbody></table></div>\n";
}

std::string points_html(const QualityReport& r) {
  std::string html =
      "<h2>The settings</h2>\n<div class=\"panel scroll\" role=\"region\" tabindex=\"0\" "
      "aria-label=\"The settings\"><table class=\"plain\"><thead><tr><th "
      "scope=\"col\">Setting</th>";
  for (const QualityFigure& figure : r.figures) {
    html += fmt::format("<th scope=\"col\" class=\"n\">{}</th>", escape_markup(figure.title));
  }
  for (const std::string& name : r.dimensions) {
    html += fmt::format("<th scope=\"col\" class=\"n\">{}</th>", escape_markup(name));
  }
  html += "</tr></thead><tbody>\n";
  for (const QualityPoint& point : r.points) {
    html +=
        fmt::format("<tr><th scope=\"row\" class=\"mono w\">{}</th>", escape_markup(point.words));
    for (const double value : point.figures) {
      html += fmt::format("<td class=\"n\">{}</td>", number_text(value, 4));
    }
    for (std::size_t d = 0; d < point.scores.size(); ++d) {
      html += std::isnan(point.scores[d])
                  ? "<td class=\"n\">-</td>"
                  : fmt::format("<td class=\"n\" title=\"mean of {} videos\">{}</td>",
                                point.runs[d], number_text(point.scores[d], 4));
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string unmatched_html(const QualityReport& r) {
  if (r.unmatched.empty()) return "";
  std::string html = fmt::format(
      "<h2>Videos left out</h2>\n<div class=\"panel scroll\" role=\"region\" tabindex=\"0\" "
      "aria-label=\"Videos left out\"><p>{} without a setting of the sweep.</p><table "
      "class=\"plain\"><thead><tr><th scope=\"col\">Video</th><th scope=\"col\">Why</th></tr>"
      "</thead><tbody>\n",
      r.unmatched.size());
  for (std::size_t i = 0; i < std::min(r.unmatched.size(), kListedRuns); ++i) {
    html += fmt::format("<tr><th scope=\"row\" class=\"text\">{}</th><td>{}</td></tr>\n",
                        escape_markup(r.unmatched[i].run), escape_markup(r.unmatched[i].reason));
  }
  html += "</tbody></table>";
  if (r.unmatched.size() > kListedRuns) {
    html +=
        fmt::format("<p class=\"soft\">The first {} of {}.</p>", kListedRuns, r.unmatched.size());
  }
  return html + "</div>\n";
}

std::string help_html() {
  return R"html(<h2>How to read this page</h2>
<div class="panel help"><dl>
<dt>A point</dt><dd>a setting, with the mean score of its videos. Videos of one setting share its attention figures, so they are no independent pairs and are not counted as such.</dd>
<dt>rho, tau-b</dt><dd>Spearman's and Kendall's rank correlation with ties, over the settings: +1 where quality rises with the figure throughout, -1 where it falls.</dd>
<dt>95 % interval</dt><dd>percentiles of a bootstrap over the settings, seeded. With few settings it is rough.</dd>
<dt>p</dt><dd>two-sided, by permutation: all orders up to 8 settings, random ones above. Holm's is corrected for the number of pairs on this page.</dd>
<dt>rho given density</dt><dd>partial correlation: what the figure tells beyond how sparse a setting is. Most figures fall together with the density, so a large rho alone says little.</dd>
<dt>Scores</dt><dd>higher is better, in the units of the tool; ranks do not depend on them.</dd>
</dl></div>
)html";
}

std::string data_html(const QualityReport& r) {
  const auto list = [](const auto& items, const auto& text) {
    std::string json = "[";
    for (const auto& item : items) json += (json.size() > 1 ? "," : "") + text(item);
    return json + "]";
  };
  const std::string json = fmt::format(
      R"({{"dimensions":{},"figures":{},"words":{},"scores":{},"values":{},"pairs":{}}})",
      list(r.dimensions, [](const std::string& name) { return json_text(name); }),
      list(r.figures, [](const QualityFigure& f) { return json_text(f.title); }),
      list(r.points, [](const QualityPoint& p) { return json_text(p.words); }),
      list(r.points, [](const QualityPoint& p) { return json_numbers(p.scores); }),
      list(r.points, [](const QualityPoint& p) { return json_numbers(p.figures); }),
      list(r.pairs, [](const QualityPair& p) {
        return json_text(fmt::format("rho {} ({}), p {}, Holm {}; tau-b {}; {} settings",
                                     signed_text(p.test.rho), interval_text(p.test.rho_interval),
                                     p_text(p.test.p_rho), p_text(p.p_adjusted),
                                     signed_text(p.test.tau), p.test.pairs));
      }));
  return packed_element("quality-data", json);
}

}  // namespace

std::string html_quality(const QualityReport& report, const QualitySources& sources,
                         const Provenance& provenance) {
  return chart_page_head("Video quality against attention - LVSA", "chart-heading",
                         "Skip to the chart") +
         header_html(report, sources) + warnings_html(report) + chart_html() + matrix_html(report) +
         pairs_html(report) + points_html(report) + unmatched_html(report) + help_html() +
         provenance_panel(provenance) +
         "</main>\n<footer><p>The same as data: quality.csv and correlations.csv.</p></footer>\n" +
         data_html(report) + chart_page_end(html_quality_script());
}

}  // namespace lvsa::analysis
