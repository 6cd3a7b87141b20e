#!/bin/sh
# The fillers of block maps for FlexAttention and (with a stand-in) FlashInfer, and some traps.
set -u
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
. "$LVSA_SOURCE_DIR/tests/cli/exchange_cases.inc"
python_with 'torch.nn.attention.flex_attention, numpy'
lv=$LVSA_VERIFY
export PYTHONDONTWRITEBYTECODE=1
source=$LVSA_SOURCE_DIR/python

map_cases >cases.txt
expect 0 "4 cases" "$lv" export cases.txt -o cases.safetensors
expect 0 "15 cases" "$lv" export flashinfer-traps -o traps.safetensors
expect 0 "1 case" "$lv" export flashinfer-traps --filter index-equal -o one.safetensors
expect 0 "10 cases" "$lv" export flex-traps -o flex.safetensors

"$python" "$LVSA_SOURCE_DIR/tests/cli/exchange_maps_torch.py" 2>err.txt || fail "$(cat err.txt)"
for filled in lvsa_fill_sdpa lvsa_flex_eager lvsa_flashinfer_block_sparse; do
  expect 0 "3 passed, 0 failed" "$lv" check $filled.safetensors --no-report
done
expect 0 "2 passed, 0 failed" "$lv" check lvsa_flashinfer_variable.safetensors --no-report
# The processes around it: a library that ends its own, and the report.
export PYTHONPATH="$LVSA_SOURCE_DIR/tests/cli/standins"
expect 1 "crash" env STANDIN=crash "$python" "$source/lvsa_traps.py" one.safetensors
expect 1 "trap index-equal-to-blocks" "$lv" check one.safetensors --out report
grep -q "crash: the process ended with code -6" report/report.jsonl || fail "the crash is not in the report"
all_good
