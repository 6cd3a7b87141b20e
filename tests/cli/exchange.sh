#!/bin/sh
# export, fill and check as a user runs them; the Python part only where python3 has h5py.
set -u
lv=$LVSA_VERIFY
failures=0

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  failures=$((failures + 1))
}

# expect CODE TEXT COMMAND...: exits with CODE and says TEXT; bad input in one line on stderr.
expect() {
  code=$1
  text=$2
  shift 2
  "$@" >out.txt 2>err.txt
  got=$?
  [ "$got" -eq "$code" ] || fail "exit code $got instead of $code: $* $(cat err.txt)"
  grep -qF -- "$text" out.txt err.txt || fail "no '$text': $*"
  if [ "$code" -eq 2 ] && [ "$(wc -l <err.txt)" -ne 1 ]; then fail "not one line on stderr: $*"; fi
}

cat >cases.txt <<'END'
T=7 P=9 text=5 B=2 H=4 Hkv=2 D=24 dtype=f32 W=1 ref=3 step=1 input=gauss seed=1 rows=0
T=9 P=12 H=2 Hkv=1 D=16 dtype=bf16 layout=bhsd W=1 ref=4 step=2 input=indicator seed=2 rows=0
T=5 P=4 text=3 H=1 Hkv=1 D=16 dtype=f16 layout=bhsd ref=3 step=0 input=indicator seed=3 rows=0
T=13 P=65 H=2 Hkv=2 D=64 dtype=bf16 ref=5 step=1 input=gauss seed=3 rows=64 compute=rows
END

expect 0 "4 cases" "$lv" export cases.txt -o cases.h5
expect 0 "4 cases" "$lv" export cases.txt -o packed.h5 --compress
expect 0 "1 case" "$lv" export cases.txt --filter dtype=f32 -o one.h5
expect 0 "4 cases" "$lv" export cases.txt -o cases.safetensors
expect 0 "4 cases" "$lv" export cases.txt -o cases.npy
expect 0 "4 cases" "$lv" export cases.txt -o any --format npy
for file in cases.safetensors cases.npy any; do
  expect 1 "no dataset case0001/out" "$lv" check "$file" --no-report
done
expect 2 "it is there already" "$lv" export cases.txt -o cases.npy
expect 2 "only HDF5" "$lv" export cases.txt -o x.safetensors --compress
head -c 9000 cases.safetensors >cut.safetensors
expect 2 "cut.safetensors" "$lv" check cut.safetensors
printf '\377\377\377\377\017\0\0\0{}' >long.safetensors
expect 2 "100000000" "$lv" check long.safetensors
cp -r cases.npy cut.npy
head -c 100 cases.npy/case0002/q.npy >cut.npy/case0002/q.npy
expect 2 "cut.npy/case0002/q.npy" "$lv" check cut.npy
rm cut.npy/cases.json
expect 1 "no dataset case0001/out" "$lv" check cases.h5 --no-report
expect 1 "0 passed, 1 failed" "$lv" check cases.h5 --no-report --group case0002
expect 2 "case0009" "$lv" check cases.h5 --no-report --group case0009
expect 2 "nofile.h5" "$lv" check nofile.h5
expect 2 "lvsa_schema" "$lv" check "$LVSA_SOURCE_DIR/fixtures/attention_vectors.h5"
head -c 9000 cases.h5 >cut.h5
expect 2 "cut.h5" "$lv" check cut.h5
expect 2 "suite" "$lv" export -o x.h5
expect 2 "--output" "$lv" export cases.txt
expect 2 "no folder" "$lv" export cases.txt -o nofolder/x.h5
expect 2 "regular file" "$lv" export cases.txt -o /dev/null
expect 2 "GiB" "$lv" export -o x.h5 --case \
  'T=100000 P=100000 H=8 Hkv=8 D=128 dtype=bf16 interval=0 ref=1 step=0 input=gauss seed=1 rows=1'
# A full disk, as a limit on the size of files.
(
  ulimit -f 20
  "$lv" export cases.txt -o full.h5 2>full.txt
)
[ $? -eq 2 ] || fail "a full disk: $(cat full.txt)"
grep -q full.h5 full.txt || fail "a full disk is not told"
for file in full.safetensors full.npy; do
  (
    ulimit -f 20
    "$lv" export cases.txt -o "$file" 2>full.txt
  )
  [ $? -eq 2 ] || fail "a full disk: $(cat full.txt)"
  grep -q "$file" full.txt || fail "a full disk is not told: $(cat full.txt)"
done
[ -z "$(find . -name '*full.[hsn]*')" ] || fail "a full disk leaves a file behind"
[ -z "$(find . -name '*.tmp')" ] || fail "a temporary file is left behind"

if python3 -c 'import numpy' 2>/dev/null; then
  fill=$LVSA_SOURCE_DIR/python/lvsa_fill.py
  export PYTHONDONTWRITEBYTECODE=1
  for file in cases.safetensors cases.npy; do
    for time in first second; do
      expect 0 "filled" python3 "$fill" "$file" lvsa_fill:plain --numpy
      expect 0 "4 passed, 0 failed" "$lv" check "$file" --no-report
      [ "$time" = second ] || expect 0 "filled" python3 "$fill" "$file" lvsa_fill:plain --numpy
    done
  done
  expect 0 "4 passed, 0 failed" "$lv" check cases.h5 --no-report --outputs cases.safetensors
fi
if python3 -c 'import h5py, numpy' 2>/dev/null; then
  fill=$LVSA_SOURCE_DIR/python/lvsa_fill.py
  for file in cases.h5 packed.h5; do
    expect 0 "filled" python3 "$fill" "$file" lvsa_fill:plain --numpy
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
  export PYTHONDONTWRITEBYTECODE=1
  for name in scale base2 shape; do
    expect 0 "filled" python3 "$fill" one.h5 "broken:$name" --numpy
    expect 1 "0 passed, 1 failed" "$lv" check one.h5 --no-report
  done
  expect 0 "filled" python3 "$fill" one.h5 broken:refuses --numpy
  expect 1 "no such case" "$lv" check one.h5 --no-report
else
  echo "python3 has no h5py and numpy: filling a file from Python is not tested here"
fi

[ "$failures" -eq 0 ]
