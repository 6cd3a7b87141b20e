// The second half of the script of a dump's page: the chosen head, filters, chart and table.

#include "analysis/report/html_dump.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::string_view kChosen = R"js(
  // The chosen head: its map, figures, profile and token maps.
  const lines = (canvas) => {
    if (!hasCharts) return { update() {} };
    let chart = null, data = null;
    const draw = () => {
      if (!data) return;
      const axis = (title, more) => ({ title: { display: true, text: title, color: colour("ink") }, ticks: { color: colour("soft"), maxRotation: 0, autoSkipPadding: 12 }, grid: { color: colour("line") }, ...more });
      const floor = 1e-6;
      const config = {
        type: "line",
        data: { labels: data.map((value, distance) => distance), datasets: [
          { label: "mass of one frame at that distance", data: data.map((value) => Math.max(value, floor)), borderColor: colour("point-1"), backgroundColor: colour("point-1"), pointRadius: T > 60 ? 0 : 2.5, borderWidth: 2 },
          { label: "even attention", data: data.map(() => P / index.keys), borderColor: colour("soft"), borderDash: [6, 4], pointRadius: 0, borderWidth: 1.5 }] },
        options: {
          animation: false, responsive: true, maintainAspectRatio: false, devicePixelRatio: Math.max(2, window.devicePixelRatio || 1),
          scales: { x: axis("distance of query and key frame"), y: axis("mass, mean", { type: "logarithmic", max: 1, ticks: { color: colour("soft"), callback: (value) => /^1e/.test(Number(value).toExponential()) ? power(value) : "" } }) },
          plugins: { legend: { position: "bottom", labels: { color: colour("ink"), boxHeight: 2 } }, tooltip: { callbacks: { title: (items) => `distance ${items[0].label}`, label: (item) => `${item.dataset.label}: ${number(item.raw)}` } } },
        },
      };
      if (chart) chart.destroy();
      chart = new Chart(canvas, config);
    };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    return { update(next) { data = next; draw(); } };
  };
  const profile = lines(byId("profile"));
  const profileOf = (at) => {
    const values = massesOf(at), sums = new Array(T).fill(0), counts = new Array(T).fill(0);
    for (let f = 0; f < T; ++f) {
      for (let k = 0; k < T; ++k) { sums[Math.abs(f - k)] += values[f * T + k]; ++counts[Math.abs(f - k)]; }
    }
    return sums.map((sum, distance) => sum / counts[distance]);
  };
  const drawTokens = () => {
    const places = index.places;
    byId("tokens-panel").hidden = places.length === 0;
    if (places.length === 0) return;
    const which = Number(byId("place").value), size = T * P;
    const one = state.chosen * places.length + which;
    const map = levels.subarray(one * size, (one + 1) * size);
    const [low, high, ...sums] = maps[one];
    const [frame, y, x] = places[which];
    byId("tokens-heading").textContent = `Where query row ${frame}:${y}:${x} looks: weights from ${power(low)} (dark) to ${power(high)} (bright), logarithmic`;
    byId("tokens").replaceChildren(...[...Array(T).keys()].map((f) => {
      const part = map.subarray(f * P, (f + 1) * P);
      const kept = maskOf(state.chosen)[frame][f] !== ".";
      const canvas = document.createElement("canvas"), cell = Math.max(2, Math.floor(280 / index.width));
      canvas.width = index.width * cell;
      canvas.height = index.height * cell;
      const context = canvas.getContext("2d");
      context.imageSmoothingEnabled = false;
      context.drawImage(field(index.width, index.height, (i) => index.colours[part[i]]), 0, 0, canvas.width, canvas.height);
      if (f === frame) {
        context.lineWidth = 2;
        context.strokeStyle = "#181828";
        context.strokeRect(x * cell - 3, y * cell - 3, cell + 6, cell + 6);
        context.strokeStyle = "#ffffff";
        context.strokeRect(x * cell - 1, y * cell - 1, cell + 2, cell + 2);
      }
      const text = `frame ${f}: ${number(sums[f])}${kept ? "" : ", not attended"}`;
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", text);
      return make("figure", { class: kept ? "kept-frame" : "" }, canvas, make("figcaption", {}, text));
    }));
  };
  const drawChosen = () => {
    const at = state.chosen, head = heads[at];
    byId("chosen-heading").textContent = `Chosen: ${nameOf(at)}, ${head.kind}`;
    const canvas = byId("large");
    drawMap(canvas, at, Math.max(260, canvas.parentElement.clientWidth), true);
    const rows = kNames.map((name, i) => [name, number(head.values[i], 4)]);
    if (head.said) rows.unshift(["class in the source", head.said]);
    byId("facts").replaceChildren(...rows.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
    profile.update(profileOf(at));
    drawTokens();
    for (const row of document.querySelectorAll("#table tbody tr")) row.classList.toggle("chosen", Number(row.dataset.at) === at);
    for (const card of document.querySelectorAll(".card")) card.classList.toggle("chosen-card", Number(card.dataset.at) === at);
    tell();
  };
  const choose = (at, move) => {
    state.chosen = at;
    drawChosen();
    say(`Chosen: ${nameOf(at)}`);
    if (move) byId("chosen-heading").scrollIntoView({ block: "start" });
  };
)js";

