#include "analysis/report/html_dump.hpp"

namespace lvsa::analysis {
namespace {

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
    canvas.width = left + cell * T + (axes ? Math.round(10 * ratio) : 0);  // half a number of the last frame
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

}  // namespace

std::string_view html_dump_script() {
  // In parts, since compilers limit the length of a literal.
  static const std::string script =
      std::string(kData) + std::string(kMaps) + std::string(html_dump_controls());
  return script;
}

}  // namespace lvsa::analysis
