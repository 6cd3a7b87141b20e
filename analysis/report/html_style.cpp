#include "analysis/report/html_assets.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::string_view kStyle = R"css(
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --panel: #ffffff; --ink: #17202b; --soft: #566271; --line: #d8dee6;
  --stripe: #f9fafc; --accent: #2458a6; --code: #eef1f5; --focus: #1a5fd0;
  --pass: #17703f; --weak: #8a5a00; --fail: #b3202a; --error: #8a2390; --crash: #8f3d00;
  --timeout: #0b5c68; --unsupported: #56606d;
  --pass-bg: #e5f3ea; --weak-bg: #fbf0d9; --fail-bg: #fbe6e6; --error-bg: #f5e6f6;
  --crash-bg: #fbe8da; --timeout-bg: #ddf0f2; --unsupported-bg: #eceff3;
  --mask-global: #3f74bd; --mask-window: #e39a3b; --mask-both: #1d3a68; --mask-skip: #eef1f5;
  --heat-1: #dbe7f6; --heat-2: #a9c6ea; --heat-3: #6597d3; --heat-4: #2458a6; --heat-5: #d9434d; --heat-6: #7d0f18;
  --term-1: #2458a6; --term-2: #e39a3b; --term-3: #4f9d7c; --term-4: #9a6fb8; --cross: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #11161c; --panel: #1a2029; --ink: #e4e9ef; --soft: #9eabba; --line: #323c49;
    --stripe: #1e252f; --accent: #7fb0f5; --code: #232b36; --focus: #8ab8ff;
    --pass: #6fd09a; --weak: #eabb5e; --fail: #ff8d8d; --error: #e59aec; --crash: #ffab73;
    --timeout: #6fd3df; --unsupported: #a3afbd;
    --pass-bg: #16301f; --weak-bg: #35290f; --fail-bg: #3c1b1e; --error-bg: #361d39;
    --crash-bg: #3a2413; --timeout-bg: #0f323a; --unsupported-bg: #262e39;
    --mask-global: #4d84cf; --mask-window: #d98f33; --mask-both: #b9d4fb; --mask-skip: #262e39;
    --heat-1: #24364f; --heat-2: #2f5485; --heat-3: #4d84cf; --heat-4: #9cc3fa; --heat-5: #e5626b; --heat-6: #ffc2c2;
    --term-1: #7fb0f5; --term-2: #d98f33; --term-3: #63b48f; --term-4: #b78ad6; --cross: #11161c;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 3rem; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
}
header, main, footer { max-width: 82rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 1.75rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .6rem; }
h4 { font-size: .95rem; margin: 0 0 .5rem; }
p { margin: .4rem 0; }
a { color: var(--accent); }
code, .mono { font-family: ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace; font-size: .86em; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 3px; }
.kicker { margin: 0 0 .15rem; color: var(--soft); font-size: .85rem; letter-spacing: .02em; }
.soft { color: var(--soft); }
.skip-link { position: absolute; left: -100rem; }
.skip-link:focus { left: 1rem; top: 1rem; background: var(--panel); padding: .5rem 1rem; z-index: 9; }
.visually-hidden {
  position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap;
}
.icon { width: 1em; height: 1em; flex: none; vertical-align: -.12em; fill: currentColor; }
.s-pass { color: var(--pass); } .s-weak { color: var(--weak); } .s-fail { color: var(--fail); }
.s-error { color: var(--error); } .s-unsupported { color: var(--unsupported); }
.s-crash { color: var(--crash); } .s-timeout { color: var(--timeout); }

/* Summary */
.verdict {
  display: flex; flex-wrap: wrap; gap: .3rem .8rem; align-items: center; margin: 1.1rem 0 1rem;
  padding: .75rem 1rem; border-radius: 8px; border: 1px solid var(--line); border-left-width: 6px;
  background: var(--panel); font-size: 1.15rem; font-weight: 600;
}
.verdict.s-pass { border-left-color: var(--pass); background: var(--pass-bg); }
.verdict.s-fail { border-left-color: var(--fail); background: var(--fail-bg); }
.verdict.s-unsupported { border-left-color: var(--unsupported); background: var(--unsupported-bg); }
.verdict .note { font-weight: 400; font-size: .95rem; color: var(--ink); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.2rem, 1fr)); gap: .6rem; margin: 0; }
.tiles .zero dd { color: var(--soft); font-weight: 400; }
.tiles div { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: .5rem .8rem; }
.tiles dt { color: var(--soft); font-size: .82rem; display: flex; gap: .35rem; align-items: center; }
.tiles dd { margin: 0; white-space: nowrap; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums; line-height: 1.3; }
.tiles dd small { font-size: .8rem; font-weight: 400; color: var(--soft); }
.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: .9rem 1rem; }
.scroll { overflow-x: auto; }
.legend {
  display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: .5rem 0 0; padding: 0; list-style: none;
  color: var(--soft); font-size: .82rem;
}
.legend li { display: flex; align-items: center; gap: .35rem; }
.swatch { width: .8em; height: .8em; border-radius: 2px; }

