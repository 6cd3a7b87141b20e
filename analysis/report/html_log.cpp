#include "analysis/report/html_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "analysis/diagnose/log_render.hpp"
#include "analysis/report/html_diagnosis.hpp"
#include "analysis/report/html_log_charts.hpp"
#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kShownRequests = 500;

std::string number(std::optional<std::int64_t> value) {
  return value ? std::to_string(*value) : "&ndash;";
}

std::string header_html(const LogFacts& facts, const LogVerdict& verdict, const std::string& path) {
  return fmt::format(
      "<header>\n<p class=\"kicker\">LVSA diagnosis of a log</p>\n<h1>{}</h1>\n<p "
      "class=\"soft\">{} "
      "lines &middot; {} of LVSA &middot; {} rank{} &middot; {} &middot; LVSA "
      "{}{}</p>\n</header>\n",
      escape_markup(path == "-" ? "standard input" : path), facts.lines, facts.known_lines(),
      facts.sources.size(), facts.sources.size() == 1 ? "" : "s",
      verdict.model.empty()
          ? "model not known"
          : escape_markup(fmt::format("{} ({})", verdict.model, verdict.model_reason)),
      behaviour(verdict.version).name, facts.standalone ? ", standalone library" : "");
}

std::string verdict_html(const LogVerdict& verdict) {
  std::array<std::int64_t, 6> counts{};
  for (const RequestVerdict& r : verdict.requests) ++counts[static_cast<std::size_t>(r.verdict)];
  return verdict_banner(verdict.verdict, verdict.headline) + verdict_tiles(counts);
}

std::string mend_html(const LogVerdict& verdict) {
  if (!verdict.diagnosis || is_good(verdict.verdict)) return "";
  const Diagnosis& d = *verdict.diagnosis;
  const std::string fix = fix_html(d.fix);
  if (fix.empty()) return "";
  std::string html = "<h2>Mend</h2>\n<div class=\"panel\">";
  for (const std::string& reason : d.reasons) html += "<p>" + escape_markup(reason) + "</p>";
  return html + fix + "</div>\n";
}

std::string findings_html(const LogVerdict& verdict) {
  if (verdict.findings.empty()) return "";
  std::string html = "<h2>Findings</h2>\n<ul class=\"findings\">";
  for (const LogFinding& finding : verdict.findings) {
    std::string where = finding.line > 0 ? fmt::format("line {}", finding.line) : "";
    if (!finding.source.empty()) where += (where.empty() ? "" : ", ") + finding.source;
    html += fmt::format(
        "<li{}><b>{}</b>{} {}{}{}</li>", finding.bad ? " class=\"bad\"" : "",
        escape_markup(finding.kind),
        finding.bad ? ":" : " (remark):", escape_markup(finding.message),
        where.empty() ? "" : fmt::format(" <span class=\"soft\">{}</span>", escape_markup(where)),
        finding.mend.empty() ? ""
                             : fmt::format("<br><span class=\"soft\">mend:</span> <code>{}</code>",
                                           escape_markup(finding.mend)));
  }
  return html + "</ul>\n";
}

std::string requests_html(const LogFacts& facts, const LogVerdict& verdict) {
  std::string html =
      "<h2 id=\"requests\">Requests</h2>\n<div class=\"panel\"><div class=\"scroll\" "
      "role=\"region\" "
      "tabindex=\"0\" aria-label=\"Requests over the log\">" +
      lanes_figure(facts, verdict) +
      "</div><ul class=\"legend\"><li>a bar is a request; its colour is its verdict: green as it "
      "should be, red not, grey not known; orange is a warm-up</li></ul></div>\n<div class=\"panel "
      "scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Table of requests\"><table "
      "class=\"plain\"><thead><tr><th scope=\"col\">rank</th><th scope=\"col\" "
      "class=\"n\">request</th><th scope=\"col\" class=\"n\">lines</th><th scope=\"col\" "
      "class=\"n\">seq_len</th><th scope=\"col\" class=\"n\">T</th><th scope=\"col\" "
      "class=\"n\">P</th><th scope=\"col\" class=\"n\">text</th><th scope=\"col\" "
      "class=\"n\">interval</th><th scope=\"col\">verdict</th><th scope=\"col\" class=\"n\">step "
      "time</th><th scope=\"col\">why</th></tr></thead><tbody>\n";
  std::size_t shown = 0;
  for (const RequestVerdict& judged : verdict.requests) {
    if (shown++ == kShownRequests) break;
    const LogSource& source = facts.sources[judged.source];
    const LogRequest& r = source.requests[judged.request];
    html += fmt::format(
        "<tr><td>{}</td><th scope=\"row\" class=\"n\">{}</th><td class=\"n w\">{}-{}</td><td "
        "class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>"
        "<td class=\"n\">{}</td><td class=\"w\">{} {}</td><td class=\"n w\">{}</td><td "
        "class=\"text\">{}{}</td></tr>\n",
        source.name.empty() ? "&ndash;" : escape_markup(source.name), judged.number, r.first_line,
        r.last_line, number(r.seq_len), number(r.frames), number(r.patches), number(r.text),
        number(r.interval), verdict_icon(judged.verdict), name(judged.verdict),
        escape_markup(step_time_text(verdict, judged.source, judged.request)),
        escape_markup(judged.reason),
        r.inherited ? " (no line of its own: as the request of this length before)" : "");
  }
  html += "</tbody></table></div>\n";
  if (verdict.requests.size() > kShownRequests) {
    html += fmt::format("<p class=\"soft\">The first {} of {} requests.</p>\n", kShownRequests,
                        verdict.requests.size());
  }
  return html;
}

