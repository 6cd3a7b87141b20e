#!/bin/sh
# The page of a dump in a headless Chromium: filters, choosing, pointing, the keyboard, sorting, the token maps, both
# themes, a narrow screen; no errors on the console; the moving picture as the browser reads it. Skipped where there is no
# Chromium.
set -eu
. "$LVSA_SOURCE_DIR/tests/cli/browser.inc"
if [ -z "$browser" ]; then
  echo 'no Chromium here: skipped'
  exit 77
fi
"$LVSA_VERIFY" dump --synthetic 'T=7 h=4 w=6 text=3 heads=4 D=16 steps=2 layers=2 mix=spatial:1,temporal:1,global:1,diffuse:1' \
  --setting 'W=1 ref=4' --rows 2:1:4,6:3:5 --out maps --html page.html >dump.log

cat >prepare.py <<'PY'
import base64, csv, json
page = open("page.html", encoding="utf-8").read()
due = {"heads": list(csv.DictReader(open("maps/heads.csv"))),
       "moving": base64.b64encode(open("maps/steps_layer000.png", "rb").read()).decode()}
early = ("<script>window.checkErrors = []; addEventListener('error', (e) => checkErrors.push(e.message));"
         "addEventListener('unhandledrejection', (e) => checkErrors.push(String(e.reason)));"
         f"window.checkDue = {json.dumps(due)};</script>")
at = page.index("<title>")
page = page[:at] + early + page[at:]
page = page.replace("</body>", f"<script>{open('dump_page.js', encoding='utf-8').read()}</script></body>")
open("checked.html", "w", encoding="utf-8").write(page)
PY
cat "$LVSA_SOURCE_DIR/tests/cli/page_checks.js" "$LVSA_SOURCE_DIR/tests/cli/dump_page.js" >dump_page.js
python3 prepare.py

look checked 1280 light
look checked 500 dark
[ "$failures" -eq 0 ]
