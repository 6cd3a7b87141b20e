#include "analysis/report/html_assets.hpp"

namespace lvsa::analysis {
namespace {

// The index knows of each case what filters and sorting need (html_cases.cpp). The rows of a long
// run come packed and are unpacked here; of a short one they stand in the page.
constexpr std::string_view kScript = R"js(
(() => {
  "use strict";
  document.documentElement.classList.add("js");
  const byId = (id) => document.getElementById(id);
  const table = byId("cases");
  if (!table) return;
  const say = (text) => { byId("live").textContent = text; };
  const shown = byId("shown");

  // zlib data as base64 text.
  const unpack = async (element) => {
    const bytes = Uint8Array.from(atob(element.textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  };

  const start = (index) => {
    const cases = index.cases;
    const form = byId("filters");
    const words = cases.map((one) => one.text.toLowerCase());

    // One <tbody> a case: a row, and a row with its details.
    const bodies = new Map();
    const chunks = new Map();
    const symbols = byId("masks");
    const addMask = (id) => {
      if (index.masks[id] && !byId(id)) symbols.insertAdjacentHTML("beforeend", index.masks[id]);
    };
    const bodyOf = (at) => {
      let body = bodies.get(at);
      if (body) return body;
      if (index.rows) {
        const template = document.createElement("template");
        template.innerHTML = `<table>${index.rows[at]}</table>`;
        body = template.content.querySelector("tbody");
      } else {
        body = byId(`case-${cases[at].number}`);
      }
      body.dataset.at = at;
      body.querySelector(".toggle").setAttribute("aria-expanded", "false");
      body.querySelector(".detail").hidden = true;
      bodies.set(at, body);
      return body;
    };
    const detailOf = async (at) => {
      const chunk = Math.floor(at / index.chunk);
      if (!chunks.has(chunk)) chunks.set(chunk, unpack(byId(`details-${chunk}`)));
      return (await chunks.get(chunk))[at % index.chunk];
    };
    const setOpen = async (at, open) => {
      const body = bodyOf(at);
      const row = body.querySelector(".detail");
      body.querySelector(".toggle").setAttribute("aria-expanded", String(open));
      row.hidden = !open;
      const box = row.querySelector(".detail-box");
      if (!open || !index.rows || box.dataset.filled) return;
      box.dataset.filled = "yes";
      row.setAttribute("aria-busy", "true");
      box.innerHTML = await detailOf(at);
      row.removeAttribute("aria-busy");
    };
    const isOpen = (at) => !bodyOf(at).querySelector(".detail").hidden;

    // Filters, and a page of what is left.
    let order = cases.map((one, at) => at);
    let fits = order;
    let page = 0;
    const perPage = () => Number(byId("per-page").value) || Infinity;
    const filter = () => {
      const statuses = new Set([...form.querySelectorAll("[name=status]:checked")].map((box) => box.value));
      const chosen = ["model", "input", "dtype"].map((name) => [name, byId(`filter-${name}`).value]);
      const wanted = byId("filter-text").value.toLowerCase().split(/\s+/).filter(Boolean);
      fits = order.filter((at) => statuses.has(cases[at].status) &&
        chosen.every(([name, value]) => !value || cases[at][name] === value) &&
        wanted.every((word) => words[at].includes(word)));
    };
    const show = () => {
      const size = Math.min(perPage(), Math.max(fits.length, 1));
      const pages = Math.max(1, Math.ceil(fits.length / size));
      page = Math.min(Math.max(page, 0), pages - 1);
      const first = page * size;
      const slice = fits.slice(first, first + size);
      const fragment = document.createDocumentFragment();
      for (const at of slice) {
        if (index.rows) for (const [, id] of index.rows[at].matchAll(/href="#(mask-\d+)"/g)) addMask(id);
        fragment.append(bodyOf(at));
      }
      table.replaceChildren(...[...table.children].filter((child) => child.localName !== "tbody"), fragment);
      const range = pages > 1 ? `, here ${first + 1} to ${first + slice.length}` : "";
      shown.textContent = `Showing ${fits.length} of ${cases.length} cases${range}`;
      byId("none").hidden = fits.length > 0;
      table.parentElement.hidden = fits.length === 0;
      byId("pager").hidden = cases.length <= 50;
      byId("page-back").disabled = page === 0;
      byId("page-on").disabled = page === pages - 1;
      byId("page-number").textContent = `Page ${page + 1} of ${pages}`;
    };
    const refresh = () => { page = 0; filter(); show(); };
    const onPage = () => [...table.tBodies].map((body) => Number(body.dataset.at));

    let timer = 0;
    form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(refresh, cases.length > 500 ? 150 : 0); });
    form.addEventListener("submit", (event) => event.preventDefault());
    byId("reset-filters").addEventListener("click", (event) => { event.preventDefault(); form.reset(); refresh(); });
    byId("open-all").addEventListener("click", () => onPage().forEach((at) => setOpen(at, true)));
    byId("close-all").addEventListener("click", () => onPage().forEach((at) => setOpen(at, false)));
    byId("per-page").addEventListener("change", () => { page = 0; show(); });
    const turn = (by) => { page += by; show(); byId("shown").scrollIntoView(); };
    byId("page-back").addEventListener("click", () => turn(-1));
    byId("page-on").addEventListener("click", () => turn(1));

    // Sorting: up, down, original order. Cases without a value stay last.
    const compare = (a, b) => typeof a === "string" ? a.localeCompare(b, "en") : a - b;
    const sortBy = (column, direction) => {
      order = cases.map((one, at) => at);
      if (direction) {
        const value = (at) => cases[at].values[column];
        order.sort((a, b) => {
          const x = value(a), y = value(b);
          if (x === null || y === null) return (x === null) - (y === null) || a - b;
          return direction * compare(x, y) || a - b;
        });
      }
      refresh();
    };
    for (const button of table.tHead.querySelectorAll("button")) {
      button.addEventListener("click", () => {
        const head = button.parentElement;
        const next = { none: "ascending", ascending: "descending", descending: "none" }[head.getAttribute("aria-sort")];
        for (const other of table.tHead.querySelectorAll("th[aria-sort]")) other.setAttribute("aria-sort", "none");
        head.setAttribute("aria-sort", next);
        sortBy(head.cellIndex, { none: 0, ascending: 1, descending: -1 }[next]);
        say(next === "none" ? "Original order" : `Sorted by ${button.textContent}, ${next}`);
      });
    }

    // From a file some browsers have no clipboard; then the text is selected.
    const copy = async (button) => {
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
    };
    table.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button && button.classList.contains("copy")) return void copy(button);
      const row = event.target.closest("tr.case");
      const control = event.target.closest("a, button, input");
      if (!row || (control && !control.classList.contains("toggle"))) return;
      if (!control && String(getSelection())) return;
      const at = Number(row.parentElement.dataset.at);
      setOpen(at, !isOpen(at));
    });

