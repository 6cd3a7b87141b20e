// Runs inside the page of a comparison in a headless browser (compare.sh puts it there): uses the page
// as a reader would and leaves a line a check at the end of the body.
(() => {
  "use strict";
  const { lines, check, equal, all, byId, until, contrast } = pageChecks();
  const seen = (selector) => all(selector).filter((one) => one.checkVisibility()).length;
  const choose = (id, value) => {
    byId(id).value = value;
    byId(id).dispatchEvent(new Event("input", { bubbles: true }));
  };
  const run = async () => {
    await until(() => document.documentElement.dataset.ready === "yes");
    equal("errors while loading", checkErrors.length, 0);
    equal("rows of all samples", seen("#compare-body tr"), 5);
    const groups = all(".group").length;
    check("a figure for each class", groups >= 2, groups);
    check("marks in the Pareto figure", seen("#pareto-heading + .panel g path:not(.line)") >= 4, seen("#pareto-heading + .panel g path"));
    equal("patterns without an error are named", all("#pareto-heading + .panel .errorless").filter((one) => one.checkVisibility()).map((one) => one.textContent).join(), "Not in this figure, for an error of 0: dense.");
    check("a front", seen("#pareto-heading + .panel .front") === 1, "none");
    choose("metric", "recall");
    equal("one error is shown at a time", all("#pareto-heading + .panel [data-metric]").filter((one) => one.checkVisibility()).map((one) => one.dataset.metric).join(), "recall");
    const name = byId("class").options[1].value;
    choose("class", name);
    equal("figures of one class", seen(".group"), all(".group").filter((one) => one.dataset.class === name).length);
    equal("and its rows", all("#compare-body tr").filter((one) => one.checkVisibility()).every((one) => one.dataset.class === name), true);
    byId("reset-controls").click();
    equal("reset", seen(".group"), groups);
    const box = all("[name=rule]")[0];
    box.click();
    equal("a pattern taken away", seen("#compare-body tr"), 3);
    equal("from the figures too", all("svg [data-rule='0']").every((one) => getComputedStyle(one).display === "none"), true);
    box.click();
    all("#compare-head button")[2].click();
    const values = all("#compare-body tr").filter((one) => one.checkVisibility()).map((one) => Number(one.cells[2].dataset.value));
    check("sorted", values.every((value, at) => at === 0 || value >= values[at - 1]), values.join());
    check("nothing wider than the page", document.documentElement.scrollWidth <= innerWidth + 1, document.documentElement.scrollWidth);
    contrast();
  };
  run().catch((error) => lines.push(`FAIL stopped: ${error.stack}`)).finally(() => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const result = document.createElement("pre");
    result.id = "check-results";
    result.textContent = `\n${lines.join("\n")}\ntheme ${dark ? "dark" : "light"}\ndone ${lines.length}\n`;
    document.body.append(result);
  });
})();
