#!/bin/sh
# kernel --capture as a user runs it.
set -u
lv=$LVSA_VERIFY
small=$LVSA_SOURCE_DIR/fixtures/captures/small.h5
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"

# The outputs in the file, then those of a kernel.
expect 0 "4 passed, 0 failed" "$lv" kernel --capture "$small" --out report
[ -s report/report.html ] || { echo "FAILED: no report" >&2; failures=$((failures + 1)); }
expect 0 '"kernel":"captured"' "$lv" kernel --capture "$small" --no-report --json
expect 0 "2 passed, 0 failed" "$lv" kernel --capture "$small" --no-report --filter layer17
expect 0 '"kernel":"cpu"' "$lv" kernel --capture "$small" --no-report --json --kernel cpu
expect 1 "0 passed, 4 failed" "$lv" kernel --capture "$small" --no-report --settings W=2
# What is printed below a failure repeats it.
"$lv" kernel --capture "$small" --no-report --settings 'W=2 step=0' --filter layer0/step1 >failed.txt
sed -n 's/^  repeat: lvsa-verify //p' failed.txt | head -n 1 >repeat.txt
[ -s repeat.txt ] || { echo "FAILED: no command that repeats" >&2; failures=$((failures + 1)); }
expect 1 "0 passed, 1 failed" sh -c "'$lv' $(cat repeat.txt) --no-report"

expect 2 "T=8 P=7 text=3" "$lv" kernel --capture "$small" --frames 8
expect 2 "--layout" "$lv" kernel --capture "$small" --layout sideways
expect 2 "--capture" "$lv" kernel --frames 8
expect 2 "--suite" "$lv" kernel --capture "$small" --suite smoke
expect 2 "nofile.h5" "$lv" kernel --capture nofile.h5
expect 2 "file=path#group" "$lv" kernel --kernel captured --case 'T=1 P=1 D=8 dtype=f32 rows=0' --no-report
head -c 30000 "$small" >cut.h5
expect 2 "cut.h5" "$lv" kernel --capture cut.h5

[ "$failures" -eq 0 ]