/* Filters */
.filters { display: flex; flex-wrap: wrap; gap: .7rem 1.4rem; align-items: end; margin-bottom: .8rem; }
html:not(.js) :is(.filters, .copy, .chevron, .bar button, .pager) { display: none; }
.filters fieldset { border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .3rem .4rem; }
.filters legend, .filters .label { display: block; font-size: .82rem; color: var(--soft); padding: 0; margin-bottom: .2rem; }
.choice {
  display: inline-flex; gap: .35rem; align-items: center; padding: .2rem .6rem; border-radius: 99px;
  border: 1px solid var(--line); background: var(--panel); cursor: pointer; font-size: .88rem;
}
.choice input { margin: 0; accent-color: var(--accent); }
select, input[type=search] {
  font: inherit; font-size: .9rem; color: inherit; background: var(--panel);
  border: 1px solid var(--soft); border-radius: 6px; padding: .28rem .5rem; min-width: 7rem;
}
button.plain[disabled] { color: var(--soft); border-color: var(--line); cursor: default; }
.bar select { min-width: 0; }
.pager { display: inline-flex; flex-wrap: wrap; gap: .5rem; align-items: center; font-size: .85rem; }
.pager[hidden] { display: none; }
button.plain {
  font: inherit; font-size: .85rem; color: var(--ink); background: var(--panel); cursor: pointer;
  border: 1px solid var(--soft); border-radius: 6px; padding: .28rem .7rem;
}
button.plain:hover, .choice:hover { border-color: var(--accent); }
.bar { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .5rem; align-items: center; margin-bottom: .5rem; }

/* Table of cases */
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
.cases { background: var(--panel); border: 1px solid var(--line); font-size: .82rem; }
.cases th, .cases td { text-align: left; white-space: nowrap; }
.case > th, .case > td { padding: .36rem .38rem; }
.cases > thead th {
  position: sticky; top: 0; z-index: 2; background: var(--panel); font-weight: 600;
  border-bottom: 2px solid var(--line); padding: 0;
}
.cases > thead button {
  font: inherit; color: inherit; background: none; border: 0; width: 100%; text-align: inherit;
  padding: .5rem .38rem; white-space: nowrap; display: block;
}
.cases > thead button { cursor: pointer; }
.cases > thead button:hover { color: var(--accent); }
/* The arrow needs no room of its own: it stands in the padding. */
.cases > thead button::after { content: "\2195"; display: inline-block; width: .55rem; margin-right: -.55rem; font-weight: 400; opacity: .3; }
html:not(.js) .cases > thead button::after { content: none; }
.cases > thead th[aria-sort=ascending] button::after { content: "\2191"; opacity: 1; }
.cases > thead th[aria-sort=descending] button::after { content: "\2193"; opacity: 1; }
.cases .n { text-align: right; }
.cases tbody { border-top: 1px solid var(--line); }
.case > th { font-weight: 600; }
.case > :last-child, .cases > thead th:last-child button { padding-right: .9rem; }
.js .case { cursor: pointer; }
.js .case:hover > * { background: var(--stripe); }
.toggle { font: inherit; color: var(--soft); background: none; border: 0; padding: .1rem .2rem; cursor: pointer; }
.chevron { display: inline-block; width: .9em; transition: transform .12s; }
.toggle[aria-expanded=true] .chevron { transform: rotate(90deg); }
.badge {
  display: inline-flex; gap: .35rem; align-items: center; padding: .05rem .5rem .05rem .4rem;
  border-radius: 99px; font-weight: 600; font-size: .92em;
}
.badge.s-pass { background: var(--pass-bg); } .badge.s-weak { background: var(--weak-bg); }
.badge.s-fail { background: var(--fail-bg); } .badge.s-error { background: var(--error-bg); }
.badge.s-unsupported { background: var(--unsupported-bg); }
.badge.s-crash { background: var(--crash-bg); } .badge.s-timeout { background: var(--timeout-bg); }
.ratio { display: inline-flex; align-items: center; gap: .5rem; justify-content: flex-end; }
.ratio .meter { width: 1.9rem; height: .45rem; background: var(--code); border-radius: 2px; overflow: hidden; }
.meter i { display: block; height: 100%; background: var(--accent); }
.over .meter i { background: var(--fail); }
.over { color: var(--fail); font-weight: 600; }
.thumb { width: 1.6rem; height: 1.6rem; vertical-align: middle; margin: -.35rem .35rem -.35rem 0; }
.state { white-space: nowrap; font-weight: 600; }
.state svg { margin-right: .3rem; }
.state-fails { color: var(--fail); } .state-holds { color: var(--pass); } .state-na { color: var(--unsupported); }
.empty { padding: 1.5rem; text-align: center; color: var(--soft); }

