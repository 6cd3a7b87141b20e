#!/bin/sh
# A failing case made small, saved and run again; files that are no replays.
set -eu
source=$LVSA_SOURCE_DIR/fixtures/skeleton/skeleton.c
build() { "${CC:-cc}" -std=gnu11 -O2 -shared -fPIC -w -I"$LVSA_SOURCE_DIR" "$1" -o "$2" -lm; }
build "$source" skeleton.so
sed 's|head / (p->heads / p->kv_heads)|head % p->kv_heads|' "$source" >group.c
build group.c group.so
line='T=7 P=9 text=5 B=2 H=4 Hkv=2 D=24 dtype=f32 W=1 ref=3 step=1 input=gauss seed=1 rows=0'

"$LVSA_VERIFY" shrink --kernel ./group.so --case "$line" --output replay.json >shrink.txt
grep -q 'smallest case after .* runs: model=custom T=1 P=1 H=4 Hkv=2 D=1 ' shrink.txt
[ "$(wc -c <replay.json)" -lt 100000 ]
status=0
"$LVSA_VERIFY" replay replay.json >fails.txt || status=$?
[ "$status" -eq 1 ]
grep -q '^FAIL  skeleton: output: ' fails.txt
"$LVSA_VERIFY" replay replay.json --kernel ./skeleton.so >passes.txt
grep -q '^PASS  skeleton: ' passes.txt
status=0
"$LVSA_VERIFY" replay replay.json --json >fails.json || status=$?
[ "$status" -eq 1 ]
python3 -c 'import json; r = json.load(open("fails.json")); assert r["fails"] == r["check"] == "output", r'

# A kernel that crashes as soon as there is text: found through processes of its own.
sed 's|  const int64_t tokens = p->frames \* p->patches_per_frame + p->text_tokens;\n  float|&|; s|  (void)workspace, (void)workspace_bytes, (void)stream;|  if (p->text_tokens > 2) *(volatile int*)0 = 1;|' "$source" >crash.c
build crash.c crash.so
"$LVSA_VERIFY" shrink --kernel ./crash.so --case "$line" --output crash.json >crash.txt
grep -q 'runs: model=custom T=1 P=1 text=3 H=1 Hkv=1 D=1 ' crash.txt
"$LVSA_VERIFY" replay crash.json --kernel ./skeleton.so | grep -q '^PASS'

# A case that does not fail has nothing to shrink.
status=0
"$LVSA_VERIFY" shrink --kernel ./skeleton.so --case "$line" --output none.json >none.txt || status=$?
[ "$status" -eq 1 ]
grep -q 'does not fail: pass' none.txt
[ ! -e none.json ]

# Bad files: exit code 2 and one line that names the file.
refused() {
  status=0
  "$LVSA_VERIFY" replay "$1" >out.txt 2>err.txt || status=$?
  if [ "$status" -ne 2 ] || [ "$(wc -l <err.txt)" -ne 1 ] || ! grep -q "$1" err.txt || ! grep -q "$2" err.txt; then
    echo "FAIL: exit code $status: replay $1"
    cat err.txt
    exit 1
  fi
}
refused missing.json 'cannot be read'
mkdir -p folder.json
refused folder.json 'cannot be read'
: >empty.json
refused empty.json 'JSON'
head -c 300 replay.json >cut.json
refused cut.json 'cut off'
echo '{"format": "lvsa-replay", "version": 7}' >version.json
refused version.json 'version 7'
echo '[1, 2]' >array.json
refused array.json 'lvsa-replay'
sed 's/"case": "[^"]*"/"case": "T=1 P=1"/' replay.json >case.json
refused case.json 'case'
sed 's/"q": "...../"q": "!!!!!/' replay.json >bits.json
refused bits.json "'q'"
head -c 2000000 /dev/zero >large.json
refused large.json 'longer'
