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
# Frame lists and maps: each to the kernel that takes them.
gives 0 '1 passed, 0 failed' --kernel cpu-blocks --case "$sizes input=gauss" --no-report
expect 1 'the kernel takes frame lists, no block maps' \
  "$LVSA_VERIFY" kernel --kernel cpu --case "$masked" --no-report
expect 1 'the kernel takes block maps' \
  "$LVSA_VERIFY" kernel --kernel ./skeleton.so --case "$sizes input=gauss" --no-report

refuses "pattern 'sparkle'" --kernel cpu-blocks --case "pattern=sparkle $sizes input=gauss"
refuses 'density' --kernel cpu-blocks --case "pattern=random:density=2 $sizes input=gauss"
refuses 'hw=5x5: a product of P=30 is due' --kernel cpu-blocks \
  --case "pattern=dense hw=5x5 $sizes input=gauss"
subcommand=
refuses 'block maps' explain "$masked" --at 0,0,0,0
refuses 'block maps' recover --case "$masked"
gives 0 '1 case' export --case "$masked" -o maps.h5
gives 0 '73 of 73 defects killed' selftest --corpus blocks --score
all_good