/* Details of a case */
.detail > td { padding: 0; white-space: normal; background: var(--stripe); border-top: 1px dashed var(--line); }
.detail-box { position: sticky; left: 0; max-width: calc(min(82rem, 100vw) - 2.6rem); padding: 1rem 1.1rem 1.3rem; }
.message {
  padding: .55rem .8rem; border-left: 4px solid currentColor; border-radius: 4px; margin: 0 0 1rem;
  overflow-wrap: anywhere; white-space: pre-wrap;
}
.message span { color: var(--ink); }
.message.s-weak { background: var(--weak-bg); } .message.s-fail { background: var(--fail-bg); }
.message.s-error { background: var(--error-bg); } .message.s-unsupported { background: var(--unsupported-bg); }
.message.s-pass { background: var(--pass-bg); }
.message.s-crash { background: var(--crash-bg); } .message.s-timeout { background: var(--timeout-bg); }
.message b { color: var(--ink); display: block; font-size: .82rem; }
.message.suspect { border-left-style: dashed; color: var(--weak); background: none; }
.case-head { display: flex; flex-wrap: wrap; gap: .2rem .8rem; align-items: baseline; margin: 0 0 .7rem; }
.case-head h3 { font-size: 1.02rem; margin: 0; }
.repeat { display: grid; gap: .5rem; margin-bottom: 1.2rem; }
.copybox { display: flex; gap: .5rem; align-items: start; }
.copybox code {
  flex: 1; min-width: 0; background: var(--code); border-radius: 5px; padding: .35rem .6rem;
  overflow-wrap: anywhere; white-space: pre-wrap;
}
.copybox .what { flex: none; width: 6.6rem; color: var(--soft); font-size: .82rem; padding-top: .35rem; }
.columns { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); margin-top: 1.3rem; gap: 1.4rem 2.2rem; align-items: start; }
.columns > * { min-width: 0; }
.columns section + section { margin-top: 1.2rem; }
.groups { display: grid; grid-template-columns: repeat(auto-fit, minmax(15.5rem, 1fr)); gap: 0 1.6rem; margin-top: 1.3rem; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .12rem 1.1rem; margin: 0 0 1.1rem; font-size: .88rem; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.terms { font-size: .86rem; margin: .4rem 0 1.1rem; }
.terms caption { text-align: left; color: var(--soft); padding-bottom: .25rem; }
.terms th, .terms td { padding: .22rem .9rem .22rem 0; white-space: normal; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
.terms th { font-weight: 400; }
.terms thead th { font-weight: 600; }
.terms .n { text-align: right; white-space: nowrap; }
.terms tfoot th, .terms tfoot td { font-weight: 600; border-bottom: 0; }
.terms .formula { color: var(--soft); display: block; font-size: .92em; }
.terms .swatch { display: inline-block; margin-right: .4rem; }
.terms td.soft { font-size: .95em; }

/* Drawings */
svg.figure { display: block; max-width: none; }
svg text { font: 11px system-ui, "DejaVu Sans", sans-serif; fill: var(--soft); }
svg text.title { fill: var(--ink); }
.mask-skip { fill: var(--mask-skip); } .mask-global { fill: var(--mask-global); }
.mask-window { stroke: var(--mask-window); } .mask-both { stroke: var(--mask-both); }
.mask-window, .mask-both { fill: none; stroke-width: 1; }
.grid { stroke: var(--panel); stroke-width: 1; fill: none; opacity: .75; }
.axis { stroke: var(--line); stroke-width: 1; fill: none; }
.limit { stroke: var(--fail); stroke-width: 1.5; stroke-dasharray: 5 3; fill: none; }
.beyond { fill: var(--fail-bg); }
.bars rect { fill: var(--accent); fill-opacity: .28; }
.caps { stroke: var(--accent); stroke-width: 3; fill: none; }
.bars.over rect { fill: var(--fail); } .caps.over { stroke: var(--fail); }
.heat-1 { fill: var(--heat-1); } .heat-2 { fill: var(--heat-2); } .heat-3 { fill: var(--heat-3); }
.heat-4 { fill: var(--heat-4); } .heat-5 { fill: var(--heat-5); } .heat-6 { fill: var(--heat-6); }
.heat-0 { fill: none; stroke: var(--line); stroke-width: 1; }
.crosses { stroke: var(--cross); stroke-width: 1.2; fill: none; }
.term-1 { fill: var(--term-1); } .term-2 { fill: var(--term-2); } .term-3 { fill: var(--term-3); } .term-4 { fill: var(--term-4); }
.term-gap { stroke: var(--stripe); stroke-width: 1.5; }
.term-total { fill: none; stroke: var(--ink); stroke-width: 1; }
.error-mark { stroke: var(--fail); stroke-width: 2; fill: var(--fail); } .error-mark.within { stroke: var(--ink); fill: var(--ink); }
.cell-due { fill: var(--mask-global); } .cell-extra { fill: var(--heat-5); } .cell-missing { fill: var(--mask-window); }
.cell-odd { fill: var(--error); } .condition { fill: var(--ink); }
.range { stroke: var(--soft); stroke-width: 1.5; }
.points a:hover use { stroke: var(--ink); stroke-width: 2; }

footer { padding-bottom: 2.5rem; color: var(--soft); font-size: .88rem; }
.help dl { margin: 0; } .help dt { font-weight: 600; } .help dd + dt { margin-top: .5rem; } .help dd { margin: 0; }

@media (max-width: 75rem) {
  .cases .c2 { display: none; }
  .cases > thead button::after { margin-right: 0; }
}
@media (max-width: 68rem) { .columns { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 60rem) { .cases .c3 { display: none; } }
@media (max-width: 48rem) {
  .case > th, .case > td { padding-left: .3rem; padding-right: .3rem; }
  .cases > thead button { padding: .5rem .3rem; }
  .ratio .meter { display: none; }
  header, main, footer { padding-left: .8rem; padding-right: .8rem; }
  .detail-box { padding: .8rem .6rem 1rem; max-width: calc(100vw - 1.8rem); }
  .copybox { flex-wrap: wrap; } .copybox .what { width: 100%; padding: 0; }
  .copybox code { flex-basis: 12rem; }
}
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } html { scroll-behavior: auto; } }
@media (forced-colors: active) { .meter i, .swatch, svg.figure * { forced-color-adjust: none; } }
@media print {
  :root {
    --page: #fff; --panel: #fff; --ink: #000; --soft: #444; --line: #bbb; --stripe: #fff; --code: #f2f2f2;
    --pass: #17703f; --weak: #8a5a00; --fail: #b3202a; --error: #8a2390; --crash: #8f3d00; --timeout: #0b5c68; --unsupported: #56606d;
    --crash-bg: #fff; --timeout-bg: #fff; --pass-bg: #fff; --weak-bg: #fff; --fail-bg: #fff; --error-bg: #fff; --unsupported-bg: #fff;
    --accent: #2458a6; --mask-global: #3f74bd; --mask-window: #e39a3b; --mask-both: #1d3a68;
    --mask-skip: #eee;
    --heat-1: #dbe7f6; --heat-2: #a9c6ea; --heat-3: #6597d3; --heat-4: #2458a6; --heat-5: #d9434d; --heat-6: #7d0f18;
    --term-1: #2458a6; --term-2: #e39a3b; --term-3: #4f9d7c; --term-4: #9a6fb8; --cross: #fff;
  }
  body { font-size: 10pt; }
  header, main, footer { max-width: none; padding: 0; }
  .filters, .bar button, .pager, .copy, .chevron, .skip-link { display: none; }
  .cases > thead th { position: static; }
  .cases { font-size: 7.5pt; }
  .cases .c2, .cases .c3 { display: table-cell; } .ratio .meter { display: none; }
  .cases > thead button::after { content: none; }
  .case, .panel, .tiles, svg.figure, .facts, .terms { break-inside: avoid; }
  .scroll { overflow: visible; }
  svg.figure { max-width: 100%; height: auto; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)css";

}  // namespace

std::string_view html_style() { return kStyle; }

}  // namespace lvsa::analysis