constexpr std::string_view kControls = R"js(
  // Filters and the cards that they leave.
  const kMostCards = 120;
  const wantedHeads = () => {
    const text = byId("heads").value.trim();
    if (!text) return () => true;
    const ranges = text.split(/[\s,]+/).map((word) => /^(\d+)(?:[-:](\d+))?$/.exec(word)).filter(Boolean);
    return (head) => ranges.some(([, first, last]) => head >= Number(first) && head <= Number(last ?? first));
  };
  const fitting = () => {
    const wanted = wantedHeads();
    const chosenKinds = new Set([...byId("classes").querySelectorAll("input:checked")].map((box) => box.value));
    return heads.map((head, at) => at).filter((at) => {
      const head = heads[at];
      return (state.layer === null || head.layer === state.layer) && head.step === steps[state.step] &&
        head.batch === state.batch && chosenKinds.has(head.kind) && wanted(head.head);
    });
  };
  const redraw = () => {
    const found = fitting(), shown = found.slice(0, kMostCards);
    const mean = found.reduce((sum, at) => sum + heads[at].values[0], 0) / found.length;
    byId("count").textContent = found.length === 0 ? "0 heads" :
      `${found.length} head${found.length === 1 ? "" : "s"}, mean recall ${number(mean, 4)}${found.length > shown.length ? `; the first ${kMostCards} are shown` : ""}`;
    byId("none").hidden = found.length > 0;
    byId("cards").replaceChildren(...shown.map((at) => {
      const head = heads[at];
      const canvas = make("canvas", { role: "img", "aria-label": `Map of ${nameOf(at)}` });
      const title = state.layer === null ? `layer ${unknown(head.layer)} head ${head.head}` : `head ${head.head}`;
      const button = make("button", { type: "button" }, make("span", { class: "name" }, title), make("span", { class: "kept" }, `recall ${number(head.values[0], 3)}`), make("span", { class: "kind" }, head.kind));
      button.setAttribute("aria-label", `${nameOf(at)}, ${head.kind}, recall ${number(head.values[0], 4)}: choose`);
      button.addEventListener("click", () => choose(at, true));
      canvas.addEventListener("click", () => choose(at, true));
      const card = make("div", { class: "card" }, button, canvas);
      card.dataset.at = at;
      drawMap(canvas, at, 240, false);
      hover(canvas);
      return card;
    }));
    drawBar();
    const same = found.find((at) => heads[at].head === heads[state.chosen].head && heads[at].layer === heads[state.chosen].layer);
    if (found.length && !found.includes(state.chosen)) state.chosen = same ?? found[0];
    drawChosen();
  };
  const drawBar = () => {
    const scale = scaleOf(), bar = byId("bar");
    bar.getContext("2d").drawImage(field(240, 1, (i) => index.colours[i]), 0, 0, 240, 12);
    const ticks = scale.log ? [1e-4, 1e-3, 1e-2, 0.1, 1] : [0, 0.2, 0.4, 0.6, 0.8, 1];
    byId("bar-text").replaceChildren(...ticks.map((tick) => make("span", { style: `left:${1 + placeOf(scale, tick) * 239}px` }, power(tick))));
  };

  const option = (value, text) => make("option", { value }, text);
  byId("layer").append(...layers.map((layer) => option(layer, unknown(layer))), ...(layers.length > 1 ? [option("all", "all")] : []));
  byId("batch").append(...batches.map((batch) => option(batch, batch)));
  byId("batch-label").hidden = batches.length < 2;
  byId("step").max = steps.length - 1;
  byId("step").value = 0;
  byId("step-label").hidden = steps.length < 2;
  byId("place").append(...index.places.map((place, i) => option(i, place.join(":"))));
  byId("classes").append(...kinds.filter((kind) => heads.some((head) => head.kind === kind)).map((kind) =>
    make("label", { class: "choice" }, make("input", { type: "checkbox", value: kind, checked: true }), kind)));
  const read = () => {
    state.layer = byId("layer").value === "all" ? null : Number(byId("layer").value);
    state.batch = Number(byId("batch").value);
    state.step = Number(byId("step").value);
    byId("step-text").textContent = unknown(steps[state.step]);
    redraw();
  };
  byId("controls").addEventListener("input", read);
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("place").addEventListener("input", drawTokens);
  let playing = 0;
  byId("play").addEventListener("click", () => {
    clearInterval(playing);
    playing = playing ? 0 : setInterval(() => { byId("step").value = (state.step + 1) % steps.length; read(); }, 700);
    byId("play").textContent = playing ? "Stop" : "Play";
  });
  hover(byId("large"));
  byId("large").addEventListener("keydown", (event) => {
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!move) return;
    event.preventDefault();
    state.cell = state.cell.map((value, i) => Math.min(T - 1, Math.max(0, value + move[i])));
    tell();
    say(byId("readout").textContent);
  });

  // All heads as points: recall against another figure.
  const chart = scatter(byId("heads-chart"));
  byId("across").append(...kNames.map((name, i) => option(i, name)).filter((one, i) => i !== 0));
  byId("across").value = "2";
  const drawHeads = () => {
    const x = Number(byId("across").value);
    const groups = kinds.map((kind, i) => ({
      label: kind, shape: ["circle", "triangle", "rect", "rectRot", "crossRot"][i], colour: () => colour(`point-${i + 1}`),
      points: heads.map((head, at) => ({ x: head.values[x], y: head.values[0], at })).filter((point) => heads[point.at].kind === kind),
    })).filter((group) => group.points.length);
    chart.update({ x: { title: kNames[x], log: false }, y: { title: "recall", log: false }, groups, line: [], marks: [], legend: "",
      tip: (at) => [nameOf(at), [`${heads[at].kind}, recall ${number(heads[at].values[0], 4)}`, `${kNames[x]} ${number(heads[at].values[x], 4)}`]],
      pick: (at) => choose(at, true) });
  };
  byId("across").addEventListener("input", drawHeads);

  // The table: sorting by its heads, a row chooses its head.
  const body = document.querySelector("#table tbody");
  for (const cell of document.querySelectorAll("#table thead th")) {
    const button = make("button", { type: "button" }, cell.textContent);
    cell.replaceChildren(button);
    cell.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const up = cell.getAttribute("aria-sort") !== "ascending";
      for (const other of document.querySelectorAll("#table thead th")) other.setAttribute("aria-sort", "none");
      cell.setAttribute("aria-sort", up ? "ascending" : "descending");
      const value = (row) => { const text = row.cells[cell.cellIndex].textContent; return Number.isNaN(Number(text)) ? text : Number(text); };
      const compare = (a, b) => typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en");
      body.append(...[...body.rows].sort((a, b) => (up ? 1 : -1) * compare(value(a), value(b))));
      say(`Sorted by ${button.textContent}, ${up ? "ascending" : "descending"}`);
    });
  }
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (row) choose(Number(row.dataset.at), true);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawChosen);
  let resizing = 0;
  addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(drawChosen, 100); });
  read();
  drawHeads();
  document.documentElement.dataset.ready = "yes";
})().catch((error) => {
  lvsaPage.byId("count").textContent = "This browser cannot unpack the maps; dump.h5 holds them all.";
  console.error(error);
});
)js";

}  // namespace

std::string_view html_dump_controls() {
  static const std::string script = std::string(kChosen) + std::string(kControls);
  return script;
}

}  // namespace lvsa::analysis
