#!/bin/sh
# Exported cases filled from Python, in each of the three formats, and checked.
set -u
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
. "$LVSA_SOURCE_DIR/tests/cli/exchange_cases.inc"
python_with 'h5py, numpy'
lv=$LVSA_VERIFY
fill=$LVSA_SOURCE_DIR/python/lvsa_fill.py
export PYTHONDONTWRITEBYTECODE=1

frame_cases >cases.txt

expect 0 "4 cases" "$lv" export cases.txt -o cases.h5
expect 0 "4 cases" "$lv" export cases.txt -o packed.h5 --compress
expect 0 "1 case" "$lv" export cases.txt --filter dtype=f32 -o one.h5
expect 0 "4 cases" "$lv" export cases.txt -o cases.safetensors
expect 0 "4 cases" "$lv" export cases.txt -o cases.npy

for file in cases.safetensors cases.npy; do
  for time in first second; do
    expect 0 "filled" "$python" "$fill" "$file" lvsa_fill:plain --numpy
    expect 0 "4 passed, 0 failed" "$lv" check "$file" --no-report
    [ "$time" = second ] || expect 0 "filled" "$python" "$fill" "$file" lvsa_fill:plain --numpy
  done
done
expect 0 "4 passed, 0 failed" "$lv" check cases.h5 --no-report --outputs cases.safetensors

for file in cases.h5 packed.h5; do
  expect 0 "filled" "$python" "$fill" "$file" lvsa_fill:plain --numpy
  expect 0 "4 passed, 0 failed" "$lv" check "$file" --out report
  [ -s report/report.html ] || fail "no report"
done
expect 0 '"passed":4' "$lv" check cases.h5 --no-report --json
cat >broken.py <<'END'
import lvsa_fill
def scale(q, k, v, pattern):
    return lvsa_fill.plain(1.5 * q, k, v, pattern)
def base2(q, k, v, pattern):
    out, lse = lvsa_fill.plain(q, k, v, pattern)
    return out, 1.442695 * lse
def shape(q, k, v, pattern):
    return q[:, 1:]
def refuses(q, k, v, pattern):
    raise NotImplementedError("no such case")
END
for name in scale base2 shape; do
  expect 0 "filled" "$python" "$fill" one.h5 "broken:$name" --numpy
  expect 1 "0 passed, 1 failed" "$lv" check one.h5 --no-report
done
expect 0 "filled" "$python" "$fill" one.h5 broken:refuses --numpy
expect 1 "no such case" "$lv" check one.h5 --no-report
all_good
