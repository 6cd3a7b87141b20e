#!/bin/sh
# Block-sparse kernels: the built-in one and the skeleton pass, a wrong one fails, bad words are refused.
set -u
subcommand=kernel
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
source=$LVSA_SOURCE_DIR/fixtures/skeleton/block_skeleton.c
build() { "${CC:-cc}" -std=gnu11 -O2 -shared -fPIC -w -I"$LVSA_SOURCE_DIR" "$1" -o "$2" -lm; }
build "$source" skeleton.so
sed 's|if (!attends(p, mask_of(map, e), i, at - p->column_begin\[c\])) continue;||' "$source" >masks.c
build masks.c masks.so

gives 0 '15 passed' --kernel cpu-blocks --suite blocks-smoke --relations none --no-report
# Of the fp32 cases one has a skip, which the skeleton does not offer.
gives 0 '3 passed, 0 failed' --kernel ./skeleton.so --suite blocks-smoke --no-report
sizes='T=3 P=30 H=2 Hkv=2 D=64 dtype=f32 ref=21 step=0 seed=1 rows=0'
masked="pattern=random:block_q=16:block_k=16:masks=0.4 $sizes input=indicator-place"
gives 1 'only rows with an element mask' --kernel ./masks.so --case "$masked" --out wrong
gives 0 '1 passed, 0 failed' --kernel ./skeleton.so --case "$masked" --no-report
grep -q 'indicator-place' wrong/report.jsonl || fail 'the report does not have the case'
# A library with several kernels: each by its name, none without.
cat >two.c <<'END'
#define lvsa_block_kernels skeleton_kernels
#include "fixtures/skeleton/block_skeleton.c"
#undef lvsa_block_kernels
static lvsa_status wrong(const lvsa_block_problem* p, void* workspace, size_t bytes, void* stream, char* message, size_t size) {
  lvsa_block_problem other = *p;
  other.scale *= 1.5;
  return run(&other, workspace, bytes, stream, message, size);
}
const lvsa_block_kernel* lvsa_block_kernels(uint32_t abi_version, uint32_t* count) {
  static lvsa_block_kernel both[2];
  both[0] = both[1] = skeleton;
  both[1].name = "second";
  both[1].run = wrong;
  *count = 2;
  return abi_version == LVSA_BLOCK_KERNEL_ABI_VERSION ? both : NULL;
}
END
build two.c two.so
dense="pattern=dense $sizes input=gauss"
gives 0 '1 passed, 0 failed' --kernel ./two.so:block-skeleton --case "$dense" --no-report
gives 1 '0 passed, 1 failed' --kernel ./two.so:second --case "$dense" --no-report --relations none
refuses 'holds several block kernels, name one as path:name, of: block-skeleton second' \
  --kernel ./two.so --case "$dense"
refuses "has no block kernel 'third'; it has: block-skeleton second" --kernel ./two.so:third --case "$dense"
# Frame lists and maps: each to the kernel that takes them.
gives 0 '1 passed, 0 failed' --kernel cpu-blocks --case "$sizes input=gauss" --no-report
expect 1 'the kernel takes frame lists, no block maps' \
  "$LVSA_VERIFY" kernel --kernel cpu --case "$masked" --no-report
expect 1 'the kernel takes block maps' \
  "$LVSA_VERIFY" kernel --kernel ./skeleton.so --case "$sizes input=gauss" --no-report

# A rule of a plugin that crashes or hangs is named, not the kernel.
build "$LVSA_SOURCE_DIR/tests/cli/pattern_faults.c" faults.so
faults="T=3 P=6 H=4 Hkv=2 D=16 dtype=f32 input=gauss ref=21 step=0 seed=1 rows=0 pattern=plugin:file=faults.so:rule=faults:args"
expect 2 'plugin file=faults.so rule=faults args=third: CRASH: its process ended with signal 6' \
  "$LVSA_VERIFY" kernel --kernel cpu-blocks --no-report --case "$faults=third"
expect 2 'args=hangs: TIMEOUT: no sign of life for 2 s' \
  "$LVSA_VERIFY" kernel --kernel cpu-blocks --no-report --timeout 2.5 --case "$faults=hangs"
gives 0 '1 passed, 0 failed' --kernel cpu-blocks --no-report --relations none --case "$faults=fine"
refuses "pattern 'sparkle'" --kernel cpu-blocks --case "pattern=sparkle $sizes input=gauss"
refuses 'density' --kernel cpu-blocks --case "pattern=random:density=2 $sizes input=gauss"
refuses 'hw=5x5: a product of P=30 is due' --kernel cpu-blocks \
  --case "pattern=dense hw=5x5 $sizes input=gauss"
subcommand=
gives 0 'Key blocks that query block 0 keeps' explain "$masked" --at 0,0,0,0
refuses 'it takes no block maps' recover --case "$masked"
gives 0 'recovered from 2 runs: all 180 query rows attend exactly' recover --case "$masked" --kernel ./skeleton.so
gives 1 'attends ' recover --case "$masked" --kernel ./masks.so
gives 1 '"exact": false' recover --case "$masked" --kernel ./masks.so --json
refuses '90 keys, D=2 of them a run: --max-runs 45 is due' recover --kernel cpu-blocks \
  --case 'pattern=dense T=3 P=30 H=1 Hkv=1 D=2 dtype=f32 input=gauss ref=21 step=0 seed=1 rows=0'
refuses 'of block maps there are text and json' recover --case "$masked" --kernel cpu-blocks --format svg
gives 0 '1 case' export --case "$masked" -o maps.h5
refuses 'args=third: CRASH' export --case "$faults=third" -o crash.h5
refuses 'args=third: CRASH' explain "$faults=third" --at 0,0,0,0
# A failing case made small, saved with its maps, and run again by this kernel and another.
gives 0 'repeat: lvsa-verify replay replay.json' shrink --kernel ./masks.so --case "$masked" --output replay.json
grep -q '"entry_mask"' replay.json || fail 'no masks in replay.json'
gives 1 'FAIL  block-skeleton: output: ' replay replay.json
gives 0 'PASS  cpu-blocks: ' replay replay.json --kernel cpu-blocks
expect 2 'it takes no block maps' "$LVSA_VERIFY" replay replay.json --kernel cpu --json
sed 's/"of_head": \[/&9,/' replay.json >heads.json
refuses "heads.json: 'maps': 'of_head' has" replay heads.json
python3 - <<'PY'
import json
for name, key in (("columns", "indices"), ("rows", "indptr")):
    replay = json.load(open("replay.json"))
    replay["maps"]["patterns"][0][key][-1] = 77
    json.dump(replay, open(name + ".json", "w"))
PY
refuses 'columns.json: ' replay columns.json
refuses 'rows.json: ' replay rows.json
gives 0 '73 of 73 defects killed' selftest --corpus blocks --score
all_good
