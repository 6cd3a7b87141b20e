// Runs inside the page of a sweep, or of video quality, in a headless browser (sweep_page.sh puts it
// there): uses the page as a reader would and leaves a line a check at the end of the body.
(() => {
  "use strict";
  const { lines, check, equal, all, byId, sleep, until, contrast } = pageChecks();
  const choose = async (id, value) => {
    byId(id).value = value;
    byId(id).dispatchEvent(new Event("input", { bubbles: true }));
    await sleep(300);
  };
  const chartOf = () => Chart.getChart(byId("chart"));
  const drawn = () => chartOf().data.datasets.flatMap((set) => set.data).filter((point) => point.at !== undefined);
  // Pixels of the canvas that are not empty, by the colours there are.
  const colours = () => {
    const canvas = byId("chart");
    const copy = document.createElement("canvas");
    Object.assign(copy, { width: canvas.width, height: canvas.height });
    const context = copy.getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200) seen.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
    return seen.size;
  };

  const sweep = async (due) => {
    check("the count is told", byId("count").textContent.startsWith(`${due.settings} of ${due.settings} settings, ${due.samples} of ${due.samples} samples`), byId("count").textContent);
    equal("points", drawn().length, due.settings);
    check("the chart is drawn", colours() > 10, colours());
    equal("the static drawing is put away", all(".static-chart").filter((one) => one.checkVisibility()).length, 0);
    equal("rows of the front", all("#front-body tr").length, due.front);
    equal("the knee is marked", all("#front-body .tag.knee").length, due.knee ? 1 : 0);
    equal("rows of the table", all("#settings-body tr").length, Math.min(50, due.settings));

    // Two other figures.
    await choose("x", "speedup");
    await choose("y", "recall");
    equal("title of x", chartOf().options.scales.x.title.text.startsWith("expected speedup"), true);
    const line = chartOf().data.datasets.find((set) => set.label === "front").data;
    check("the front of recall falls with the speedup", line.every((point, i) => i === 0 || (point.x < line[i - 1].x && point.y > line[i - 1].y)), JSON.stringify(line));
    await choose("bound", String(due.recall));
    check("a bound finds its best", byId("count").textContent.includes("fastest within the bound: W="), byId("count").textContent);
    await choose("bound", "1.5");
    check("a bound that nothing keeps is told", byId("count").textContent.includes("none keeps the bound"), byId("count").textContent);
    byId("reset-controls").click();
    await sleep(300);
    equal("reset", byId("x").value, "density");

    // Filters: of settings, of samples.
    const box = all("[name=W]")[0];
    box.checked = false;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    await sleep(300);
    equal("points without one window", drawn().length, due.settings - due.window);
    byId("reset-controls").click();
    await sleep(300);
    const before = drawn().map((point) => point.y);
    await choose("part-head", "1");
    check("samples are filtered", byId("count").textContent.includes(`${due.samples / 2} of ${due.samples} samples`), byId("count").textContent);
    check("and the figures are theirs", drawn().some((point, i) => Math.abs(point.y - before[i]) > 1e-6), "all as before");
    await choose("part-head", "");

    // Sorting.
    const head = () => all("#settings-head th").find((one) => one.textContent.startsWith("expected speedup"));
    head().querySelector("button").click();
    const column = () => all("#settings-head th").indexOf(head());
    const speeds = () => all("#settings-body tr").map((row) => Number(row.cells[column()].textContent));
    check("sorted by speedup", speeds().every((value, i) => i === 0 || value <= speeds()[i - 1]), speeds());
    equal("aria-sort", head().getAttribute("aria-sort"), "descending");

    // Choosing: from a table, with the arrow keys, by a click on a point.
    all("#front-body button")[0].click();
    await until(() => byId("chosen-body").querySelector("code"));
    check("the chosen setting has its words", byId("chosen-body").querySelector("code").textContent.startsWith("W="), byId("chosen-body").textContent.slice(0, 80));
    equal("metrics of it", all("#chosen-body .plain tbody")[0].rows.length, 13);
    check("loss by layer and head", all("#chosen-body .heat td").length >= 2, "no table");
    check("it is told", byId("live").textContent.startsWith("Chosen: W="), byId("live").textContent);
    const words = byId("chosen-body").querySelector("code").textContent;
    byId("chart").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, cancelable: true }));
    await until(() => byId("chosen-body").querySelector("code").textContent !== words);
    check("the arrow keys walk along the front", byId("chosen-body").querySelector("code").textContent !== words, words);
    const set = chartOf().data.datasets.findIndex((one) => one.data.some((point) => point.at !== undefined));
    const at = chartOf().data.datasets[set].data[0].at;
    const send = (name) => {
      const element = chartOf().getDatasetMeta(set).data[0];
      const place = byId("chart").getBoundingClientRect();
      byId("chart").dispatchEvent(new MouseEvent(name, { bubbles: true, clientX: place.left + element.x, clientY: place.top + element.y }));
    };
    byId("chart").scrollIntoView();
    await sleep(300);
    for (let i = 0; i < 10 && !chartOf().tooltip.title?.length; ++i) { send("mousemove"); await sleep(100); }
    const tip = chartOf().tooltip;
    check("pointing shows figures", tip.title?.[0]?.length > 0 && tip.afterBody.length > 2, JSON.stringify(tip.title));
    // Of settings at the same place any may be chosen.
    const chosenAt = () => drawn().find((point) => chartOf().lvsaSpec.words(point.at) === byId("chosen-body").querySelector("code").textContent);
    const duePoint = drawn().find((point) => point.at === at);
    const hit = () => Math.abs(chosenAt().x - duePoint.x) < 1e-9 && Math.abs(chosenAt().y - duePoint.y) < 1e-9;
    for (let i = 0; i < 10 && !hit(); ++i) { send("click"); await sleep(200); }
    check("a click chooses", hit(), byId("chosen-body").querySelector("code").textContent);
  };

  const quality = async (due) => {
    check("figures of the pair", byId("count").textContent.startsWith("rho "), byId("count").textContent);
    check("the chart is drawn", colours() > 10, colours());
    equal("points", drawn().length, due.settings);
    const cell = all("[data-pair] button");
    equal("correlations", cell.length, due.pairs);
    cell[cell.length - 1].click();
    await sleep(200);
    check("a correlation leads to its chart", byId("y").value !== "0" && byId("live").textContent.includes("against"), byId("y").value);
  };

  const nameOf = (element) => element.getAttribute("aria-label") || element.textContent.trim() ||
    element.labels?.[0]?.textContent.trim() || "";
  const structure = () => {
    const ids = all("[id]").map((element) => element.id);
    const twice = ids.filter((id, i) => ids.indexOf(id) !== i);
    check("ids are unique", twice.length === 0, twice);
    for (const landmark of ["header", "main", "footer", "h1"]) equal(`one ${landmark}`, all(landmark).length, 1);
    let level = 0;
    const jumps = all("h1, h2, h3, h4").filter((head) => {
      const next = Number(head.localName[1]);
      const jump = next > level + 1;
      level = next;
      return jump;
    });
    check("no level of headings is left out", jumps.length === 0, jumps.map((head) => head.textContent));
    const nameless = all("button, select, input, a[href], canvas").filter((one) => !nameOf(one));
    check("all controls have names", nameless.length === 0, nameless.map((one) => one.outerHTML));
    check("header cells have a scope", all("th").every((head) => head.scope), "one has none");
    const lost = all("[aria-labelledby]").filter((one) => !byId(one.getAttribute("aria-labelledby")));
    check("labels are there", lost.length === 0, lost.map((one) => one.outerHTML.slice(0, 80)));
    const wide = document.documentElement.scrollWidth - innerWidth;
    check("no sideways scrolling of the page", wide <= 0, `${wide} pixels too wide at ${innerWidth}`);
  };

  const run = async () => {
    const due = window.checkDue;
    check("the page gets ready", await until(() => document.documentElement.dataset.ready === "yes"), byId("count").textContent);
    try {
      await (due.kind === "sweep" ? sweep(due) : quality(due));
      structure();
      contrast("svg, select");
    } catch (error) {
      lines.push(`FAIL the checks themselves: ${error.stack}`);
    }
    check("no errors", window.checkErrors.length === 0, window.checkErrors);
    lines.push(`theme ${matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"}, width ${innerWidth}`);
    lines.push(`done ${lines.length}`);
    const results = document.createElement("pre");
    results.id = "check-results";
    results.textContent = `\n${lines.join("\n")}\n`;
    document.body.append(results);
  };
  run();
})();
