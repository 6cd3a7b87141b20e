#!/bin/sh
# Block maps through a file, as a user takes them: export, a script in Python, right or wrong, check.
set -u
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
. "$LVSA_SOURCE_DIR/tests/cli/exchange_cases.inc"
python_with 'numpy'
lv=$LVSA_VERIFY
export PYTHONDONTWRITEBYTECODE=1
source=$LVSA_SOURCE_DIR/python
fill=$source/lvsa_fill.py

map_cases >cases.txt
for file in cases.safetensors cases.npy; do
  expect 0 "4 cases" "$lv" export cases.txt -o "$file"
done

for file in cases.safetensors cases.npy; do
  expect 0 "filled" "$python" "$fill" "$file" lvsa_fill:plain --numpy
  expect 0 "4 passed, 0 failed" "$lv" check "$file" --no-report
done
cat >wrong.py <<'END'
import lvsa_maps
def no_masks(q, k, v, pattern):
    pattern.entry_mask = [None] * pattern.maps
    return lvsa_maps.plain(q, k, v, pattern)
def no_order(q, k, v, pattern):
    pattern.orders = None
    return lvsa_maps.plain(q, k, v, pattern)
def first_map(q, k, v, pattern):
    pattern.map_of_head[:] = pattern.map_of_head[0, 0]
    return lvsa_maps.plain(q, k, v, pattern)
def base_2(q, k, v, pattern):
    out, lse = lvsa_maps.plain(q, k, v, pattern)
    return out, lse * 1.4426950408889634
def of_frames(q, k, v, pattern):
    return q * len(pattern.frames(0))
def forgets_skip(q, k, v, pattern):
    thresholds, pattern._skip = pattern.skip_threshold_log2, None
    return lvsa_maps.plain(q, k, v, pattern)
def silent(q, k, v, pattern):
    return q
def honest(q, k, v, pattern):
    return lvsa_maps.plain(q, k, v, pattern)
def untrue(q, k, v, pattern):
    return lvsa_maps.plain(q, k, v, pattern)
honest.numerics = {"key_tile": 32, "p_dtype": "f32", "accumulator": "f32", "key_order": 1, "max_rule": 1,
                   "rescale_exact": 1}
untrue.numerics = lambda pattern: dict(honest.numerics, p_dtype="f16")
def misspelt(q, k, v, pattern):
    return q
misspelt.numerics = {"key_tiles": 32}
END
for name in no_masks no_order first_map base_2; do
  expect 0 "filled" "$python" "$fill" cases.safetensors "wrong:$name" --numpy
  expect 1 "fail" "$lv" check cases.safetensors --no-report --group case0000
done
expect 0 "filled" "$python" "$fill" cases.safetensors wrong:no_masks --numpy
expect 1 "with no element mask                            16 of 16  <- fits" \
  "$lv" explain cases.safetensors --group case0000 --block 0,0,1,0
expect 1 "as wrong.no_masks left them" "$lv" explain cases.safetensors --group case0000 --block 0,0,1,0
expect 0 "kernel          " "$lv" explain cases.safetensors --group case0001 --at 0,0,0,0
expect 0 "filled" "$python" "$fill" cases.safetensors wrong:of_frames --numpy
expect 1 "this case has block maps" "$lv" check cases.safetensors --no-report
# The online skip: done, forgotten, and by a function that never asked for it, which is not judged by it.
skip="pattern=random:block_q=16:block_k=16:density=0.8:order=1:skip=0.5,4 T=4 P=61 H=2 Hkv=2 D=32 dtype=bf16 \
ref=21 step=0 input=beacon-block seed=5 rows=0"
expect 0 "1 case" "$lv" export --case "$skip" -o skip.safetensors
expect 0 "filled" "$python" "$fill" skip.safetensors lvsa_fill:plain --numpy
expect 0 "1 passed, 0 failed" "$lv" check skip.safetensors --no-report
expect 0 "filled" "$python" "$fill" skip.safetensors wrong:forgets_skip --numpy
expect 1 "0 passed, 1 failed" "$lv" check skip.safetensors --no-report
expect 0 "filled" "$python" "$fill" skip.safetensors wrong:silent --numpy
expect 1 "no online skip: the case has skip_threshold_log2 from 0.5" "$lv" check skip.safetensors --no-report
# A declared schedule is replayed; one that is not kept fails, though the bounds have room for it.
expect 0 "filled" "$python" "$fill" cases.safetensors wrong:honest --numpy
expect 0 "4 passed, 0 failed" "$lv" check cases.safetensors --no-report
expect 0 "filled" "$python" "$fill" cases.safetensors wrong:untrue --numpy
expect 1 "tier B" "$lv" check cases.safetensors --no-report
expect 1 "key_tiles is not known; of these: key_tile," "$python" "$fill" cases.safetensors wrong:misspelt --numpy
expect 0 "row 1: column 4; 0 .. 3 is due" "$python" -c "
import sys; sys.path.insert(0, '$source'); import lvsa_maps
for indptr, indices in (([0, 1, 2], [0, 4]), ([0, 2, 3], [1, 1, 0]), ([0, 2, 1], [0, 1])):
  try:
      lvsa_maps.check_map(indptr, indices, 4)
      print('accepted')
  except ValueError as error:
      print(error)
"
grep -q "row 0: column 1 behind 1" out.txt || fail "a column that stands twice: $(cat out.txt)"
grep -q "indptr rises" out.txt || fail "an indptr that falls: $(cat out.txt)"
if grep -q accepted out.txt; then fail "a bad map is accepted"; fi
all_good
