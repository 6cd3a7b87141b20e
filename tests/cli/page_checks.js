// What the checks of a page in a headless browser have in common; stands in front of them in the page.
const pageChecks = () => {
  "use strict";
  const lines = [];
  const check = (name, good, seen) => lines.push(good ? `ok ${name}` : `FAIL ${name}: ${seen}`);
  const equal = (name, got, due) => check(name, got === due, `got ${got}, expected ${due}`);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);
  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
  const until = async (holds) => {
    for (let i = 0; i < 400 && !holds(); ++i) await sleep(20);
    return holds();
  };
  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const part = (value) => value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const groundOf = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  // Of all text but that in what `skipped` selects.
  const contrast = (skipped) => {
    const poor = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      if (!walker.currentNode.textContent.trim() || element.closest("title, script, style, :disabled, noscript")) continue;
      if (!element.checkVisibility() || element.closest(`.visually-hidden, #check-results${skipped ? `, ${skipped}` : ""}`)) continue;
      const style = getComputedStyle(element);
      const ink = luminance(channels(element.closest("svg") ? style.fill : style.color));
      const ground = luminance(groundOf(element));
      const ratio = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
      if (ratio < 4.5) poor.add(`${element.localName}.${element.getAttribute("class")} ${ratio.toFixed(2)}`);
    }
    check("contrast of all text is 4.5 at the least", poor.size === 0, [...poor]);
  };
  return { lines, check, equal, all, byId, sleep, until, contrast };
};
