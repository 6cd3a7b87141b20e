#include "analysis/report/html_assets.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::string_view kStyle = R"css(
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --panel: #ffffff; --ink: #17202b; --soft: #566271; --line: #d8dee6;
  --stripe: #f9fafc; --accent: #2458a6; --code: #eef1f5; --focus: #1a5fd0;
  --pass: #17703f; --weak: #8a5a00; --fail: #b3202a; --error: #8a2390; --unsupported: #5b6673;
  --pass-bg: #e5f3ea; --weak-bg: #fbf0d9; --fail-bg: #fbe6e6; --error-bg: #f5e6f6;
  --unsupported-bg: #eceff3;
  --mask-global: #3f74bd; --mask-window: #e39a3b; --mask-both: #1d3a68; --mask-skip: #eef1f5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #11161c; --panel: #1a2029; --ink: #e4e9ef; --soft: #9eabba; --line: #323c49;
    --stripe: #1e252f; --accent: #7fb0f5; --code: #232b36; --focus: #8ab8ff;
    --pass: #6fd09a; --weak: #eabb5e; --fail: #ff8d8d; --error: #e59aec; --unsupported: #a3afbd;
    --pass-bg: #16301f; --weak-bg: #35290f; --fail-bg: #3c1b1e; --error-bg: #361d39;
    --unsupported-bg: #262e39;
    --mask-global: #4d84cf; --mask-window: #d98f33; --mask-both: #b9d4fb; --mask-skip: #262e39;
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
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.2rem, 1fr)); gap: .7rem; margin: 0; }
.tiles div { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: .6rem .85rem; }
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
html:not(.js) :is(.filters, .copy, .chevron, .bar button) { display: none; }
.filters fieldset { border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .3rem .4rem; }
.filters legend, .filters .label { display: block; font-size: .82rem; color: var(--soft); padding: 0; margin-bottom: .2rem; }
.choice {
  display: inline-flex; gap: .35rem; align-items: center; padding: .2rem .6rem; border-radius: 99px;
  border: 1px solid var(--line); background: var(--panel); cursor: pointer; font-size: .88rem;
}
.choice input { margin: 0; accent-color: var(--accent); }
select, input[type=search] {
  font: inherit; font-size: .9rem; color: inherit; background: var(--panel);
  border: 1px solid var(--soft); border-radius: 6px; padding: .28rem .5rem; min-width: 10rem;
}
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
.case > th, .case > td { padding: .36rem .45rem; }
.cases > thead th {
  position: sticky; top: 0; z-index: 2; background: var(--panel); font-weight: 600;
  border-bottom: 2px solid var(--line); padding: 0;
}
.cases > thead button {
  font: inherit; color: inherit; background: none; border: 0; width: 100%; text-align: inherit;
  padding: .5rem .45rem; white-space: nowrap; display: block;
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
.ratio { display: inline-flex; align-items: center; gap: .5rem; justify-content: flex-end; }
.ratio .meter { width: 2.8rem; height: .45rem; background: var(--code); border-radius: 2px; overflow: hidden; }
.meter i { display: block; height: 100%; background: var(--accent); }
.over .meter i { background: var(--fail); }
.over { color: var(--fail); font-weight: 600; }
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
.repeat { display: grid; gap: .5rem; margin-bottom: 1.2rem; }
.copybox { display: flex; gap: .5rem; align-items: start; }
.copybox code {
  flex: 1; min-width: 0; background: var(--code); border-radius: 5px; padding: .35rem .6rem;
  overflow-wrap: anywhere; white-space: pre-wrap;
}
.copybox .what { flex: none; width: 5rem; color: var(--soft); font-size: .82rem; padding-top: .35rem; }
.columns { display: grid; grid-template-columns: minmax(0, 44rem) minmax(20rem, 1fr); gap: 1.4rem 2.2rem; align-items: start; }
.columns > * { min-width: 0; }
.groups { display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); gap: 0 2rem; margin-top: 1.3rem; }
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
.terms .meter { display: block; width: 5rem; height: .45rem; margin-top: .45rem; background: var(--code); border-radius: 2px; overflow: hidden; }

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
@media (prefers-reduced-motion: reduce) { .chevron { transition: none; } }
@media print {
  :root {
    --page: #fff; --panel: #fff; --ink: #000; --soft: #444; --line: #bbb; --stripe: #fff; --code: #f2f2f2;
    --pass: #17703f; --weak: #8a5a00; --fail: #b3202a; --error: #8a2390; --unsupported: #5b6673;
    --pass-bg: #fff; --weak-bg: #fff; --fail-bg: #fff; --error-bg: #fff; --unsupported-bg: #fff;
    --accent: #2458a6; --mask-global: #3f74bd; --mask-window: #e39a3b; --mask-both: #1d3a68;
    --mask-skip: #eee;
  }
  body { font-size: 10pt; }
  header, main, footer { max-width: none; padding: 0; }
  .filters, .bar, .copy, .chevron, .skip-link { display: none; }
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

constexpr std::string_view kScript = R"js(
(() => {
  "use strict";
  document.documentElement.classList.add("js");
  const byId = (id) => document.getElementById(id);
  const say = (text) => { byId("live").textContent = text; };

  // One <tbody> a case: a row, and a row with its details.
  const table = byId("cases");
  const cases = table ? [...table.tBodies].filter((body) => body.id) : [];
  const original = [...cases];
  const toggleOf = (body) => body.querySelector(".toggle");
  const isOpen = (body) => toggleOf(body).getAttribute("aria-expanded") === "true";
  const setOpen = (body, open) => {
    toggleOf(body).setAttribute("aria-expanded", String(open));
    body.querySelector(".detail").hidden = !open;
  };
  for (const body of cases) {
    setOpen(body, false);
    body.querySelector(".case").addEventListener("click", (event) => {
      const control = event.target.closest("a, button, input");
      if ((control && !control.classList.contains("toggle")) || String(getSelection())) return;
      setOpen(body, !isOpen(body));
    });
  }
  const firstFailure = cases.find((body) => ["fail", "error"].includes(body.dataset.status));
  if (firstFailure) setOpen(firstFailure, true);

  // Filters.
  const form = byId("filters");
  const textOf = new Map(cases.map((body) => [body, body.textContent.toLowerCase()]));
  const filter = () => {
    const statuses = new Set([...form.querySelectorAll("[name=status]:checked")].map((box) => box.value));
    const model = byId("filter-model").value;
    const words = byId("filter-text").value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const body of cases) {
      const fits = statuses.has(body.dataset.status) && (!model || body.dataset.model === model) &&
        words.every((word) => textOf.get(body).includes(word));
      body.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    byId("shown").textContent = `Showing ${shown} of ${cases.length} cases`;
    byId("none").hidden = shown > 0;
  };
  if (form) {
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(filter));
    byId("open-all").addEventListener("click", () => cases.forEach((body) => body.hidden || setOpen(body, true)));
    byId("close-all").addEventListener("click", () => cases.forEach((body) => setOpen(body, false)));
    filter();
  }

  // Sorting: up, down, original order. Cells without a value stay last.
  const valueOf = (body, column) => body.rows[0].cells[column].dataset.v ?? "";
  const compare = (a, b) => {
    const x = Number(a), y = Number(b);
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : (x < y ? -1 : x > y ? 1 : 0);
  };
  const sortBy = (column, direction) => {
    const order = [...original];
    if (direction) {
      order.sort((a, b) => {
        const x = valueOf(a, column), y = valueOf(b, column);
        if (x === "" || y === "") return (x === "") - (y === "");
        return direction * compare(x, y);
      });
    }
    order.forEach((body) => table.append(body));
  };
  for (const button of table ? table.tHead.querySelectorAll("button") : []) {
    button.addEventListener("click", () => {
      const head = button.parentElement;
      const next = { none: "ascending", ascending: "descending", descending: "none" }[head.ariaSort || "none"];
      for (const other of table.tHead.querySelectorAll("th[aria-sort]")) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", next);
      sortBy(head.cellIndex, { none: 0, ascending: 1, descending: -1 }[next]);
      say(next === "none" ? "Original order" : `Sorted by ${button.textContent}, ${next}`);
    });
  }

  // Copy buttons; from a file some browsers have no clipboard, then the text is selected.
  for (const button of document.querySelectorAll(".copy")) {
    button.addEventListener("click", async () => {
      const code = button.parentElement.querySelector("code");
      let done = "Copied";
      try {
        await navigator.clipboard.writeText(code.textContent);
      } catch {
        getSelection().selectAllChildren(code);
        done = document.execCommand("copy") ? "Copied" : "Selected";
      }
      button.textContent = done;
      say(done);
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  }

  // A link to a case opens it.
  const follow = () => {
    const body = location.hash.startsWith("#case-") ? byId(location.hash.slice(1)) : null;
    if (!body) return;
    body.hidden = false;
    setOpen(body, true);
    body.scrollIntoView();
    toggleOf(body).focus({ preventScroll: true });
  };
  addEventListener("hashchange", follow);
  follow();
})();
)js";

constexpr std::string_view kIcons =
    R"svg(<svg width="0" height="0" style="position:absolute" aria-hidden="true">
<symbol id="icon-pass" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7"/><path d="M4.6 8.3l2.4 2.4 4.6-5" fill="none" stroke="var(--panel)" stroke-width="2"/></symbol>
<symbol id="icon-weak" viewBox="0 0 16 16"><path d="M8 0l8 8-8 8-8-8z"/><path d="M4 9c1.4-2.4 2.7-2.4 4-1s2.6 1.4 4-1" fill="none" stroke="var(--panel)" stroke-width="1.8"/></symbol>
<symbol id="icon-fail" viewBox="0 0 16 16"><path d="M4.7 0h6.6L16 4.7v6.6L11.3 16H4.7L0 11.3V4.7z"/><path d="M5 5l6 6M11 5l-6 6" fill="none" stroke="var(--panel)" stroke-width="2"/></symbol>
<symbol id="icon-error" viewBox="0 0 16 16"><path d="M8 .5L16 15.5H0z"/><path d="M8 5.5v5M8 12v2" fill="none" stroke="var(--panel)" stroke-width="2"/></symbol>
<symbol id="icon-unsupported" viewBox="0 0 16 16"><path d="M1 1h14v14H1zM3 3v10h10V3z" fill-rule="evenodd"/><path d="M5 7h6v2H5z"/></symbol>
</svg>)svg";

}  // namespace

std::string_view html_style() { return kStyle; }
std::string_view html_script() { return kScript; }
std::string_view html_icons() { return kIcons; }

}  // namespace lvsa::analysis
