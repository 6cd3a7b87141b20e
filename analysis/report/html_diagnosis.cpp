#include "analysis/report/html_diagnosis.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/report/html_assets.hpp"
#include "analysis/report/html_log_charts.hpp"
#include "analysis/report/text_format.hpp"
#include "core/config/config.hpp"
#include "core/error.hpp"
#include "core/pattern/frame_pattern.hpp"
#include "core/pattern/mask_text.hpp"

namespace lvsa::analysis {
namespace {

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
pre.lines { background: var(--code); border-radius: 5px; padding: .6rem .8rem; margin: .4rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.pair { display: flex; flex-wrap: wrap; gap: 1.2rem 2rem; align-items: flex-start; }
)css";

}  // namespace

std::string diagnosis_head(std::string_view title, std::string_view anchor) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src"
      " 'unsafe-inline'; img-src data:\">\n<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n<title>{0}</title>\n"
      "<style>{1}{2}</style>\n</head>\n<body>\n<a class=\"skip-link\" href=\"#{3}\">Skip to the "
      "{3}</a>\n{4}",
      title, html_style(), kStyle, anchor, html_icons());
}

std::string verdict_icon(Verdict verdict) {
  return fmt::format(
      "<svg class=\"icon s-{0}\" aria-hidden=\"true\"><use href=\"#icon-{0}\"/></svg>",
      verdict_class(verdict));
}

std::string verdict_banner(Verdict verdict, std::string_view sentence) {
  return fmt::format(
      "<p class=\"verdict s-{}\">{}<span>{}</span><span class=\"note\">{}</span></p>\n",
      verdict_class(verdict), verdict_icon(verdict), name(verdict),
      escape_markup(std::string(sentence)));
}

std::string verdict_tiles(const std::array<std::int64_t, 6>& counts) {
  std::string html = "<dl class=\"tiles\">";
  for (const Verdict each : kAllVerdicts) {
    const std::int64_t count = counts[static_cast<std::size_t>(each)];
    html += fmt::format("<div{}><dt>{}{}</dt><dd>{}</dd></div>",
                        count == 0 ? " class=\"zero\"" : "", verdict_icon(each), name(each), count);
  }
  return html + "</dl>\n";
}

std::string fix_html(const Fix& fix) {
  std::string html;
  if (!fix.lines.empty()) {
    html += "<pre class=\"lines\"><code>";
    for (const std::string& line : fix.lines) html += escape_markup(line) + "\n";
    html += "</code></pre>";
  }
  if (!fix.about.empty()) html += "<p>" + escape_markup(fix.about) + "</p>";
  if (!html.empty() && fix.gives) {
    html +=
        fmt::format("<p class=\"soft\">With that applied the verdict is {}.</p>", name(*fix.gives));
  }
  return html;
}

std::vector<std::string> pattern_rows(std::int64_t frames, std::int64_t window,
                                      std::int64_t interval, const Environment& settings) {
  try {
    const Config config = config_from_environment(settings);
    PatternSpec spec;
    spec.frames = frames;
    spec.window_frames = window;
    spec.n_first_frames = config.latent_n_first_frames();
    spec.interval = interval;
    spec.expand_window = config.expand_window;
    const FramePattern pattern = build_frame_pattern(spec);
    std::vector<std::string> rows(static_cast<std::size_t>(pattern.frames()));
    for (std::int64_t f = 0; f < pattern.frames(); ++f) {
      for (std::int64_t k = 0; k < pattern.frames(); ++k) {
        rows[static_cast<std::size_t>(f)] += static_cast<char>(mask_cell(pattern, f, k));
      }
    }
    return rows;
  } catch (const Error&) {
    return {};
  }
}

std::string mask_panel(const std::vector<std::string>& rows, std::string_view about) {
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
      percent_text(static_cast<double>(attended) / (frames * frames)), about);
}

std::string provenance_panel(const Provenance& provenance) {
  std::string html = "<h2>Where this comes from</h2>\n<div class=\"panel\"><dl class=\"facts\">";
  for (const auto& [key, value] : provenance) {
    std::string readable = key;
    std::replace(readable.begin(), readable.end(), '_', ' ');
    html += fmt::format("<dt>{}</dt><dd class=\"mono\">{}</dd>", escape_markup(readable),
                        escape_markup(value));
  }
  return html + "</dl></div>\n";
}

}  // namespace lvsa::analysis
