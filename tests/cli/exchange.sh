#!/bin/sh
# export and check as a user runs them; exchange_python.sh fills what is between them.
set -u
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
. "$LVSA_SOURCE_DIR/tests/cli/exchange_cases.inc"
lv=$LVSA_VERIFY

frame_cases >cases.txt

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

all_good
