// Runs inside report.html in a headless browser (report_page.sh puts it there): uses the page as a
// reader would, looks at its accessibility, and leaves a line a check at the end of the body.
(() => {
  "use strict";
  const { lines, check, equal, all, byId, sleep, until, contrast } = pageChecks();
  const rows = () => all("#cases tr.case").filter((row) => row.checkVisibility());
  const cells = (title) => {
    const column = all("#cases thead th").findIndex((head) => head.textContent === title);
    return rows().map((row) => row.cells[column].textContent.trim());
  };
  const input = async (element) => {
    element.dispatchEvent(new Event("input", { bubbles: true }));
    await sleep(250);
  };

  const filters = async (due) => {
    equal("rows at the start", rows().length, Math.min(due.cases, 200));
    for (const box of all("[name=status]")) box.checked = box.value === "fail";
    await input(byId("filters"));
    equal("rows of failed cases", rows().length, Math.min(due.fail, 200));
    check("their statuses", cells("Status").every((text) => text === "fail"), cells("Status"));
    check("the count is told", byId("shown").textContent.startsWith(`Showing ${due.fail} of ${due.cases}`), byId("shown").textContent);
    equal("the count is a live region", byId("shown").getAttribute("role"), "status");
    byId("reset-filters").click();
    await sleep(50);
    equal("rows after reset", rows().length, Math.min(due.cases, 200));
    byId("filter-text").value = "no-such-word";
    await input(byId("filter-text"));
    equal("rows without a match", rows().length, 0);
    check("no match is told", byId("none").checkVisibility(), "hidden");
    byId("filter-text").value = due.word;
    await input(byId("filter-text"));
    equal(`rows with the word ${due.word}`, rows().length, Math.min(due.word_cases, 200));
    byId("reset-filters").click();
    await sleep(50);
  };

  const sorting = async () => {
    const button = all("#cases thead button").find((one) => one.textContent === "T");
    button.click();
    button.click();
    const frames = cells("T").map(Number);
    check("sorted by frames, descending", frames.every((n, i) => i === 0 || n <= frames[i - 1]), frames);
    equal("aria-sort", button.parentElement.getAttribute("aria-sort"), "descending");
    check("sorting is told", byId("live").textContent.includes("descending"), byId("live").textContent);
    button.click();
    equal("original order", cells("#")[0].replace(/\D/g, ""), "1");
  };

  const opening = async (due) => {
    const toggle = rows()[0].querySelector(".toggle");
    const detail = () => byId(toggle.getAttribute("aria-controls"));
    if (toggle.getAttribute("aria-expanded") === "true") toggle.click();
    equal("closed", detail().checkVisibility(), false);
    toggle.focus();
    equal("the button takes the focus", document.activeElement, toggle);
    toggle.click();
    await until(() => detail().querySelector("h3"));
    equal("opened", toggle.getAttribute("aria-expanded"), "true");
    check("details are there", detail().checkVisibility() && detail().textContent.includes("lvsa-verify kernel"), "no command");
    location.hash = `#case-${due.cases}`;
    await until(() => document.activeElement.closest(`#case-${due.cases}`));
    equal("a link opens its case", byId(`case-${due.cases}`)?.querySelector(".toggle").getAttribute("aria-expanded"), "true");
    equal("and takes the focus there", document.activeElement.closest("tbody")?.id, `case-${due.cases}`);
    byId("open-all").click();
    await until(() => all("#cases .detail").every((row) => row.querySelector("h3")));
    check("all open", all("#cases .detail").every((row) => row.checkVisibility()), "some are closed");
  };

  const nameOf = (element) => element.getAttribute("aria-label") || element.textContent.trim() ||
    element.labels?.[0]?.textContent.trim() || "";

  const structure = () => {
    const ids = all("[id]").map((element) => element.id);
    const twice = ids.filter((id, i) => ids.indexOf(id) !== i);
    check("ids are unique", twice.length === 0, twice);
    equal("language", document.documentElement.lang, "en");
    for (const landmark of ["header", "main", "footer", "h1"]) equal(`one ${landmark}`, all(landmark).length, 1);
    let level = 0;
    const jumps = all("h1, h2, h3, h4").filter((head) => {
      const next = Number(head.localName[1]);
      const jump = next > level + 1;
      level = next;
      return jump;
    });
    check("no level of headings is left out", jumps.length === 0, jumps.map((head) => head.textContent));
    const nameless = all("button, select, input, a[href]").filter((one) => !nameOf(one) && !one.querySelector("title"));
    check("all controls have names", nameless.length === 0, nameless.map((one) => one.outerHTML));
    const images = all("svg").filter((svg) => !(svg.getAttribute("aria-hidden") === "true" || (svg.getAttribute("role") === "img" && svg.getAttribute("aria-label"))));
    check("all drawings have a text or are hidden", images.length === 0, images.map((svg) => svg.outerHTML.slice(0, 80)));
    check("header cells have a scope", all("th").every((head) => head.scope), "one has none");
    check("no positive tabindex", all("[tabindex]").every((one) => one.tabIndex <= 0), "there is one");
    const lost = all("[aria-controls]").filter((one) => !byId(one.getAttribute("aria-controls")));
    check("what is controlled is there", lost.length === 0, lost.map((one) => one.outerHTML));
    const broken = all("use").map((use) => use.getAttribute("href").slice(1)).filter((id) => !byId(id));
    check("drawings find their symbols", broken.length === 0, [...new Set(broken)]);
    const wide = document.documentElement.scrollWidth - innerWidth;
    check("no sideways scrolling of the page", wide <= 0, `${wide} pixels too wide at ${innerWidth}`);
  };

  const run = async () => {
    const due = window.checkDue;
    check("the cases come", await until(() => byId("shown").textContent.startsWith("Showing")), byId("shown").textContent);
    try {
      await filters(due);
      await sorting();
      await opening(due);
      structure();
      contrast();
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
