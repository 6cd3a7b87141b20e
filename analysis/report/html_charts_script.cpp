#include "analysis/report/html_charts.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::string_view kScript = R"js(
const lvsaPage = (() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");
  const hasCharts = typeof Chart === "function";
  if (hasCharts) root.classList.add("charts");
  const byId = (id) => document.getElementById(id);
  const say = (text) => { byId("live").textContent = text; };
  const make = (tag, options = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(options)) {
      if (name === "class") element.className = value;
      else if (name in element) element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };

  // zlib data as base64 text.
  const inflate = async (element) => {
    const bytes = Uint8Array.from(atob(element.textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream);
  };
  const unpackJson = async (element) => JSON.parse(await (await inflate(element)).text());
  // The bytes of the floats stand apart: all first ones, then all second ones.
  const unpackFloats = async (element) => {
    const planes = new Uint8Array(await (await inflate(element)).arrayBuffer());
    const count = planes.length / 4;
    const bytes = new Uint8Array(planes.length);
    for (let k = 0; k < 4; ++k) {
      for (let i = 0; i < count; ++i) bytes[4 * i + k] = planes[k * count + i];
    }
    const view = new DataView(bytes.buffer);
    const values = new Float32Array(count);
    for (let i = 0; i < count; ++i) values[i] = view.getFloat32(4 * i, true);
    return values;
  };

  const number = (value, digits = 3) => {
    if (value === null || value === undefined || Number.isNaN(value)) return "-";
    if (!Number.isFinite(value)) return value > 0 ? "\u221e" : "-\u221e";
    if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(digits - 1);
    return String(Number(value.toPrecision(digits)));
  };

  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const mixed = (a, b, t) => {
    const parts = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
    const [p, q] = [parts(a), parts(b)];
    return `rgb(${p.map((v, i) => Math.round(v + (q[i] - v) * t)).join(",")})`;
  };
  const kShapes = ["circle", "triangle", "rect", "rectRot", "crossRot", "star", "rectRounded"];
  // Ordered values along one ramp, others in colours that the colour-blind tell apart.
  const groupColour = (at, count, ordered) => {
    if (!ordered || count <= 2) return colour(`point-${at % 7 + 1}`);
    const t = at / (count - 1) * 4;
    const low = Math.min(3, Math.floor(t));
    return mixed(colour(`ramp-${low}`), colour(`ramp-${low + 1}`), t - low);
  };
  const groupShape = (at) => kShapes[at % kShapes.length];

  // Names of marked points, beside them and within the chart.
  const marksPlugin = {
    id: "lvsaMarks",
    afterDatasetsDraw(chart) {
      const spec = chart.lvsaSpec;
      if (!spec) return;
      const { ctx, chartArea: area } = chart;
      ctx.save();
      ctx.beginPath();
      ctx.rect(area.left, area.top, area.right - area.left, area.bottom - area.top);
      ctx.font = "600 12px system-ui, 'DejaVu Sans', sans-serif";
      if (spec.limit !== undefined && spec.limit !== null) {
        const y = chart.scales.y.getPixelForValue(spec.limit);
        if (y >= area.top && y <= area.bottom) {
          ctx.strokeStyle = colour("fail");
          ctx.setLineDash([6, 4]);
          ctx.beginPath();
          ctx.moveTo(area.left, y);
          ctx.lineTo(area.right, y);
          ctx.stroke();
          ctx.setLineDash([]);
        }
      }
      const taken = [];
      for (const mark of spec.marks) {
        const x = chart.scales.x.getPixelForValue(mark.x), y = chart.scales.y.getPixelForValue(mark.y);
        if (!(x >= area.left - 1 && x <= area.right + 1 && y >= area.top - 1 && y <= area.bottom + 1)) continue;
        ctx.strokeStyle = colour(mark.colour);
        ctx.lineWidth = 2.5;
        ctx.beginPath();
        ctx.arc(x, y, mark.radius, 0, 2 * Math.PI);
        ctx.stroke();
        const width = ctx.measureText(mark.text).width + 8;
        const left = x + 14 + width > area.right ? x - 14 - width : x + 14;
        let top = y - 24 < area.top ? y + 8 : y - 24;
        while (taken.some((box) => Math.abs(box.top - top) < 18 && left < box.left + box.width && box.left < left + width)) top += 18;
        taken.push({ left, top, width });
        ctx.fillStyle = colour("panel");
        ctx.globalAlpha = 0.88;
        ctx.fillRect(left, top, width, 17);
        ctx.globalAlpha = 1;
        ctx.fillStyle = colour(mark.colour);
        ctx.textBaseline = "middle";
        ctx.fillText(mark.text, left + 4, top + 9);
      }
      ctx.restore();
    },
  };

  // A chart of points. update(spec): x and y {title, log}, groups [{label, colour, shape, points
  // [{x, y, at}]}], line [{x, y}], marks [{x, y, text, colour, radius}], limit, tip(at) -> [title,
  // lines], pick(at). Colours are functions, since the theme may change and paper is white.
  const scatter = (canvas) => {
    if (!hasCharts) return { update() {} };
    let chart = null, spec = null, paper = false;
    const reach = (side) => {
      let low = Infinity, high = -Infinity;
      for (const group of spec.groups) {
        for (const point of group.points) { low = Math.min(low, point[side]); high = Math.max(high, point[side]); }
      }
      if (!(low <= high)) return {};
      // Ends at 1, 2 or 5 times a power of ten, so that the ticks fall on such numbers.
      const nice = (value, up) => {
        const power = 10 ** Math.floor(Math.log10(value));
        const steps = [1, 2, 5, 10].map((step) => step * power);
        return up ? steps.find((step) => step >= value * 1.02) || 20 * power : steps.reverse().find((step) => step <= value * 0.98) || 0.5 * power;
      };
      return spec[side].log ? { min: nice(low, false), max: nice(high, true) } : { grace: "4%", beginAtZero: false };
    };
    const axis = (side) => ({
      ...reach(side),
      afterBuildTicks(scale) {
        if (spec[side].log) scale.ticks = scale.ticks.filter((tick) => /^[125]e/.test(Number(tick.value.toPrecision(8)).toExponential()));
      },
      type: spec[side].log ? "logarithmic" : "linear",
      title: { display: true, text: spec[side].title, color: colour("ink"), font: { size: 13 } },
      ticks: { color: colour("soft"), maxRotation: 0, autoSkipPadding: 14, autoSkip: !spec[side].log, callback(value) {
        return number(value);
      } },
      grid: { color: colour("line"), borderColor: colour("soft"), tickColor: colour("line") },
      border: { color: colour("soft") },
    });
    const datasets = () => {
      const many = spec.groups.reduce((sum, group) => sum + group.points.length, 0) > 2000;
      const sets = spec.groups.map((group) => ({
        label: group.label, data: group.points, pointStyle: group.shape, pointRadius: (many ? 2.5 : 5) * (["triangle", "rectRot"].includes(group.shape) ? 1.3 : 1),
        pointHoverRadius: many ? 6 : 8, pointHitRadius: 4, backgroundColor: group.colour(), borderColor: many ? group.colour() : colour("panel"),
        pointBorderWidth: ["crossRot", "star"].includes(group.shape) ? 2 : 1, order: 2, showLine: false,
        ...(["crossRot", "star"].includes(group.shape) ? { borderColor: group.colour() } : {}),
      }));
      if (spec.line.length) {
        sets.push({ label: spec.lineLabel, data: spec.line, showLine: true, borderColor: colour("ink"), backgroundColor: colour("ink"),
          borderWidth: 1.6, pointRadius: 0, pointHitRadius: 0, pointHoverRadius: 0, pointStyle: "line", order: 1 });
      }
      return sets;
    };
    const draw = () => {
      if (!spec) return;
      const data = { datasets: datasets() };
      const options = {
        animation: false, parsing: false, normalized: true, responsive: !paper, maintainAspectRatio: false,
        devicePixelRatio: Math.max(2, window.devicePixelRatio || 1),
        interaction: { mode: "nearest", intersect: true },
        scales: { x: axis("x"), y: axis("y") },
        plugins: {
          legend: { position: "bottom", labels: { color: colour("ink"), usePointStyle: true, boxHeight: 8, padding: 12 },
            title: { display: Boolean(spec.legend), text: spec.legend, color: colour("soft") } },
          tooltip: {
            backgroundColor: colour("ink"), titleColor: colour("panel"), bodyColor: colour("panel"), displayColors: false, padding: 9,
            filter: (item) => item.raw.at !== undefined, boxPadding: 4,
            callbacks: {
              title: (items) => items.length ? spec.tip(items[0].raw.at)[0] : "",
              label: () => [],
              afterBody: (items) => items.length ? spec.tip(items[0].raw.at)[1].concat(items.length > 1 ? [`and ${items.length - 1} more at this point`] : []) : [],
            },
          },
        },
        onClick: (event, found) => {
          const hit = found.find((one) => chart.data.datasets[one.datasetIndex].data[one.index].at !== undefined);
          if (hit && spec.pick) spec.pick(chart.data.datasets[hit.datasetIndex].data[hit.index].at);
        },
      };
      if (!chart) chart = new Chart(canvas, { type: "scatter", data, options, plugins: [marksPlugin] });
      else { chart.data = data; chart.options = options; }
      chart.lvsaSpec = spec;
      chart.update("none");
    };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    // On paper the chart has a size of its own, which the style then fits to the page.
    addEventListener("beforeprint", () => { paper = true; draw(); if (chart) chart.resize(860, 460); });
    addEventListener("afterprint", () => { paper = false; draw(); if (chart) chart.resize(); });
    return { update(next) { spec = next; draw(); }, chart: () => chart };
  };

  // Best settings for two columns, each with better: 1 (higher) or -1 (lower); none dominates
  // another. Of equal ones the first stays.
  const front = (indices, x, y, betterX, betterY) => {
    const order = indices.filter((i) => Number.isFinite(x[i]) && !Number.isNaN(y[i]));
    const above = (a, b) => a === b ? 0 : a > b ? -1 : 1;
    order.sort((a, b) => above(betterX * x[a], betterX * x[b]) || above(betterY * y[a], betterY * y[b]) || a - b);
    const kept = [];
    for (const i of order) {
      if (!kept.length || betterY * y[i] > betterY * y[kept[kept.length - 1]]) kept.push(i);
    }
    return kept;
  };

  const copyText = async (text, button) => {
    let done = "Copied";
    try { await navigator.clipboard.writeText(text); } catch { done = "Select the text to copy it"; }
    button.textContent = done;
    say(done);
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };

  return { byId, say, make, unpackJson, unpackFloats, number, colour, groupColour, groupShape, scatter, front, copyText, hasCharts };
})();
)js";

}  // namespace

std::string_view html_charts_script() { return kScript; }

}  // namespace lvsa::analysis
