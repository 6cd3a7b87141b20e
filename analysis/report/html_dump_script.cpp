#include "analysis/report/html_dump.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::string_view kStyle = R"css(
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(11.5rem, 1fr)); gap: .7rem; }
.card { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: .5rem .6rem .6rem; }
.card.chosen-card { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
.card button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; display: flex; flex-wrap: wrap; gap: 0 .5rem; width: 100%; text-align: left; align-items: baseline; }
.card button:hover .name { color: var(--accent); }
.card .name { font-weight: 600; } .card .kind { color: var(--soft); flex-basis: 100%; font-size: .88rem; line-height: 1.2; } .card .kept { margin-left: auto; font-variant-numeric: tabular-nums; font-size: .88rem; }
.source { margin: .2rem 0; overflow-wrap: anywhere; }
.card canvas, #large { display: block; width: 100%; image-rendering: pixelated; cursor: crosshair; margin-top: .35rem; }
.map-legend { display: flex; flex-wrap: wrap; gap: .3rem 1.6rem; align-items: center; margin-bottom: .7rem; }
.map-legend .legend { margin: 0; }
.bar-box { position: relative; display: inline-block; padding-bottom: 1.15rem; margin: 0 1rem; }
#bar { display: block; border: 1px solid var(--line); }
#bar-text span { position: absolute; top: 15px; transform: translateX(-50%); font-size: .76rem; color: var(--soft); white-space: nowrap; }
.steps { display: inline-flex; gap: .5rem; align-items: center; }
.chosen-panel { display: grid; grid-template-columns: minmax(0, 34rem) minmax(0, 1fr); gap: 1rem 2rem; align-items: start; }
.chosen-panel h3, #tokens-panel h3 { font-size: 1rem; margin: .2rem 0 .4rem; }
.small-chart { position: relative; height: 15rem; }
.charts .no-charts { display: none; }
.tokens { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .5rem; margin-top: .5rem; }
.tokens figure { margin: 0; } .tokens figcaption { font-size: .78rem; color: var(--soft); font-variant-numeric: tabular-nums; }
.tokens .kept-frame figcaption { color: var(--ink); }
.tokens canvas { width: 100%; image-rendering: pixelated; display: block; }
#tip { position: fixed; z-index: 9; pointer-events: none; background: var(--ink); color: var(--panel); border-radius: 5px; padding: .25rem .5rem; font-size: .82rem; white-space: nowrap; }
.static-sheet { max-width: 100%; }
#table tbody tr { cursor: pointer; }
@media (max-width: 60rem) { .chosen-panel { grid-template-columns: minmax(0, 1fr); } }
@media print { #controls { display: none; } .cards { grid-template-columns: repeat(4, 1fr); } .card, .tokens figure { break-inside: avoid; } #readout { display: none; } .chosen-panel { grid-template-columns: 1fr 1fr; } }
)css";

