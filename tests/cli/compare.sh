#!/bin/sh
# sweep --patterns as a user runs it: tables and files, matched density, bad input; the page in a headless
# Chromium where there is one.
set -eu
subcommand=sweep
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
video='T=5 h=8 w=8 heads=2 D=64 seed=1'

gives 0 'predicted speedup: dense attention at' --synthetic "$video" --patterns 'lvsa window=1; radial; dense' --density 0.6,0.4 \
  --rows-per-frame 2 --out one --html page.html --quiet --threads 1
gives 0 'compare.h5' --synthetic "$video" --patterns 'lvsa window=1; radial; dense' --density 0.6,0.4 \
  --rows-per-frame 2 --out two --quiet --threads 3
for name in compare.h5 compare.csv summary.csv; do
  cmp "one/$name" "two/$name" || fail "$name depends on the threads"
done
cat >look.py <<'PY'
import csv
rows = list(csv.DictReader(open("one/compare.csv")))
lvsa = [row for row in rows if row["rule"] == "lvsa"]
assert len(lvsa) == 4 and {row["target_density"] for row in lvsa} == {"0.6", "0.4"}, lvsa
for row in rows:
    distance = abs(float(row["token_density"]) - float(row["target_density"]))
    assert row["rule"] == "dense" or abs(float(row["density_distance"]) - distance) < 1e-12, row
dense = [row for row in rows if row["rule"] == "dense"]
assert [(row["rel_l2"], row["recall"], row["predicted_speedup"]) for row in dense] == [("0", "1", "1")] * 2, dense
summary = list(csv.DictReader(open("one/summary.csv")))
assert {row["class"] for row in summary} >= {"all"} and all(row["excluded"] == "0" for row in summary)
PY
python3 look.py || fail 'compare.csv'

gives 0 'measured speedup: kernel cpu-blocks on this host, 2 equal heads a call, medians of 1 blocks' --synthetic "$video" \
  --patterns 'sparge; radial; dense' --rows-per-frame 1 --out timed --html timed.html --quiet --time cpu-blocks --time-blocks 1 \
  --time-heads 2
cat >look.py <<'PY'
import csv, math
for row in csv.DictReader(open("timed/compare.csv")):
    found = {name: float(value) for name, value in row.items() if name.startswith("measured_")}
    assert len(found) == 6 and all(math.isfinite(value) for value in found.values()), row
    assert (found["measured_prediction_ms"] > 0) == (row["rule"] == "sparge"), row
    assert abs(found["measured_ms"] - found["measured_attention_ms"] - found["measured_prediction_ms"]) < 1e-9, row
assert all(row["measured_ms"] == "nan" for row in csv.DictReader(open("one/compare.csv")))
assert "Error against measured speedup" in open("timed.html").read()
assert "Error against measured speedup" not in open("page.html").read()
PY
python3 look.py || fail 'measured times'
gives 0 'not timed 1 times: lvsa blocks=frame: kernel emulated-blocks: no blocks of' --synthetic 'T=2 h=100 w=82 heads=1 D=16' \
  --patterns 'lvsa blocks=frame' --rows-per-frame 1 --out large --quiet --time emulated-blocks
refuses 'the kernel takes no block maps' --synthetic "$video" --patterns dense --out no --time cpu
refuses '--time: --kernel nothing' --synthetic "$video" --patterns dense --out no --time nothing
refuses 'belongs to --patterns' --synthetic "$video" --time cpu-blocks
gives 0 '"excluded_patterns":0' --synthetic "$video" --patterns dense --out json --json --quiet
printf 'dense # all\nlvsa window=1\n' >patterns.txt
gives 0 '2 patterns x 2 samples' --synthetic "$video" --patterns-file patterns.txt --out file --quiet
refuses 'no pattern to compare' --synthetic "$video" --patterns '' --out none
refuses "patterns are separated by ';'" --synthetic "$video" --patterns 'lvsa, dense' --out none
refuses "pattern 'radar'" --synthetic "$video" --patterns radar
refuses 'a token density in (0, 1]' --synthetic "$video" --patterns dense --density 0.5,0
refuses "--rates: 'fast=1'" --synthetic "$video" --patterns dense --rates fast=1
refuses 'belongs to --patterns' --synthetic "$video" --density 0.5
refuses 'excludes' --synthetic "$video" --patterns dense --window 1
refuses 'holds another comparison: --rows-per-frame: 2 then, 8 now' --synthetic "$video" --patterns dense --out one
refuses 'sparge' --synthetic 'T=3 h=4 w=4 heads=1 D=32' --patterns 'sparge; dense' --out small --quiet
gives 0 'left out 1 times: sparge' --synthetic 'T=3 h=4 w=4 heads=1 D=32' --patterns 'sparge; dense' --out small \
  --on-error exclude --quiet
# A plugin's rule that ends or hangs its process costs its own lines.
if command -v "${CC:-cc}" >/dev/null; then
  "${CC:-cc}" -std=gnu11 -w -O1 -shared -fPIC -I "$LVSA_SOURCE_DIR" "$LVSA_SOURCE_DIR/tests/cli/pattern_faults.c" -o faults.so
  faults='plugin file=faults.so rule=faults args'
  few='T=3 h=3 w=2 heads=3 D=16'
  refuses 'args=third: CRASH: its process ended with signal 6' --synthetic "$few" --patterns "$faults=third; dense" --out third --quiet
  gives 0 'left out 1 times: plugin' --synthetic "$few" --patterns "$faults=third; dense" --out third --on-error exclude --quiet --overwrite
  grep -q 'CRASH: its process ended with signal 6.*layer 0 step 0 head 2' out || fail "third: $(cat out)"
  refuses 'TIMEOUT: no sign of life for 0.2 s' --synthetic "$few" --patterns "$faults=hangs" --out hangs --timeout 0.2
fi
all_good

. "$LVSA_SOURCE_DIR/tests/cli/browser.inc"
if [ -z "$browser" ]; then
  echo 'no Chromium: the page was not opened'
  exit 77
fi
cat "$LVSA_SOURCE_DIR/tests/cli/page_checks.js" "$LVSA_SOURCE_DIR/tests/cli/compare_page.js" >check.js
cat >prepare.py <<'PY'
page = open("page.html", encoding="utf-8").read()
early = ("<script>window.checkErrors = []; addEventListener('error', (e) => checkErrors.push(e.message));</script>")
at, end = page.index("<title>"), page.rindex("</body>")
open("checked.html", "w", encoding="utf-8").write(
    page[:at] + early + page[at:end] + f"<script>{open('check.js').read()}</script>" + page[end:])
PY
python3 prepare.py
look checked 1280 light
look checked 500 dark
[ "$failures" -eq 0 ]
