#include "analysis/report/html_charts.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "analysis/report/chart_library.hpp"
#include "analysis/report/html_assets.hpp"
#include "analysis/report/html_pack.hpp"
#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::string_view kStyle = R"css(
.plain { font-size: .86rem; }
.plain th, .plain td { text-align: left; padding: .28rem .9rem .28rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.plain td.n, .plain th.n { text-align: right; white-space: nowrap; }
.plain tbody th { font-weight: 500; }
.copybox + .spread { margin-top: .9rem; }
.plain .w, .plain th button.link { white-space: nowrap; }
.plain thead th { vertical-align: bottom; }
.plain thead th.n, .plain thead th.n button { white-space: normal; max-width: 9rem; text-align: right; }
.plain .text { overflow-wrap: anywhere; min-width: 12rem; }
.plain thead button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; white-space: nowrap; }
.plain thead button:hover { color: var(--accent); }
.plain thead button::after { content: "\2195"; display: inline-block; width: .8rem; font-weight: 400; opacity: .35; }
.plain thead th[aria-sort=ascending] button::after { content: "\2191"; opacity: 1; }
.plain thead th[aria-sort=descending] button::after { content: "\2193"; opacity: 1; }
.plain tbody tr.chosen > * { background: var(--code); }
.plain tbody tr:hover > * { background: var(--stripe); }
button.cell { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
button.link { font: inherit; color: var(--accent); background: none; border: 0; padding: 0; cursor: pointer; text-align: left; text-decoration: underline; }
.panel + .panel { margin-top: .7rem; }
.chart-box { position: relative; height: min(34rem, 72vh); min-height: 20rem; }
.chart-box canvas { display: block; }
html:not(.js) :is(.needs-script), .charts .static-chart { display: none; }
html:not(.charts) .needs-charts { display: none; }
.tag { display: inline-block; border: 1px solid var(--soft); border-radius: 99px; padding: 0 .45rem; font-size: .78rem; margin-left: .3rem; white-space: nowrap; }
.tag.best { border-color: var(--pass); color: var(--pass); font-weight: 600; }
.tag.knee { border-color: var(--accent); color: var(--accent); font-weight: 600; }
.heat { border-collapse: separate; border-spacing: 2px; width: auto; font-size: .78rem; }
.heat td, .heat th { padding: .2rem .4rem; text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.heat td { border-radius: 3px; min-width: 2.4rem; }
.heat th { font-weight: 400; color: var(--soft); }
.heat .lv1 { background: var(--heat-1); color: var(--heat-ink-1); } .heat .lv2 { background: var(--heat-2); color: var(--heat-ink-1); }
.heat .lv3 { background: var(--heat-3); color: var(--heat-ink-3); } .heat .lv4 { background: var(--heat-4); color: var(--heat-ink-4); }
:root { --heat-ink-1: #17202b; --heat-ink-3: #0b1320; --heat-ink-4: #ffffff; --point-1: #0060a8; --point-2: #c84e00; --point-3: #00795a; --point-4: #a8508a; --point-5: #9a6700; --point-6: #2a86bd; --point-7: #5b6470; --ramp-0: #46327e; --ramp-1: #365c8d; --ramp-2: #1f8a8c; --ramp-3: #3f9f4a; --ramp-4: #b0a000; }
@media (prefers-color-scheme: dark) {
  :root { --heat-ink-1: #e4e9ef; --heat-ink-3: #0b1320; --heat-ink-4: #11161c; --point-1: #5db3f0; --point-2: #ff8b3d; --point-3: #3fcf9e; --point-4: #e794c6; --point-5: #f0b429; --point-6: #9bd4f5; --point-7: #c4ccd6; --ramp-0: #9d8ae0; --ramp-1: #6c9be0; --ramp-2: #3fbdb8; --ramp-3: #7ad151; --ramp-4: #fde725; }
}
.spread { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 1rem 2rem; align-items: start; }
.spread > * { min-width: 0; }
.count { font-variant-numeric: tabular-nums; color: var(--soft); font-size: .88rem; margin: 0 0 .5rem; }
.filters input[type=number] { font: inherit; font-size: .9rem; color: inherit; background: var(--panel); border: 1px solid var(--soft); border-radius: 6px; padding: .28rem .5rem; width: 7.5rem; }
.filters select { max-width: 16rem; }
details.more > summary { cursor: pointer; color: var(--accent); font-size: .9rem; margin: .1rem 0 .5rem; width: fit-content; }
@media (max-width: 60rem) { .spread { grid-template-columns: minmax(0, 1fr); } }
@media print {
  :root { --heat-ink-1: #17202b; --heat-ink-3: #0b1320; --heat-ink-4: #ffffff; --point-1: #0060a8; --point-2: #c84e00; --point-3: #00795a; --point-4: #a8508a; --point-5: #9a6700; --point-6: #2a86bd; --point-7: #5b6470; --ramp-0: #46327e; --ramp-1: #365c8d; --ramp-2: #1f8a8c; --ramp-3: #3f9f4a; --ramp-4: #b0a000; }
  .needs-script.controls, details.more, .chart-hint { display: none; }
  .chart-box { height: auto; min-height: 0; break-inside: avoid; }
  .chart-box canvas { width: 100% !important; height: auto !important; }
  .panel.scroll, #chosen-body { break-inside: auto; } tr, h2, h3 { break-inside: avoid; } h2, h3 { break-after: avoid; }
  .plain { font-size: 8pt; } .spread { grid-template-columns: minmax(0, 1fr); }
}
)css";

}  // namespace

std::string_view html_charts_style() { return kStyle; }

std::string chart_page_head(std::string_view title, std::string_view skip_to,
                            std::string_view skip_text) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src"
      " 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n"
      "<title>{}</title>\n<style>{}{}</style>\n</head>\n<body>\n"
      "<a class=\"skip-link\" href=\"#{}\">{}</a>\n{}",
      escape_markup(title), html_style(), kStyle, skip_to, escape_markup(skip_text), html_icons());
}

std::string chart_page_end(std::string_view own_script) {
  return fmt::format(
      "<div id=\"live\" class=\"visually-hidden\" aria-live=\"polite\"></div>\n{}"
      "<script>{}{}</script>\n</body>\n</html>\n",
      chart_library_script(), html_charts_script(), own_script);
}

std::string packed_element(std::string_view id, std::string_view json) {
  return fmt::format("<script type=\"text/plain\" id=\"{}\">{}</script>\n", id, packed_text(json));
}

std::string packed_floats(std::string_view id, std::span<const double> values) {
  const std::size_t count = values.size();
  std::string bytes(count * 4, '\0');
  for (std::size_t i = 0; i < count; ++i) {
    auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(values[i]));
    // 15 bits of the fraction, rounded half up; infinities and NaN stay what they are.
    if (std::isfinite(values[i]) && (bits & 0x7f800000U) != 0x7f800000U) {
      const std::uint32_t rounded = (bits + 0x80U) & ~0xffU;
      bits = (rounded & 0x7f800000U) == 0x7f800000U ? bits & ~0xffU : rounded;
    }
    for (std::size_t k = 0; k < 4; ++k) bytes[k * count + i] = static_cast<char>(bits >> (8 * k));
  }
  return packed_element(id, bytes);
}

std::string json_numbers(std::span<const double> values) {
  std::string text = "[";
  for (const double value : values) {
    if (text.size() > 1) text += ',';
    if (std::isnan(value)) {
      text += "null";
    } else if (std::isinf(value)) {
      text += value > 0.0 ? "\"Infinity\"" : "\"-Infinity\"";
    } else {
      fmt::format_to(std::back_inserter(text), "{:.7g}", value);
    }
  }
  return text + "]";
}

std::string json_text(std::string_view text) {
  const std::string dumped =
      nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  std::string safe;
  for (const char c : dumped) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

}  // namespace lvsa::analysis
