#!/bin/sh
# The pages of a sweep and of video quality in a headless Chromium: charts, filters, choosing, sorting,
# the keyboard, accessibility in both themes and on a narrow screen, print; well-formed markup. Without
# a Chromium, or without charts in the build, only the markup.
set -eu
scores=$LVSA_SOURCE_DIR/fixtures/quality
"$LVSA_VERIFY" sweep --synthetic 'T=13 h=3 w=4 heads=2 D=16 layers=2 seed=1' --window 1:3 --scale 0.5,1 \
  --reference 9 --out sweep --html sweep.html --quiet >sweep.out 2>&1 || { cat sweep.out; exit 1; }
"$LVSA_VERIFY" quality --sweep sweep --vqeval "$scores/vqeval.csv" --html quality.html >quality.out

cat >markup.py <<'PY'
import sys
from html.parser import HTMLParser
empty = {"meta", "link", "input", "br", "use", "path", "circle", "rect", "img"}
class Check(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []
    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), ("an attribute twice", tag, self.getpos())
        if tag not in empty: self.open.append(tag)
    def handle_startendtag(self, tag, attrs): pass
    def handle_endtag(self, tag):
        if tag in empty: return
        assert self.open and self.open[-1] == tag, (tag, self.open[-3:], self.getpos())
        self.open.pop()
for name in sys.argv[1:]:
    text = open(name, encoding="utf-8").read()
    assert text.startswith("<!DOCTYPE html>\n") and "http://" not in text.split("<script")[0], name
    check = Check()
    check.feed(text)
    check.close()
    assert not check.open, (name, check.open)
    assert len(text) < 1_000_000, (name, len(text))
PY
python3 markup.py sweep.html quality.html

. "$LVSA_SOURCE_DIR/tests/cli/browser.inc"
if [ -z "$browser" ] || grep -q 'Charts were left out' sweep.html; then
  echo 'no Chromium, or no charts: the rest is skipped'
  exit 77
fi

cat >prepare.py <<'PY'
import csv, json
sweep = list(csv.DictReader(open("sweep/summary.csv")))
truth = ("1", "true", "True", "yes")
due = {"kind": "sweep", "settings": len(sweep), "samples": 4, "window": len(sweep) // 3,
       "front": sum(row["on_front"] in truth for row in sweep),
       "knee": any(row["knee"] in truth for row in sweep),
       "recall": sorted(float(row["recall"]) for row in sweep)[len(sweep) // 2]}
quality = {"kind": "quality", "settings": 7, "pairs": 20}
for name, what in (("sweep", due), ("quality", quality)):
    page = open(f"{name}.html", encoding="utf-8").read()
    # Frames come with the clock of the test, not with those of a screen that is not there.
    early = ("<script>window.requestAnimationFrame = (call) => setTimeout(() => call(performance.now()), 16);"
             "window.checkErrors = []; addEventListener('error', (e) => checkErrors.push(e.message));"
             "addEventListener('unhandledrejection', (e) => checkErrors.push(String(e.reason)));"
             f"window.checkDue = {json.dumps(what)};</script>")
    check = open("sweep_page.js", encoding="utf-8").read()
    at = page.index("<title>")
    page = page[:at] + early + page[at:]
    end = page.rindex("</body>")
    open(f"checked-{name}.html", "w", encoding="utf-8").write(page[:end] + f"<script>{check}</script>" + page[end:])
PY
cat "$LVSA_SOURCE_DIR/tests/cli/page_checks.js" "$LVSA_SOURCE_DIR/tests/cli/sweep_page.js" >sweep_page.js
python3 prepare.py

look checked-sweep 1280 light
look checked-sweep 1280 dark
look checked-sweep 500 light
look checked-quality 1280 dark
[ "$failures" -eq 0 ]
