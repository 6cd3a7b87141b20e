#include "analysis/report/html_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "analysis/diagnose/log_render.hpp"
#include "analysis/report/html_assets.hpp"
#include "analysis/report/html_log_charts.hpp"
#include "analysis/report/text_format.hpp"
#include "core/config/config.hpp"
#include "core/error.hpp"
#include "core/pattern/frame_pattern.hpp"
#include "core/pattern/mask_text.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kShownRequests = 500;

constexpr std::string_view kStyle = R"css(
.bar.s-pass { fill: var(--pass); } .bar.s-fail { fill: var(--fail); }
.bar.s-unsupported { fill: var(--unsupported); } .bar.s-warm { fill: var(--mask-window); }
.curve { fill: none; stroke-width: 1.6; }
.curve-1 { stroke: var(--term-1); } .curve-2 { stroke: var(--term-2); }
.curve-3 { stroke: var(--term-3); } .curve-4 { stroke: var(--term-4); }
.cell-global { fill: var(--mask-global); } .cell-window { fill: var(--mask-window); }
.cell-both { fill: var(--mask-both); }
.plain { font-size: .86rem; }
.plain th, .plain td { text-align: left; padding: .28rem .9rem .28rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.plain td.n, .plain th.n { text-align: right; }
.plain .text { overflow-wrap: anywhere; min-width: 18rem; }
.plain .w { white-space: nowrap; }
.panel + .panel { margin-top: .7rem; }
svg text.in-bar { fill: var(--page); font-weight: 600; }
.findings { margin: 0; padding: 0; list-style: none; }
.findings li { border-left: 4px solid var(--line); padding: .3rem .8rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
.findings li.bad { border-left-color: var(--fail); }
pre.lines { background: var(--code); border-radius: 5px; padding: .6rem .8rem; margin: .4rem 0; overflow-x: auto; }
.pair { display: flex; flex-wrap: wrap; gap: 1.2rem 2rem; align-items: flex-start; }
)css";

std::string icon(Verdict verdict) {
  return fmt::format(
      "<svg class=\"icon s-{0}\" aria-hidden=\"true\"><use href=\"#icon-{0}\"/></svg>",
      verdict_class(verdict));
}

std::string number(std::optional<std::int64_t> value) {
  return value ? std::to_string(*value) : "&ndash;";
}

std::string head_html(const LogVerdict& verdict, const std::string& path) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src"
      " 'unsafe-inline'; img-src data:\">\n<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n<title>{}: {} - LVSA log</title>\n"
      "<style>{}{}</style>\n</head>\n<body>\n<a class=\"skip-link\" href=\"#requests\">Skip to the "
      "requests</a>\n{}",
      escape_markup(path), name(verdict.verdict), html_style(), kStyle, html_icons());
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
  std::string html =
      fmt::format("<p class=\"verdict s-{}\">{}<span>{}</span><span class=\"note\">{}</span></p>\n",
                  verdict_class(verdict.verdict), icon(verdict.verdict), name(verdict.verdict),
                  escape_markup(verdict.headline));
  constexpr Verdict kAll[] = {Verdict::kSparse,  Verdict::kDenseByDesign, Verdict::kFallback,
                              Verdict::kMisread, Verdict::kMisconfigured, Verdict::kUnknown};
  html += "<dl class=\"tiles\">";
  for (const Verdict each : kAll) {
    const auto count = std::count_if(verdict.requests.begin(), verdict.requests.end(),
                                     [each](const RequestVerdict& r) { return r.verdict == each; });
    html += fmt::format("<div{}><dt>{}{}</dt><dd>{}</dd></div>",
                        count == 0 ? " class=\"zero\"" : "", icon(each), name(each), count);
  }
  return html + "</dl>\n";
}