std::string chart_panel(const std::string& title, const std::string& figure,
                        const std::vector<ChartLine>& lines) {
  if (figure.empty()) return "";
  std::string legend;
  for (std::size_t i = 0; i < std::min<std::size_t>(lines.size(), 4); ++i) {
    legend += fmt::format(
        "<li><span class=\"swatch\" style=\"background:var(--term-{})\"></span>{}"
        "</li>",
        i + 1, escape_markup(lines[i].name));
  }
  return fmt::format(
      "<h2>{0}</h2>\n<div class=\"panel\"><div class=\"scroll\" role=\"region\" tabindex=\"0\" "
      "aria-label=\"{0}\">{1}</div><ul class=\"legend\">{2}</ul></div>\n",
      title, figure, legend);
}

std::string charts_html(const LogFacts& facts) {
  std::vector<ChartLine> times;
  std::vector<ChartLine> memory;
  std::vector<std::size_t> breaks;
  for (const LogSource& source : facts.sources) {
    const std::string who = source.name.empty() ? "the log" : source.name;
    ChartLine line{who, {}};
    for (const LogRequest& request : source.requests) {
      if (times.empty()) breaks.push_back(line.values.size());
      line.values.insert(line.values.end(), request.step_seconds.begin(),
                         request.step_seconds.end());
    }
    if (!line.values.empty() && times.size() < 4) times.push_back(std::move(line));
    if (source.memory.empty() || memory.size() >= 3) continue;
    ChartLine allocated{who + ": allocated", {}};
    ChartLine peak{who + ": peak", {}};
    for (const MemorySample& sample : source.memory) {
      allocated.values.push_back(sample.allocated_gb);
      peak.values.push_back(sample.peak_gb);
    }
    memory.push_back(std::move(allocated));
    memory.push_back(std::move(peak));
  }
  return chart_panel("Step times",
                     line_figure(times, breaks, "s",
                                 "Seconds of each step, requests one after another; the table of "
                                 "requests has the medians."),
                     times) +
         chart_panel("Memory",
                     line_figure(memory, {}, "GB",
                                 "Allocated and peak memory by step; the findings say whether it "
                                 "grows."),
                     memory);
}

// The cells of the last request that told its pattern, rebuilt from its numbers.
std::vector<std::string> rebuilt_mask(const LogFacts& facts, const Environment& settings) {
  std::vector<std::string> rows;
  for (const LogSource& source : facts.sources) {
    for (const LogRequest& r : source.requests) {
      if (!r.frames || !r.window || !r.interval || *r.frames > LogTimeline::kMostMaskFrames) {
        continue;
      }
      rows = pattern_rows(*r.frames, *r.window, *r.interval, settings);
    }
  }
  return rows;
}

std::string mask_html(const LogFacts& facts, const Environment& settings) {
  if (facts.mask && !facts.mask->rows.empty()) {
    return mask_panel(facts.mask->rows, fmt::format("As the log prints it at step {} (line {}).",
                                                    facts.mask->step, facts.mask->line));
  }
  return mask_panel(rebuilt_mask(facts, settings),
                    "Rebuilt from window and interval that the log names, at step 0; first frames "
                    "as the settings have them.");
}

std::string timeline_html(const LogFacts& facts) {
  std::string html =
      "<h2>Timeline</h2>\n<div class=\"panel scroll\" role=\"region\" tabindex=\"0\" "
      "aria-label=\"Timeline\"><table class=\"plain\"><thead><tr><th scope=\"col\" "
      "class=\"n\">line</th><th scope=\"col\">what</th><th scope=\"col\">rank</th><th "
      "scope=\"col\">text</th></tr></thead><tbody>\n";
  const auto row = [&](const LogEvent& event) {
    html += fmt::format(
        "<tr><td class=\"n\">{}</td><td>{}</td><td>{}</td><td class=\"text mono\">{}</td></tr>\n",
        event.line, name(event.kind), escape_markup(event.source), escape_markup(event.text));
  };
  for (const LogEvent& event : facts.first_events) row(event);
  const auto shown =
      static_cast<std::int64_t>(facts.first_events.size() + facts.last_events.size());
  if (shown < facts.events) {
    html += fmt::format(
        "<tr><td colspan=\"4\" class=\"soft\">{} lines in between are not shown</td>"
        "</tr>\n",
        facts.events - shown);
  }
  for (const LogEvent& event : facts.last_events) row(event);
  return html + fmt::format("</tbody></table></div>\n<p class=\"soft\">Lines by kind: {}.</p>\n",
                            escape_markup(kinds_text(facts)));
}

}  // namespace

std::string html_log(const LogFacts& facts, const LogVerdict& verdict, const std::string& path,
                     const Environment& settings, const Provenance& provenance) {
  const std::string title =
      fmt::format("{}: {} - LVSA log", escape_markup(path), name(verdict.verdict));
  return diagnosis_head(title, "requests") + header_html(facts, verdict, path) + "<main>\n" +
         verdict_html(verdict) + mend_html(verdict) + findings_html(verdict) +
         requests_html(facts, verdict) + charts_html(facts) + mask_html(facts, settings) +
         timeline_html(facts) + provenance_panel(provenance) +
         "</main>\n<footer><p>The same as data: lvsa-verify geometry --log FILE "
         "--json.</p></footer>\n</body>\n</html>\n";
}

}  // namespace lvsa::analysis
