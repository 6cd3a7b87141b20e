// Runs inside the page of a dump in a headless browser (dump_page.sh puts it there) and leaves a line a check.
(async () => {
  "use strict";
  const { lines, check, equal, all, byId, sleep } = pageChecks();
  const due = checkDue.heads;
  const finish = () => {
    equal("errors", checkErrors.join("; "), "");
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    lines.push(`theme ${dark ? "dark" : "light"}`, `done ${lines.length}`);
    const pre = document.createElement("pre");
    pre.id = "check-results";
    pre.textContent = `\n${lines.join("\n")}\n`;
    document.body.append(pre);
  };
  const pixels = (canvas) => new Set(new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size;
  const input = async (element, value) => {
    if (value !== undefined) element.value = value;
    element.dispatchEvent(new Event("input", { bubbles: true }));
    await sleep(30);
  };
  const move = (canvas, x, y) => {
    const box = canvas.getBoundingClientRect();
    canvas.dispatchEvent(new PointerEvent("pointermove", { clientX: box.left + x * box.width, clientY: box.top + y * box.height, bubbles: true }));
  };
  try {
    for (let i = 0; i < 300 && document.documentElement.dataset.ready !== "yes"; ++i) await sleep(20);
    equal("ready", document.documentElement.dataset.ready, "yes");
    equal("cards of a layer and step", all(".card").length, 4);
    check("maps are drawn", all(".card canvas").every((canvas) => pixels(canvas) > 3), all(".card canvas").map(pixels));
    check("a card names class and recall", all(".card")[0].textContent.includes(due[0].class), all(".card")[0].textContent);
    check("nothing reaches over the side", document.documentElement.scrollWidth <= innerWidth + 1, document.documentElement.scrollWidth);

    move(all(".card canvas")[1], 0.01, 0.99);
    check("pointing tells frames and mass", /query frame 6, key frame 0: mass [\d.e-]+ \((global|window|global and window|not attended)\)/.test(byId("tip").textContent), byId("tip").textContent);

    await input(byId("layer"), "1");
    await input(byId("step"), "1");
    equal("step is told", byId("step-text").textContent, "1");
    const found = due.filter((head) => head.layer === "1" && head.step === "1");
    equal("cards after layer and step", all(".card").length, found.length);
    check("their recalls", all(".card .kept").every((kept, i) => Math.abs(Number(kept.textContent.replace(/[^\d.]/g, "")) - Number(found[i].recall)) < 1e-3), all(".card .kept").map((kept) => kept.textContent));
    await input(byId("layer"), "all");
    equal("cards of all layers", all(".card").length, 8);
    for (const box of all("#classes input")) box.checked = box.value === due[0].class;
    await input(byId("controls"));
    equal("cards of a class", all(".card").length, due.filter((head) => head.step === "1" && head.class === due[0].class).length);
    for (const box of all("#classes input")) box.checked = true;
    await input(byId("heads"), "1,3");
    equal("cards of some heads", all(".card").length, 4);
    await input(byId("heads"), "9");
    check("no head is told", byId("none").checkVisibility(), "hidden");
    await input(byId("heads"), "");

    const button = all(".card button")[2];
    button.focus();
    equal("a card takes the focus", document.activeElement, button);
    button.click();
    check("a click chooses", byId("chosen-heading").textContent.includes("head 2"), byId("chosen-heading").textContent);
    check("the large map is drawn", pixels(byId("large")) > 5, pixels(byId("large")));
    byId("large").focus();
    byId("large").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true, cancelable: true }));
    check("the keyboard walks", byId("readout").textContent.startsWith("query frame "), byId("readout").textContent);
    check("the walk is told", byId("live").textContent.startsWith("query frame "), byId("live").textContent);
    equal("token maps of a row", all("#tokens canvas").length, 7);
    check("token maps are drawn", all("#tokens canvas").some((canvas) => pixels(canvas) > 5), "one colour");
    const sum = all("#tokens figcaption").reduce((total, caption) => total + Number(/: ([\d.e-]+)/.exec(caption.textContent)[1]), 0);
    check("their masses add up", sum > 0.2 && sum < 1.02, sum);
    await input(byId("place"), "1");
    check("another row", byId("tokens-heading").textContent.includes("6:3:5"), byId("tokens-heading").textContent);
    await input(byId("scale"), "linear");
    check("a linear scale", byId("bar-text").textContent.includes("0.2"), byId("bar-text").textContent);

    const sort = all("#table thead button").find((one) => one.textContent === "Recall");
    sort.click();
    const recalls = all("#table tbody tr").map((row) => Number(row.cells[5].textContent));
    check("sorted by recall", recalls.every((value, i) => i === 0 || recalls[i - 1] <= value), recalls);
    equal("aria-sort", sort.parentElement.getAttribute("aria-sort"), "ascending");
    equal("rows of the table", recalls.length, due.length);
    if (lvsaPage.hasCharts) check("charts are drawn", ["profile", "heads-chart"].every((id) => pixels(byId(id)) > 3), "blank");
    const nameless = all("button, select, input, canvas[role=img]").filter((one) => !(one.getAttribute("aria-label") || one.textContent.trim() || one.labels?.length));
    equal("controls without a name", nameless.map((one) => one.id || one.outerHTML.slice(0, 60)).join(), "");

    const bytes = Uint8Array.from(atob(checkDue.moving), (c) => c.charCodeAt(0));
    if (typeof ImageDecoder === "function") {
      const decoder = new ImageDecoder({ data: bytes, type: "image/png" });
      await decoder.tracks.ready;
      await decoder.completed;
      equal("the moving picture has a picture a step", decoder.tracks.selectedTrack.frameCount, 2);
      const second = await decoder.decode({ frameIndex: 1 });
      check("its second picture opens", second.image.displayWidth > 100, second.image.displayWidth);
      second.image.close();
    }
  } catch (error) {
    check("the checks run through", false, error.stack || error);
  }
  finish();
})();