std::string mend_html(const LogVerdict& verdict) {
  if (!verdict.diagnosis || is_good(verdict.verdict)) return "";
  const Diagnosis& d = *verdict.diagnosis;
  if (d.fix.lines.empty() && d.fix.about.empty()) return "";
  std::string html = "<h2>Mend</h2>\n<div class=\"panel\">";
  for (const std::string& reason : d.reasons) html += "<p>" + escape_markup(reason) + "</p>";
  if (!d.fix.lines.empty()) {
    html += "<pre class=\"lines\"><code>";
    for (const std::string& line : d.fix.lines) html += escape_markup(line) + "\n";
    html += "</code></pre>";
  }
  if (!d.fix.about.empty()) html += "<p>" + escape_markup(d.fix.about) + "</p>";
  if (d.fix.gives) {
    html += fmt::format("<p class=\"soft\">With that applied the verdict is {}.</p>",
                        name(*d.fix.gives));
  }
  return html + "</div>\n";
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
        number(r.interval), icon(judged.verdict), name(judged.verdict),
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
      try {
        const Config config = config_from_environment(settings);
        PatternSpec spec;
        spec.frames = *r.frames;
        spec.window_frames = *r.window;
        spec.n_first_frames = config.latent_n_first_frames();
        spec.interval = *r.interval;
        spec.expand_window = config.expand_window;
        const FramePattern pattern = build_frame_pattern(spec);
        rows.assign(static_cast<std::size_t>(pattern.frames()), "");
        for (std::int64_t f = 0; f < pattern.frames(); ++f) {
          for (std::int64_t k = 0; k < pattern.frames(); ++k) {
            rows[static_cast<std::size_t>(f)] += static_cast<char>(mask_cell(pattern, f, k));
          }
        }
      } catch (const Error&) {
        rows.clear();  // numbers that make no pattern
      }
    }
  }
  return rows;
}

std::string mask_html(const LogFacts& facts, const Environment& settings) {
  const bool logged = facts.mask && !facts.mask->rows.empty();
  const std::vector<std::string> rows = logged ? facts.mask->rows : rebuilt_mask(facts, settings);
  if (rows.empty()) return "";
  std::int64_t attended = 0;
  for (const std::string& row : rows) {
    attended += std::count_if(row.begin(), row.end(), [](char c) { return c != '.'; });
  }
  const auto frames = static_cast<double>(rows.size());
  return fmt::format(
      "<h2>Mask in force</h2>\n<div class=\"panel pair\"><div>{}</div><div><p>{} latent frames; a "
      "frame attends {:.1f} of them on average, {} of all pairs.</p><p class=\"soft\">{}</p><ul "
      "class=\"legend\"><li><span class=\"swatch\" "
      "style=\"background:var(--mask-global)\"></span>global</li><li><span class=\"swatch\" "
      "style=\"background:var(--mask-window)\"></span>window</li><li><span class=\"swatch\" "
      "style=\"background:var(--mask-both)\"></span>both</li><li>query frames down, key frames "
      "across</li></ul></div></div>\n",
      mask_figure(rows, "The mask in force: query frames down, key frames across."), rows.size(),
      static_cast<double>(attended) / frames,
      percent_text(static_cast<double>(attended) / (frames * frames)),
      logged
          ? fmt::format("As the log prints it at step {} (line {}).", facts.mask->step,
                        facts.mask->line)
          : "Rebuilt from window and interval that the log names, at step 0; first frames as the "
            "settings have them.");
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

std::string provenance_html(const Provenance& provenance) {
  std::string html = "<h2>Where this comes from</h2>\n<div class=\"panel\"><dl class=\"facts\">";
  for (const auto& [key, value] : provenance) {
    std::string readable = key;
    std::replace(readable.begin(), readable.end(), '_', ' ');
    html += fmt::format("<dt>{}</dt><dd class=\"mono\">{}</dd>", escape_markup(readable),
                        escape_markup(value));
  }
  return html + "</dl></div>\n";
}

}  // namespace

std::string html_log(const LogFacts& facts, const LogVerdict& verdict, const std::string& path,
                     const Environment& settings, const Provenance& provenance) {
  return head_html(verdict, path) + header_html(facts, verdict, path) + "<main>\n" +
         verdict_html(verdict) + mend_html(verdict) + findings_html(verdict) +
         requests_html(facts, verdict) + charts_html(facts) + mask_html(facts, settings) +
         timeline_html(facts) + provenance_html(provenance) +
         "</main>\n<footer><p>The same as data: lvsa-verify geometry --log FILE "
         "--json.</p></footer>\n</body>\n</html>\n";
}

}  // namespace lvsa::analysis
