#!/bin/sh
# report.html in a headless Chromium: filters, sorting, links, the keyboard, accessibility in both
# themes and on a narrow screen, no errors on the console, pictures that are not blank. Skipped where
# there is no Chromium.
set -eu
. "$LVSA_SOURCE_DIR/tests/cli/browser.inc"
if [ -z "$browser" ]; then
  echo 'no Chromium here: skipped'
  exit 77
fi

# A kernel with a frame too many, which in the cases of six frames ends its process.
sed 's/  const int64_t frame = query/  if (p->frames == 6) *(volatile int*)8 = 1;\n  if (query \/ p->patches_per_frame == 8 \&\& key \/ p->patches_per_frame == 2) return 1;\n&/' \
  "$LVSA_SOURCE_DIR/fixtures/skeleton/skeleton.c" >wrong.c
"${CC:-cc}" -std=gnu11 -O2 -w -shared -fPIC -I"$LVSA_SOURCE_DIR" wrong.c -o wrong.so -lm

rest='dtype=f32 ref=5 step=1 seed=1 rows=0'
cat >short.txt <<END
model=a<b>&"c' T=9 P=3 text=4 H=4 Hkv=2 D=32 W=1 input=gauss condition=5 $rest
T=9 P=4 H=6 Hkv=2 D=32 W=2 input=indicator $rest
T=5 P=4 H=2 Hkv=1 D=32 W=1 input=uniform $rest
T=4 P=4 H=2 Hkv=1 D=16 dtype=bf16 W=1 ref=5 step=0 input=gauss seed=2 rows=0
T=6 P=4 H=2 Hkv=1 D=16 W=1 input=gauss $rest
T=3 P=40 H=1 Hkv=1 D=8 W=1 input=large $rest
END
i=0
while [ $i -lt 240 ]; do
  i=$((i + 1))
  echo "T=$((i < 230 ? i % 5 + 1 : 9)) P=2 H=1 Hkv=1 D=8 W=$((i % 3)) input=gauss dtype=f32 ref=3 step=$((i % 4)) seed=$i rows=0"
done >long.txt

report() {
  name=$1
  shift
  status=0
  "$LVSA_VERIFY" kernel --kernel ./wrong.so --suite "$name.txt" --out "$name" "$@" >"$name.log" 2>&1 || status=$?
  if [ "$status" -ne 1 ]; then
    cat "$name.log"
    echo "FAIL: exit code $status"
    exit 1
  fi
}
report short
# Relations would add frames, and six of them end the process.
report long --isolate none --relations none

# The page with the checks in it, and what they are to find.
cat >prepare.py <<'PY'
import json, sys
name, word = sys.argv[1:]
cases = [r for r in map(json.loads, open(f"{name}/report.jsonl")) if r["type"] == "case"]
due = {"cases": len(cases), "fail": sum(c["status"] == "fail" for c in cases),
       "word": word, "word_cases": sum(word in c["case"] for c in cases)}
assert due["fail"] > 0 and due["word_cases"] > 0, due
page = open(f"{name}/report.html", encoding="utf-8").read()
early = ("<script>window.checkErrors = []; addEventListener('error', (e) => checkErrors.push(e.message));"
         "addEventListener('unhandledrejection', (e) => checkErrors.push(String(e.reason)));"
         f"window.checkDue = {json.dumps(due)};</script>")
check = open(sys.argv[0].replace("prepare.py", "") + "report_page.js", encoding="utf-8").read()
at = page.index("<title>")
page = page[:at] + early + page[at:]
page = page.replace("</body>", f"<script>{check}</script></body>")
open(f"{name}.html", "w", encoding="utf-8").write(page)
PY
cat "$LVSA_SOURCE_DIR/tests/cli/page_checks.js" "$LVSA_SOURCE_DIR/tests/cli/report_page.js" >report_page.js
python3 prepare.py short input=large
python3 prepare.py long seed=77

look short 1280 light
look short 1280 dark
look short 500 light
look long 1280 light

# A picture of the page as it is. Blank ones have rows all alike.
cat >picture.py <<'PY'
import struct, sys, zlib
data = open(sys.argv[1], "rb").read()
assert data[:8] == b"\x89PNG\r\n\x1a\n", "no PNG"
width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
at, packed = 8, b""
while at < len(data):
    size, = struct.unpack(">I", data[at:at + 4])
    if data[at + 4:at + 8] == b"IDAT": packed += data[at + 8:at + 8 + size]
    at += 12 + size
raw = zlib.decompress(packed)
stride = len(raw) // height
rows = {raw[i * stride:(i + 1) * stride] for i in range(height)}
assert depth == 8 and width >= int(sys.argv[2]) and len(rows) > height // 10, (width, height, len(rows))
PY
for width in 1280 500; do
  browse --window-size="$width,1600" --screenshot="$PWD/page-$width.png" "file://$PWD/short/report.html" >/dev/null || true
  python3 picture.py "page-$width.png" "$width" || { echo "FAIL: picture at $width"; failures=$((failures + 1)); }
done
[ "$failures" -eq 0 ]