    // A link to a case opens it, whatever the filters say.
    const follow = async () => {
      const number = /^#case-(\d+)$/.exec(location.hash)?.[1];
      const at = cases.findIndex((one) => String(one.number) === number);
      if (at < 0) return;
      if (!fits.includes(at)) {
        form.reset();
        refresh();
        say("Filters reset to show the case");
      }
      page = Math.floor(fits.indexOf(at) / perPage());
      show();
      await setOpen(at, true);
      bodyOf(at).scrollIntoView();
      bodyOf(at).querySelector(".toggle").focus({ preventScroll: true });
    };
    addEventListener("hashchange", follow);
    refresh();
    table.removeAttribute("aria-busy");
    const failed = fits.slice(0, perPage()).find((at) => ["fail", "error", "crash", "timeout"].includes(cases[at].status));
    if (failed !== undefined) setOpen(failed, true);
    follow();
  };

  const packed = byId("packed-index");
  if (!packed) return start(JSON.parse(byId("index").textContent));
  table.setAttribute("aria-busy", "true");
  shown.textContent = "Unpacking the cases";
  unpack(packed).then(start).catch((error) => {
    shown.textContent = "This browser cannot unpack the cases; report.jsonl holds them all.";
    console.error(error);
  });
})();
)js";

}  // namespace

std::string_view html_script() { return kScript; }

}  // namespace lvsa::analysis
