#!/bin/sh
# Block maps written to a file and checked, as a user does; exchange_maps_python.sh and exchange_maps_torch.sh fill them.
set -u
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
. "$LVSA_SOURCE_DIR/tests/cli/exchange_cases.inc"
lv=$LVSA_VERIFY

map_cases >cases.txt
for file in cases.h5 cases.safetensors cases.npy; do
  expect 0 "4 cases" "$lv" export cases.txt -o "$file"
  expect 1 "no dataset case0001/out" "$lv" check "$file" --no-report
done
expect 0 "15 cases" "$lv" export flashinfer-traps -o traps.safetensors
expect 0 "1 case" "$lv" export flashinfer-traps --filter index-equal -o one.safetensors
expect 0 "10 cases" "$lv" export flex-traps -o flex.safetensors
expect 2 "existing file is due" "$lv" export flex-trap -o x.h5
expect 2 "not known" "$lv" export -o x.h5 --case \
  'pattern=nosuch T=1 P=4 H=1 Hkv=1 D=16 dtype=f32 ref=1 step=0 input=gauss seed=1 rows=0'
expect 2 "e4m3" "$lv" export -o x.h5 --case \
  'pattern=dense T=1 P=4 H=1 Hkv=1 D=16 dtype=e4m3 ref=1 step=0 input=gauss seed=1 rows=0'
head -c 20000 cases.safetensors >cut.safetensors
expect 2 "cut.safetensors" "$lv" check cut.safetensors
all_good
