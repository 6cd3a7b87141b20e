#include "analysis/report/html_sweep_data.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::string_view kScript = R"js(
(() => {
  "use strict";
  const { byId, say, make, unpackJson, unpackFloats, number, groupColour, groupShape, scatter, front, copyText } = lvsaPage;
  const holder = byId("sweep-data");
  if (!holder) return;
  // Pooled as the least or the greatest of the samples, as the figures of the sweep are.
  const kLeast = ["cosine_min", "recall_min"], kGreatest = ["lse_shift_max"];
  const kPerPage = 50;

  const start = (data) => {
    const { words, axes, columns, samples } = data;
    const settings = words.length;
    const column = (key) => columns.find((one) => one.key === key);
    const metrics = columns.filter((one) => one.metric >= 0);
    for (const one of columns) one.values = one.values.map((value) => value === null ? NaN : Number(value));
    // The words that tell the settings apart.
    const short = words.map((text, at) => axes.map((axis) => `${axis.name}=${axis.values[axis.index[at]]}`).filter((word) => !word.endsWith("=-")).join(" ") || text);
    const titleOf = (one) => one.unit ? `${one.title} (${one.unit})` : one.title;
    const arrow = { 1: ", higher is better", "-1": ", lower is better", 0: "" };
    const state = { x: data.x, y: data.y, chosen: data.best, page: 0, sort: null };
    if (!column(state.y)) state.y = "speedup";

    // Values of single samples are unpacked when somebody asks for them: [settings * samples].
    const unpacked = new Map();
    const valuesOf = (metric) => {
      if (!unpacked.has(metric)) unpacked.set(metric, unpackFloats(byId(`values-${metric}`)));
      return unpacked.get(metric);
    };
    const isKept = (one) => data.kept.includes(one.metric);
    const pool = (key, values, at, chosen) => {
      let sum = 0, count = 0, least = Infinity, greatest = -Infinity;
      for (const sample of chosen) {
        const value = values[at * samples.length + sample];
        if (Number.isNaN(value)) continue;
        sum += value; ++count;
        if (value < least) least = value;
        if (value > greatest) greatest = value;
      }
      if (!count) return NaN;
      return kLeast.includes(key) ? least : kGreatest.includes(key) ? greatest : sum / count;
    };

    // Controls
    const form = byId("controls");
    const fill = (select, options, value) => {
      select.replaceChildren(...options.map(([key, text]) => make("option", { value: key, textContent: text })));
      select.value = value;
    };
    const columnOptions = columns.map((one) => [one.key, titleOf(one)]);
    fill(byId("x"), columnOptions, state.x);
    fill(byId("y"), columnOptions, state.y);
    fill(byId("colour"), [...axes.map((axis) => [axis.name, axis.title]), ["", "one colour"]], axes.length ? axes[0].name : "");
    const parts = [["layer", "Layer"], ["step", "Denoising step"], ["batch", "Batch"], ["head", "Head"], ["class", "Class of head"]]
      .map(([name, title]) => ({ name, title, values: [...new Set(samples.map((one) => one[name]))].sort((a, b) => typeof a === "number" ? a - b : a.localeCompare(b)) }))
      .filter((part) => part.values.length > 1);
    for (const part of parts) {
      const select = make("select", { id: `part-${part.name}` });
      fill(select, [["", "all"], ...part.values.map((value) => [String(value), value === -1 ? "not known" : String(value)])], "");
      byId("parts").append(make("label", {}, make("span", { class: "label", textContent: part.title }), select));
    }
    byId("parts").hidden = parts.length === 0;
    for (const axis of axes) {
      const set = make("fieldset", {}, make("legend", { textContent: axis.title }));
      axis.values.forEach((value, at) => set.append(make("label", { class: "choice" },
        make("input", { type: "checkbox", defaultChecked: true, name: axis.name, value: String(at) }), value)));
      byId("axes").append(set);
    }
    byId("axis-filters").hidden = axes.length === 0;

    const chosenSamples = () => {
      const wanted = parts.map((part) => [part.name, byId(`part-${part.name}`).value]).filter(([, value]) => value !== "");
      if (!wanted.length) return null;
      return samples.map((one, at) => at).filter((at) => wanted.every(([name, value]) => String(samples[at][name]) === value));
    };
    const shownSettings = () => {
      const allowed = axes.map((axis) => new Set([...form.querySelectorAll(`[name="${axis.name}"]:checked`)].map((box) => Number(box.value))));
      return words.map((word, at) => at).filter((at) => axes.every((axis, k) => allowed[k].has(axis.index[at])));
    };
    // A column's values over the chosen samples; those of a metric that is not kept stay pooled.
    const valuesFor = async (key, chosen) => {
      const one = column(key);
      if (!chosen || one.metric < 0 || !isKept(one)) return one.values;
      const values = await valuesOf(one.metric);
      return words.map((word, at) => pool(key, values, at, chosen));
    };

    const chart = scatter(byId("chart"));
    let view = null;  // what is shown: indices, x, y, front, knee, best
    // The point of the front that is farthest below the line between its ends, both axes scaled to
    // the front's extent.
    const kneeOf = (line, x, y) => {
      const finite = line.filter((i) => Number.isFinite(y[i]));
      if (finite.length < 3) return null;
      const [a, b] = [finite[0], finite[finite.length - 1]];
      let knee = null, most = 0;
      for (const i of finite) {
        const below = 1 - (x[i] - x[a]) / (x[b] - x[a]) - (y[i] - y[b]) / (y[a] - y[b]);
        if (below > most) { most = below; knee = i; }
      }
      return knee;
    };
    const fastest = (indices, y, better, bound) => {
      const speed = column("speedup").values, density = column("density").values;
      let best = null;
      for (const i of indices) {
        if (!(better >= 0 ? y[i] >= bound : y[i] <= bound)) continue;
        if (best === null || speed[i] > speed[best] || (speed[i] === speed[best] &&
            (density[i] < density[best] || (density[i] === density[best] && better * (y[i] - y[best]) > 0)))) best = i;
      }
      return best;
    };

    const describe = (at) => [
      `token density ${number(column("density").values[at])}, expected speedup ${number(column("speedup").values[at])}x`,
      `union coverage ${number(column("coverage").values[at])}, interval ${number(column("interval").values[at])}`,
    ];
    const draw = () => {
      const { x, y, indices, cx, cy, log } = view;
      const axis = axes.find((one) => one.name === byId("colour").value);
      const drawable = indices.filter((i) => Number.isFinite(x[i]) && Number.isFinite(y[i]) && (!log.x || x[i] > 0) && (!log.y || y[i] > 0));
      view.undrawn = indices.length - drawable.length;
      const groups = axis ? axis.values.map((value, at) => ({ label: value, at, points: [] })) : [{ label: "settings", at: 0, points: [] }];
      for (const i of drawable) groups[axis ? axis.index[i] : 0].points.push({ x: x[i], y: y[i], at: i });
      const ordered = Boolean(axis) && axis.values.length > 2;
      const point = (at, text, colour, radius) => ({ x: x[at], y: y[at], text, colour, radius });
      const named = new Map();
      for (const [at, name, colour, radius] of [[view.knee, "knee", "accent", 9], [view.best, "best", "pass", 9], [state.chosen, "chosen", "ink", 13]]) {
        if (at === null || !indices.includes(at)) continue;
        if (named.has(at)) named.get(at).text += `, ${name}`;
        else named.set(at, point(at, name, colour, radius));
      }
      const marks = [...named.values()];
      chart.update({
        x: { title: titleOf(cx) + arrow[cx.better], log: log.x }, y: { title: titleOf(cy) + arrow[cy.better], log: log.y },
        groups: groups.filter((group) => group.points.length).map((group) => ({
          label: group.label, points: group.points, shape: groupShape(ordered && axis.values.length > 7 ? 0 : group.at),
          colour: () => groupColour(group.at, axis ? axis.values.length : 1, ordered) })),
        legend: axis ? axis.title : "", line: view.front.filter((i) => drawable.includes(i)).map((i) => ({ x: x[i], y: y[i] })), lineLabel: "front",
        marks, limit: view.bound,
        tip: (at) => [short[at], [`${cx.title} ${number(x[at], 4)}`, `${cy.title} ${number(y[at], 4)}`, ...describe(at), "click to choose"]],
        pick: (at) => choose(at), words: (at) => words[at],
      });
    };

    // Tables
    const tagsOf = (at) => [["best", view.best], ["knee", view.knee]].filter(([, which]) => which === at)
      .map(([name]) => make("span", { class: `tag ${name}`, textContent: name }));
    const shownColumns = () => [...new Set(["density", "speedup", state.x, state.y, "recall", "rel_l2", "cosine", "psnr", "coverage"])]
      .map(column).filter(Boolean);
    const cellsOf = (at, list) => list.map((one) => {
      const values = one.key === state.x ? view.x : one.key === state.y ? view.y : view.extra.get(one.key) || one.values;
      return make("td", { class: "n", textContent: number(values[at], 4) });
    });
    const rowOf = (at, list) => {
      const button = make("button", { type: "button", class: "link mono", textContent: short[at], title: words[at] });
      button.addEventListener("click", () => choose(at, true));
      return make("tr", { class: at === state.chosen ? "chosen" : "" }, make("th", { scope: "row" }, button, ...tagsOf(at)), ...cellsOf(at, list));
    };
    const headOf = (list, sortable) => make("tr", {}, make("th", { scope: "col", textContent: "Setting" }), ...list.map((one) => {
      const head = make("th", { scope: "col", class: "n", title: titleOf(one) + arrow[one.better] });
      if (!sortable) { head.textContent = titleOf(one); return head; }
      head.setAttribute("aria-sort", state.sort && state.sort.key === one.key ? (state.sort.up ? "ascending" : "descending") : "none");
      const button = make("button", { type: "button", textContent: titleOf(one) });
      button.addEventListener("click", () => {
        const same = state.sort && state.sort.key === one.key;
        state.sort = same ? { key: one.key, up: !state.sort.up } : { key: one.key, up: one.better < 0 };
        state.page = 0;
        showTable();
        say(`Sorted by ${one.title}, ${state.sort.up ? "ascending" : "descending"}`);
        byId("settings-head").querySelector("[aria-sort=ascending] button, [aria-sort=descending] button").focus();
      });
      head.append(button);
      return head;
    }));
    const showFront = () => {
      const list = shownColumns();
      byId("front-head").replaceChildren(headOf(list, false));
      byId("front-body").replaceChildren(...view.front.map((at) => rowOf(at, list)));
      byId("front-count").textContent = view.front.length
        ? `${view.front.length} of ${view.indices.length} settings: for each, no other is better in one of ${view.cx.title} and ${view.cy.title} and no worse in the other. Of settings with equal figures the first stands for all.`
        : `There is no front of ${view.cx.title} and ${view.cy.title}: one of them has no better direction.`;
    };
    const showTable = () => {
      const list = shownColumns();
      let order = [...view.indices];
      if (state.sort) {
        const one = column(state.sort.key);
        const values = one ? (one.key === state.x ? view.x : one.key === state.y ? view.y : view.extra.get(one.key) || one.values) : null;
        const sign = state.sort.up ? 1 : -1;
        if (values) order.sort((a, b) => Number.isNaN(values[a]) - Number.isNaN(values[b]) || sign * (values[a] - values[b]) || a - b);
      }
      const pages = Math.max(1, Math.ceil(order.length / kPerPage));
      state.page = Math.min(Math.max(0, state.page), pages - 1);
      byId("settings-head").replaceChildren(headOf(list, true));
      byId("settings-body").replaceChildren(...order.slice(state.page * kPerPage, (state.page + 1) * kPerPage).map((at) => rowOf(at, list)));
      byId("page-number").textContent = `Page ${state.page + 1} of ${pages}`;
      byId("page-back").disabled = state.page === 0;
      byId("page-on").disabled = state.page === pages - 1;
      byId("pager").hidden = pages === 1;
    };

    // The chosen setting: its figures, and where it loses what.
    const heatTable = (values, at, one) => {
      const layers = [...new Set(samples.map((sample) => sample.layer))].sort((a, b) => a - b);
      const heads = [...new Set(samples.map((sample) => sample.head))].sort((a, b) => a - b);
      const cell = (layer, head) => pool(one.key, values, at, samples.map((s, i) => i).filter((i) => samples[i].layer === layer && samples[i].head === head));
      const rows = layers.map((layer) => heads.map((head) => cell(layer, head)));
      const all = rows.flat().filter(Number.isFinite);
      const low = Math.min(...all), high = Math.max(...all);
      // Darker is worse.
      const level = (value) => {
        if (high === low || !Number.isFinite(value)) return 1;
        const share = (value - low) / (high - low);
        return 1 + Math.min(3, Math.floor((one.better > 0 ? 1 - share : share) * 4));
      };
      const table = make("table", { class: "heat" });
      table.append(make("thead", {}, make("tr", {}, make("th", { scope: "col", textContent: "layer \\ head" }), ...heads.map((head) => make("th", { scope: "col", textContent: head })))));
      table.append(make("tbody", {}, ...rows.map((row, r) => make("tr", {}, make("th", { scope: "row", textContent: layers[r] < 0 ? "-" : layers[r] }),
        ...row.map((value, c) => make("td", { class: Number.isNaN(value) ? "" : `lv${level(value)}`, textContent: Number.isNaN(value) ? "" : number(value, heads.length > 8 ? 2 : 3),
          title: `layer ${layers[r]}, head ${heads[c]}: ${number(value, 4)}` }))))));
      return table;
    };
    const sampleName = (one) => [["layer", one.layer], ["step", one.step], ["batch", one.batch], ["head", one.head]]
      .filter(([name, value]) => value >= 0 && (name !== "batch" || parts.some((part) => part.name === "batch"))).map((pair) => pair.join(" ")).join(", ");
    const meansBy = (name, title, values, at, one) => {
      const part = parts.find((each) => each.name === name);
      if (!part) return "";
      return make("table", { class: "plain" }, make("caption", { class: "visually-hidden", textContent: `${one.title} by ${title}` }),
        make("thead", {}, make("tr", {}, make("th", { scope: "col", textContent: title }), make("th", { scope: "col", class: "n", textContent: "samples" }), make("th", { scope: "col", class: "n", textContent: titleOf(one) }))),
        make("tbody", {}, ...part.values.map((value) => {
          const which = samples.map((s, i) => i).filter((i) => samples[i][name] === value);
          return make("tr", {}, make("th", { scope: "row", textContent: value === -1 ? "not known" : value }), make("td", { class: "n", textContent: which.length }), make("td", { class: "n", textContent: number(pool(one.key, values, at, which), 4) }));
        })));
    };
    let turn = 0;
    const showChosen = async () => {
      const box = byId("chosen-body");
      const at = state.chosen;
      if (at === null) {
        box.replaceChildren(make("p", { class: "soft", textContent: "None yet: click a point, or a setting in a table." }));
        return;
      }
      const mine = ++turn;
      const figures = columns.filter((one) => one.metric < 0);
      const code = make("code", { textContent: words[at] });
      const copy = make("button", { type: "button", class: "plain copy", textContent: "Copy" });
      copy.addEventListener("click", () => copyText(words[at], copy));
      const facts = make("dl", { class: "facts" });
      for (const one of figures) facts.append(make("dt", { textContent: one.title }), make("dd", { textContent: number(one.values[at], 4) + (one.unit ? ` ${one.unit}` : "") }));
      const rows = [];
      for (const one of metrics) {
        let worst = "", where = "";
        if (isKept(one) && samples.length > 1 && one.better) {
          const values = await valuesOf(one.metric);
          let found = -1;
          for (let i = 0; i < samples.length; ++i) {
            const value = values[at * samples.length + i];
            if (!Number.isNaN(value) && (found < 0 || one.better * (value - values[at * samples.length + found]) < 0)) found = i;
          }
          if (found >= 0) { worst = number(values[at * samples.length + found], 4); where = sampleName(samples[found]); }
        }
        rows.push(make("tr", {}, make("th", { scope: "row", textContent: titleOf(one) }), make("td", { class: "n", textContent: number(one.values[at], 4) }),
          make("td", { class: "n", textContent: worst }), make("td", { class: "soft w", textContent: where })));
      }
      const table = make("table", { class: "plain" }, make("caption", { class: "visually-hidden", textContent: "Metrics of the chosen setting" }),
        make("thead", {}, make("tr", {}, make("th", { scope: "col", textContent: "Metric" }), make("th", { scope: "col", class: "n", textContent: "all samples" }),
          make("th", { scope: "col", class: "n", textContent: "worst sample" }), make("th", { scope: "col", textContent: "which" }))), make("tbody", {}, ...rows));
      const side = make("div");
      const one = column(state.y).metric >= 0 ? column(state.y) : metrics[0];
      if (one && isKept(one) && samples.length > 1) {
        const values = await valuesOf(one.metric);
        side.append(make("h3", { textContent: `${titleOf(one)} by layer and head` }), make("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Loss by layer and head" }, heatTable(values, at, one)),
          make("p", { class: "soft", textContent: one.better ? "Darker is worse. Steps and batches are pooled." : "Darker is more. Steps and batches are pooled." }),
          meansBy("class", "class", values, at, one), meansBy("step", "denoising step", values, at, one));
      } else if (samples.length > 1 && one) {
        side.append(make("p", { class: "soft", textContent: "The values of single samples are not in this page; the files of the sweep have them." }));
      }
      if (mine !== turn) return;
      box.replaceChildren(make("div", { class: "copybox" }, code, copy), make("div", { class: "spread" }, make("div", {}, facts, make("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Metrics of the chosen setting" }, table)), side));
    };
    const choose = (at, scroll) => {
      state.chosen = at;
      draw();
      showFront();
      showTable();
      say(`Chosen: ${words[at]}`);
      showChosen().then(() => { if (scroll) byId("chosen-heading").scrollIntoView({ block: "nearest" }); });
    };

    let refreshTurn = 0;
    const refresh = async () => {
      const mine = ++refreshTurn;
      state.x = byId("x").value;
      state.y = byId("y").value;
      const chosen = chosenSamples();
      const [cx, cy] = [column(state.x), column(state.y)];
      const [x, y] = [await valuesFor(state.x, chosen), await valuesFor(state.y, chosen)];
      const extra = new Map();
      for (const one of shownColumns()) extra.set(one.key, await valuesFor(one.key, chosen));
      if (mine !== refreshTurn) return;
      const indices = shownSettings();
      const positive = (values) => indices.some((i) => values[i] > 0);
      const log = { x: byId("log").checked && cx.log && positive(x), y: byId("log").checked && cy.log && positive(y) };
      view = { indices, x, y, cx, cy, log, extra, chosenSamples: chosen, best: null, knee: null, bound: null };
      view.front = cx.better && cy.better && cx !== cy ? front(indices, x, y, cx.better, cy.better) : [];
      view.knee = kneeOf(view.front, x, y);
      const bound = byId("bound").value;
      byId("bound-name").textContent = cy.better < 0 ? `At most, of ${cy.title}` : `At least, of ${cy.title}`;
      if (bound !== "" && cy.better !== 0) {
        view.bound = Number(bound);
        view.best = fastest(indices, y, cy.better, view.bound);
      } else if (!chosen && data.best !== null && indices.includes(data.best)) {
        view.best = data.best;
      }
      draw();
      const notKept = chosen && [cx, cy].some((one) => one.metric >= 0 && !isKept(one));
      byId("count").textContent = `${indices.length} of ${settings} settings, ${chosen ? chosen.length : samples.length} of ${samples.length} samples` +
        (view.undrawn ? `; ${view.undrawn} without a place in the chart (not finite, or zero on a logarithmic axis)` : "") +
        (chosen && !chosen.length ? "; no sample is all of these" : "") +
        (notKept ? "; values of single samples are not in this page, so all samples are shown" : "") +
        (view.bound !== null ? (view.best === null ? "; none keeps the bound" : `; fastest within the bound: ${words[view.best]}`) : "");
      state.page = 0;
      showFront();
      showTable();
      await showChosen();
    };

    let timer = 0;
    form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(refresh, settings > 2000 ? 150 : 0); });
    form.addEventListener("submit", (event) => event.preventDefault());
    byId("reset-controls").addEventListener("click", (event) => {
      event.preventDefault();
      form.reset();
      byId("x").value = data.x;
      byId("y").value = column(data.y) ? data.y : "speedup";
      byId("colour").selectedIndex = 0;
      refresh();
    });
    byId("page-back").addEventListener("click", () => { --state.page; showTable(); });
    byId("page-on").addEventListener("click", () => { ++state.page; showTable(); });
    // Along the front with the arrow keys.
    byId("chart").addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by || !view.front.length) return;
      event.preventDefault();
      const along = [...view.front].sort((a, b) => view.x[a] - view.x[b]);
      const here = along.indexOf(state.chosen);
      choose(along[here < 0 ? 0 : Math.min(Math.max(here + by, 0), along.length - 1)]);
    });
    refresh().then(() => { document.documentElement.dataset.ready = "yes"; });
  };

  unpackJson(holder).then(start).catch((error) => {
    byId("count").textContent = "This browser cannot unpack the figures; sweep.csv has them all.";
    console.error(error);
  });
})();
)js";

}  // namespace

std::string_view html_sweep_script() { return kScript; }

}  // namespace lvsa::analysis
