#!/bin/sh
# synth as a user runs it: the file is a capture with classes, the same every time.
set -u
lv=$LVSA_VERIFY
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"

words='T=5 h=4 w=6 text=3 heads=4 D=32 layers=2 steps=2 seed=9 camera=pan:0.5'
# shellcheck disable=SC2086
expect 0 "a.h5: 4 calls of 4 heads" "$lv" synth -o a.h5 $words
expect 0 "camera=pan:0.5,tilt:0" "$lv" synth --out b.h5 "$words"
cmp -s a.h5 b.h5 || { echo "FAILED: the same words give other bytes" >&2; failures=$((failures + 1)); }
expect 0 "4 passed, 0 failed" "$lv" kernel --capture a.h5 --kernel cpu --no-report \
  --settings 'W=1 n_first=1 interval=2'
expect 0 "1 call of 2 heads" "$lv" synth -o one.safetensors "$words" --layers 1 --steps 0 --heads 0,3
expect 0 "1 passed, 0 failed" "$lv" kernel --capture one.safetensors --kernel cpu --no-report

expect 2 "T=0: a number from 1" "$lv" synth -o x.h5 T=0
expect 2 "NAME=VALUE with one of D, T" "$lv" synth -o x.h5 frames=5
expect 2 "head 4 not there; it has heads 0-3" "$lv" synth -o x.h5 "$words" --heads 4
expect 2 "there is no folder" "$lv" synth -o nowhere/x.h5 "$words"
expect 2 "--out" "$lv" synth "$words"
[ ! -e x.h5 ] || { echo "FAILED: x.h5 is there" >&2; failures=$((failures + 1)); }
exit "$failures"
