#include "analysis/report/html_quality.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::string_view kScript = R"js(
(() => {
  "use strict";
  const { byId, say, make, unpackJson, number, groupColour, scatter } = lvsaPage;
  const holder = byId("quality-data");
  if (!holder) return;
  const start = (data) => {
    for (const rows of [data.values, data.scores]) {
      for (const row of rows) row.forEach((value, at) => { row[at] = value === null ? NaN : Number(value); });
    }
    const chart = scatter(byId("chart"));
    const fill = (select, names) => select.replaceChildren(...names.map((name, at) => make("option", { value: at, textContent: name })));
    fill(byId("y"), data.dimensions);
    fill(byId("x"), data.figures);
    byId("x").value = String(Math.min(1, data.figures.length - 1));
    const show = () => {
      const d = Number(byId("y").value), f = Number(byId("x").value);
      const text = data.pairs[d * data.figures.length + f];
      const points = data.words.map((word, at) => ({ x: data.values[at][f], y: data.scores[at][d], at }))
        .filter((point) => Number.isFinite(point.x) && Number.isFinite(point.y));
      const missing = data.words.length - points.length;
      byId("count").textContent = text + (missing ? `; ${missing} of ${data.words.length} settings have no place in the chart` : "");
      const dense = points.filter((point) => data.words[point.at] === "dense");
      chart.update({
        x: { title: data.figures[f], log: false }, y: { title: data.dimensions[d], log: false },
        groups: [{ label: "setting", points: points.filter((point) => !dense.includes(point)), shape: "circle", colour: () => groupColour(0, 2, false) },
          { label: "dense attention", points: dense, shape: "rectRot", colour: () => groupColour(1, 2, false) }].filter((group) => group.points.length),
        legend: "", line: [], lineLabel: "", marks: [], limit: null,
        tip: (at) => [data.words[at], [`${data.figures[f]} ${number(data.values[at][f], 4)}`, `${data.dimensions[d]} ${number(data.scores[at][d], 4)}`]],
      });
    };
    byId("controls").addEventListener("input", show);
    byId("controls").addEventListener("submit", (event) => event.preventDefault());
    // A correlation in the matrix leads to its chart.
    for (const cell of lvsaPage.hasCharts ? document.querySelectorAll("[data-pair]") : []) {
      const [d, f] = cell.dataset.pair.split(",");
      const button = make("button", { type: "button", class: "cell", textContent: cell.textContent, title: `${data.dimensions[d]} against ${data.figures[f]}` });
      button.addEventListener("click", () => {
        byId("y").value = d;
        byId("x").value = f;
        show();
        say(`${data.dimensions[d]} against ${data.figures[f]}: ${byId("count").textContent}`);
        byId("chart-heading").scrollIntoView();
      });
      cell.replaceChildren(button);
    }
    show();
    document.documentElement.dataset.ready = "yes";
  };
  unpackJson(holder).then(start).catch((error) => {
    byId("count").textContent = "This browser cannot unpack the chart's data; the tables have them.";
    console.error(error);
  });
})();
)js";

}  // namespace

std::string_view html_quality_script() { return kScript; }

}  // namespace lvsa::analysis
