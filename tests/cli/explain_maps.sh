#!/bin/sh
# lvsa-verify explain with block maps: an element, a pair of blocks, another rule, files, bad input.
set -u
subcommand=explain
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
has() { grep -qF -e "$1" out || fail "no '$1' in: $(cat out)"; }
sizes='T=4 P=40 text=9 H=2 Hkv=1 D=32 dtype=bf16 ref=21 step=0 seed=1 rows=0'
masked="pattern=random:block_q=16:block_k=32:density=0.6:masks=0.4:order=1 $sizes input=gauss"
skipping="pattern=random:block_q=16:block_k=16:density=0.9:skip=-1 $sizes input=gauss sigma=2"

gives 0 'row 7 of query block 8 (places 128-143)' "$masked" --at 0,1,20,5 --kernel cpu-blocks
has 'rule            random block_q=16 block_k=32 density=0.6 masks=0.4 order=1, by default empty=0'
has 'Element masks, the query'
has 'of 9     all'
has 'kernel          0.0544433594: inside'
has 'cut across kept blocks'
gives 0 'only there: 1, 4; in both with other pairs: none' "$masked" --at 0,1,20,5 \
  --against 'random block_q=16 block_k=32 density=0.9 masks=0.4 order=1'
gives 1 'inside what is accepted there' "$masked" --at 0,1,20,5 --against dense --kernel emulated-blocks-dense
has 'kernel          0.125: OUTSIDE'
has 'Against dense, all parameters by default'
gives 0 'SKIPPED, gain -0.2014' "$skipping" --at 0,0,16,3
has 'skipped         3.926 % of the row'

gives 0 'NOT kept; query block 3 keeps 2-5' "$masked" --block 0,1,3,1 --kernel cpu-blocks
has 'as the map has it                               16 of 16'
gives 0 'kept by         query blocks ' "$masked" --block 0,1,3,2
grep -q 'Rows of query block' out && fail 'rows of no kernel'
gives 1 'with no element mask                            16 of 16  <- fits' "$masked" --block 0,0,2,0 \
  --kernel emulated-blocks-mask-ignored
gives 1 'with map and masks of head 0                    16 of 16  <- fits' "$masked" --block 0,1,3,2 \
  --kernel emulated-blocks-map-of-head-0

# JSON, where python3 reads it.
gives 0 '"key_blocks":[{"block":0,' "$masked" --at 0,1,20,5 --json --against dense
if command -v python3 >/dev/null 2>&1; then
  python3 -c "
import json
e = json.load(open('out'))
blocks = e['map']['key_blocks']
assert sum(len(b['tokens']) for b in blocks) == e['row']['keys'], e['row']['keys']
assert abs(sum(b['weight'] for b in blocks) - 1) < 1e-9
assert e['map']['against']['keys'] == 169 and e['map']['against']['shared_keys'] == e['row']['keys']
" || fail 'the JSON of an element'
fi
gives 0 '"kept":true' "$masked" --block 0,1,3,2 --json

# Files: what a script left (none here), and the small case of a failure.
subcommand=
gives 0 '2 case' export --case "$masked" --case "$skipping" -o cases.h5
gives 0 'row 7 of query block 8' explain cases.h5 --group case0000 --at 0,1,20,5
refuses 'cases.h5 has 2 cases: --group, one of case0000 .. case0001, is due' explain cases.h5 --at 0,1,20,5
refuses '--group case0009: cases.h5 has case0000 .. case0001' explain cases.h5 --group case0009 --at 0,1,20,5
gives 0 'repeat: lvsa-verify replay replay.json' shrink --kernel emulated-blocks-mask-ignored \
  --case "$masked" --output replay.json
gives 1 'Rows of query block 0 that fit' explain replay.json --block 0,0,0,0 --kernel emulated-blocks-mask-ignored
gives 0 'The map' explain replay.json --at 0,0,0,0 --kernel cpu-blocks
cp "$LVSA_SOURCE_DIR/fixtures/fuzz/replay/seed0" frames.json
refuses 'the case that it is from is due here: model=custom T=2 P=1' explain frames.json --at 0,0,0,0
echo '{"lvsa_replay": 1}' >broken.json
refuses 'broken.json: ' explain broken.json --at 0,0,0,0

subcommand=explain
refuses 'one of --at (an element) and --block is due' "$masked"
refuses 'one of --at (an element) and --block is due' "$masked" --at 0,0,0,0 --block 0,0,0,0
refuses '--block 0,0,1: four integers batch,head,query block,key block are due' "$masked" --block 0,0,1
refuses '--block: query block 11 is outside this case; 0 .. 10 is due' "$masked" --block 0,0,11,0
refuses '--at: row (query token) 169 is outside this case; 0 .. 168 is due' "$masked" --at 0,0,169,0
refuses '--against: --at is due with it' "$masked" --block 0,0,0,0 --against dense
refuses "pattern 'sparkle'" "$masked" --at 0,0,0,0 --against sparkle
refuses 'it takes frame lists, no block maps' "$masked" --at 0,0,0,0 --kernel cpu
refuses '--block: a case with pattern= is due, this one has frame lists' "$sizes input=gauss" --block 0,0,0,0
refuses '--group case0000: a file of lvsa-verify export is due' "$masked" --at 0,0,0,0 --group case0000
all_good
