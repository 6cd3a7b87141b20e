#!/bin/sh
# Mask recovery through the command line, on the skeleton plugin healthy and broken.
set -eu
source=$LVSA_SOURCE_DIR/fixtures/skeleton/skeleton.c
build() { "${CC:-cc}" -std=gnu11 -O2 -shared -fPIC -I"$LVSA_SOURCE_DIR" "$1" -o "$2" -lm; }
build "$source" skeleton.so
line='T=13 P=3 text=4 H=2 Hkv=1 D=32 dtype=f32 W=1 ref=5 step=1 input=uniform seed=1 rows=0'

"$LVSA_VERIFY" recover --kernel ./skeleton.so --case "$line" >good.txt
grep -q 'attend exactly what the pattern has' good.txt
grep -q '^  *pattern  *recovered  *difference' good.txt
"$LVSA_VERIFY" recover --kernel cpu --case "$line" --json >good.json
python3 - <<'PY'
import json
r = json.load(open("good.json"))
assert r["exact"] and r["differences"] == [] and r["mistake"] is None
assert len(r["rows"]) == 2 * 14, len(r["rows"])
for row in r["rows"]:
    if row["query"] is not None:
        assert row["frames"] == r["pattern"][row["query"]], row
    assert row["proven"] and row["text"] == 4 and "keys" not in row
PY

# One head attends one frame too many: exactly that line, exit code 1.
sed 's/  const int64_t frame = query/  if (query \/ p->patches_per_frame == 11 \&\& key \/ p->patches_per_frame == 2) return 1;\n&/' "$source" >extra.c
build extra.c extra.so
status=0
"$LVSA_VERIFY" recover --kernel ./extra.so --case "$line" --output mask.svg >extra.txt || status=$?
[ "$status" -eq 1 ]
grep -qx 'query frame 11, every head attends frame 2, not in the pattern (step 1)' extra.txt
head -c 4 mask.svg | grep -q '<svg'
python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("mask.svg")'
status=0
"$LVSA_VERIFY" recover --kernel ./extra.so --case "$line" --output mask.png >/dev/null || status=$?
[ "$status" -eq 1 ]
head -c 4 mask.png | grep -q 'PNG'

# Bad input: exit code 2 and one line that says what would be right.
refused() {
  what=$1
  shift
  status=0
  "$LVSA_VERIFY" recover "$@" >out.txt 2>err.txt || status=$?
  if [ "$status" -ne 2 ] || [ "$(wc -l <err.txt)" -ne 1 ] || ! grep -q -- "$what" err.txt; then
    echo "FAIL: exit code $status: $*"
    cat err.txt
    exit 1
  fi
}
refused '--case'
refused 'T, P and D' --case 'T=3'
refused 'runs at D=1' --case 'T=121 P=2 H=1 Hkv=1 D=1 dtype=f32 ref=21 step=0 input=uniform seed=1 rows=0'
refused 'no bf16 inputs' --kernel ./skeleton.so --case 'T=3 P=2 H=1 Hkv=1 D=8 dtype=bf16 ref=21 step=0 input=uniform seed=1 rows=0'
refused '--head' --case "$line" --head 2
refused '--output' --case "$line" --format png