// Names of the values of a head stand in the order of head_json() in html_dump.cpp.
constexpr std::string_view kData = R"js(
(async () => {
  "use strict";
  const { byId, say, make, unpackJson, unpackFloats, number, colour, scatter, hasCharts } = lvsaPage;
  const index = await unpackJson(byId("dump-index"));
  const masses = await unpackFloats(byId("dump-masses"));
  const maps = await unpackJson(byId("dump-maps"));
  const levels = await (async () => {
    const bytes = Uint8Array.from(atob(byId("dump-levels").textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  })();
  const T = index.frames, P = index.tokens;
  const kNames = ["recall", "least recall of a frame", "own frame", "same place", "first frame", "anchor", "anchor frame", "text", "distance (frames)", "entropy (nats)", "spread"];
  const heads = index.heads;
  const massesOf = (at) => masses.subarray(at * T * T, (at + 1) * T * T);
  const maskOf = (at) => index.patterns[heads[at].pattern];
  const kCell = { G: "global", W: "window", X: "global and window", ".": "not attended" };
  // 1e-4 rather than 1.00e-4.
  const power = (value) => value !== 0 && value < 0.005 ? `1e${Math.round(Math.log10(value))}` : number(value);
  const unknown = (value) => value < 0 ? "-" : value;
  const nameOf = (at) => {
    const head = heads[at];
    const parts = [];
    if (head.layer >= 0) parts.push(`layer ${head.layer}`);
    if (head.step >= 0) parts.push(`step ${head.step}`);
    if (batches.length > 1) parts.push(`batch ${head.batch}`);
    parts.push(`head ${head.head}`);
    return parts.join(", ");
  };

  const distinct = (field) => [...new Set(heads.map((head) => head[field]))].sort((a, b) => a - b);
  const layers = distinct("layer"), steps = distinct("step"), batches = distinct("batch");
  const kinds = ["spatial", "temporal", "global", "diffuse", "mixed"];
  const state = { layer: layers[0], step: 0, batch: batches[0], chosen: 0, cell: [0, 0] };

  // Colours of values: the same table as the pictures.
  const scaleOf = () => byId("scale").value === "log" ? { low: 1e-4, high: 1, log: true } : { low: 0, high: 1, log: false };
  const placeOf = (scale, value) => {
    if (!(value > scale.low)) return 0;
    if (value >= scale.high) return 1;
    return scale.log ? Math.log(value / scale.low) / Math.log(scale.high / scale.low) : (value - scale.low) / (scale.high - scale.low);
  };
  const levelOf = (scale, value) => index.colours[Math.min(index.colours.length - 1, Math.round(placeOf(scale, value) * (index.colours.length - 1)))];
  const field = (width, height, colourAt) => {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    for (let i = 0; i < width * height; ++i) {
      const rgb = colourAt(i);
      image.data.set([rgb[0], rgb[1], rgb[2], 255], 4 * i);
    }
    context.putImageData(image, 0, 0);
    return canvas;
  };
)js";

constexpr std::string_view kMaps = R"js(
  // The border of the pattern: light inside, dark outside; marks in the cells where there is room.
  const overlay = (context, at, cell, scale) => {
    const mask = maskOf(at), values = massesOf(at);
    const attended = (f, k) => mask[f][k] !== ".";
    const line = (f, k, x, y, width, height, inside) => {
      context.fillStyle = inside ? "#ffffff" : "#181828";
      context.fillRect(x, y, width, height);
    };
    const w = Math.max(1, Math.round(cell / 12));
    for (let f = 0; f < T; ++f) {
      for (let k = 0; k < T; ++k) {
        const here = attended(f, k), x = k * cell, y = f * cell;
        if (k + 1 < T && attended(f, k + 1) !== here) {
          line(f, k, x + cell - w, y, w, cell, here);
          line(f, k, x + cell, y, w, cell, !here);
        }
        if (f + 1 < T && attended(f + 1, k) !== here) {
          line(f, k, x, y + cell - w, cell, w, here);
          line(f, k, x, y + cell, cell, w, !here);
        }
      }
    }
    if (cell < 12) return;
    for (let f = 0; f < T; ++f) {
      for (let k = 0; k < T; ++k) {
        const what = mask[f][k];
        if (what === ".") continue;
        context.fillStyle = placeOf(scale, values[f * T + k]) > 0.55 ? "#181828" : "#ffffff";
        const x = Math.round((k + 0.5) * cell), y = Math.round((f + 0.5) * cell), reach = Math.round(cell / 5);
        if (what !== "W") context.fillRect(x - w / 2, y - reach, w, 2 * reach);
        if (what !== "G") context.fillRect(x - reach, y - w / 2, 2 * reach, w);
      }
    }
  };
  const drawMap = (canvas, at, pixels, axes) => {
    const scale = scaleOf(), values = massesOf(at);
    const ratio = Math.min(3, Math.max(1, window.devicePixelRatio || 1));
    const left = axes ? Math.round(34 * ratio) : 0, top = axes ? Math.round(20 * ratio) : 0;
    const cell = Math.max(1, Math.floor((pixels * ratio - left) / T));
    canvas.width = left + cell * T;
    canvas.height = top + cell * T;
    canvas.lvsaMap = { at, left, top, cell };
    const context = canvas.getContext("2d");
    context.translate(left, top);
    context.imageSmoothingEnabled = false;
    context.drawImage(field(T, T, (i) => levelOf(scale, values[i])), 0, 0, cell * T, cell * T);
    if (byId("mask").checked && cell >= 4) overlay(context, at, cell, scale);
    if (!axes) return;
    context.fillStyle = colour("soft");
    context.font = `${Math.round(11 * ratio)}px system-ui, 'DejaVu Sans', sans-serif`;
    const room = 26 * ratio;
    const step = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((n) => n * cell >= room) || 1000;
    for (let frame = 0; frame < T; frame += step) {
      const middle = (frame + 0.5) * cell;
      context.textAlign = "center";
      context.textBaseline = "bottom";
      context.fillText(String(frame), middle, -4 * ratio);
      context.textAlign = "right";
      context.textBaseline = "middle";
      context.fillText(String(frame), -5 * ratio, middle);
    }
  };
  const cellText = (at, f, k) => `query frame ${f}, key frame ${k}: mass ${number(massesOf(at)[f * T + k])} (${kCell[maskOf(at)[f][k]]})`;
  const lostOf = (at, f) => {
    const mask = maskOf(at), values = massesOf(at);
    let lost = 0;
    for (let k = 0; k < T; ++k) if (mask[f][k] === ".") lost += values[f * T + k];
    return lost;
  };
  const tip = make("div", { id: "tip", hidden: true });
  document.body.append(tip);
  const hover = (canvas) => {
    canvas.addEventListener("pointermove", (event) => {
      const map = canvas.lvsaMap, box = canvas.getBoundingClientRect();
      const k = Math.floor(((event.clientX - box.left) / box.width * canvas.width - map.left) / map.cell);
      const f = Math.floor(((event.clientY - box.top) / box.height * canvas.height - map.top) / map.cell);
      tip.hidden = !(f >= 0 && f < T && k >= 0 && k < T);
      if (tip.hidden) return;
      tip.textContent = cellText(map.at, f, k);
      const width = tip.offsetWidth;
      tip.style.left = `${Math.min(event.clientX + 14, innerWidth - width - 8)}px`;
      tip.style.top = `${event.clientY + 16 + 30 > innerHeight ? event.clientY - 34 : event.clientY + 16}px`;
      if (canvas.id === "large") { state.cell = [f, k]; tell(); }
    });
    canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
  };
  const tell = () => {
    const [f, k] = state.cell;
    byId("readout").textContent = `${cellText(state.chosen, f, k)}; the pattern loses ${number(lostOf(state.chosen, f))} of query frame ${f}.`;
  };
)js";

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

std::string_view html_dump_style() { return kStyle; }

std::string_view html_dump_script() {
  // In parts, since compilers limit the length of a literal.
  static const std::string script =
      std::string(kData) + std::string(kMaps) + std::string(kChosen) + std::string(kControls);
  return script;
}

}  // namespace lvsa::analysis
