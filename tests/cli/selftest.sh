#!/bin/sh
# lvsa-verify selftest: score, JSON, bad usage.
set -eu
"$LVSA_VERIFY" selftest --keys 512 --score >text.txt
tail -n 2 text.txt | grep -qx 'healthy kernel: passes all checks'
tail -n 1 text.txt | grep -Eqx '([0-9]+) of \1 defects killed'
"$LVSA_VERIFY" selftest --keys 512 --score --json >one.json
"$LVSA_VERIFY" selftest --keys 512 --score --json >two.json
# One defect is about addresses, which differ from run to run: what else finds it may, too.
for run in one two; do
  sed 's/{"name":"data-by-address"[^}]*}//' "$run.json" >"$run.txt"
done
cmp one.txt two.txt
grep -q '"defects":\[{"name":"window-off-by-one-left","family":"mask","killed":true,.*"by":\["gauss",' one.json
grep -q '"healthy":{"name":"emulated","accused_by":\[\]}' one.json
# Small cases alone find every defect, and so do long ones.
grep -Eq '"killed":([0-9]+),"killed_small":\1,"killed_long":\1,' one.json
status=0
"$LVSA_VERIFY" selftest --keys 5 >out.txt 2>err.txt || status=$?
[ "$status" -eq 2 ]
grep -q -e '--keys' err.txt
