#include "analysis/report/html_compare_parts.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::string_view kStyle = R"css(
.compare { max-width: 100%; height: auto; display: block; }
.compare .grid { stroke: var(--line); fill: none; }
.compare .line { fill: none; stroke: currentColor; stroke-width: 1.6; }
.compare g path:not(.line) { fill: currentColor; stroke: var(--panel); stroke-width: .8; }
.compare .front { fill: none; stroke: var(--soft); stroke-width: 5; opacity: .35; }
.compare .title { font-weight: 600; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; margin: 0 0 .8rem; padding: 0; list-style: none; }
.legend label { display: inline-flex; align-items: center; gap: .35rem; font-size: .9rem; }
.pairs { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: .6rem 1.4rem; }
.pairs > div { min-width: 0; overflow-x: auto; }
html:not(.js) .legend input { display: none; }
[hidden] { display: none !important; }
@media print { .legend input, .plain thead button::after { display: none; } .pairs { grid-template-columns: 1fr 1fr; } .group { break-inside: avoid; } }
)css";

constexpr std::string_view kScript = R"js(
(() => {
  "use strict";
  const { byId, say } = lvsaPage;
  const all = (selector) => [...document.querySelectorAll(selector)];
  const form = byId("compare-controls");
  const show = () => {
    const metric = byId("metric").value, layer = byId("layer").value, group = byId("class").value;
    const off = new Set(all("[name=rule]").filter((box) => !box.checked).map((box) => box.value));
    for (const one of all("[data-metric]")) one.hidden = one.dataset.metric !== metric;
    for (const one of all("svg [data-rule]")) one.toggleAttribute("hidden", off.has(one.dataset.rule));
    for (const one of all(".compare .front")) one.toggleAttribute("hidden", off.size > 0);
    let panels = 0, rows = 0;
    for (const one of all(".group")) {
      one.hidden = (layer !== "" && one.dataset.layer !== layer) || (group !== "" && one.dataset.class !== group);
      panels += one.hidden ? 0 : 1;
    }
    for (const row of all("#compare-body tr")) {
      row.hidden = off.has(row.dataset.rule) || (row.dataset.class !== group);
      rows += row.hidden ? 0 : 1;
    }
    byId("count").textContent = `${panels} figures of layers and classes, ${rows} rows in the table (${group === "" ? "all classes" : group})`;
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  byId("reset-controls").addEventListener("click", () => { form.reset(); show(); say("All is shown again"); });
  const body = byId("compare-body");
  all("#compare-head th").forEach((head, at) => {
    const button = lvsaPage.make("button", { type: "button", textContent: head.textContent });
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of all("#compare-head th")) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const value = (row) => row.cells[at].dataset.value ?? row.cells[at].textContent;
      const compare = (a, b) => {
        const [p, q] = [Number(a), Number(b)];
        if (Number.isNaN(p) || Number.isNaN(q)) return Number.isNaN(p) && Number.isNaN(q) ? a.localeCompare(b) : Number.isNaN(p) ? 1 : -1;
        return p - q;
      };
      body.append(...[...body.rows].sort((a, b) => (up ? 1 : -1) * compare(value(a), value(b))));
      say(`Sorted by ${button.textContent}, ${up ? "ascending" : "descending"}`);
    });
  });
  show();
  document.documentElement.dataset.ready = "yes";
})();
)js";

}  // namespace

std::string_view html_compare_script() { return kScript; }
std::string_view html_compare_style() { return kStyle; }

}  // namespace lvsa::analysis
