#!/bin/sh
# lvsa-verify pattern: rules listed and asked, files written, checked and read again, plugins.
set -eu
subcommand=pattern
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"

size='T=5,h=6,w=8,text=10'

gives 0 'radial       Radial attention'
gives 0 '"name": "sta"' --json
gives 0 'decay=1' radial --about
gives 0 'kept           50 of 50, a share of 1.0000' dense --size T=10,h=8,w=8
gives 0 'pattern        lvsa window=1 interval=0' lvsa interval=0 window=1 n_first=1 --size "$size"
gives 0 'layer 0 step 3 head 0' lvsa rotate=1 window=1 interval=4 --size "$size" --steps 0:3
gives 0 '"choice": "dense"' radial dense_layers=1 --size "$size" --json
gives 0 'layer 0 step 0 head 1' sparge topk=0.5 --synthetic 'T=3 h=8 w=8 heads=2 D=64'

# A file in each format is the pattern it was written from, and passes its own check.
words='sta tile=2,3,4 window=1 ragged=tiles'
for file in a.h5 a.safetensors a.npy; do
  gives 0 'tokens         250' "$words" --size "$size" --out "$file"
  gives 0 'the same pairs of tokens' csr file=$file --size "$size" --against "$words"
  gives 0 '/                                8   1.0000   0.1613' --check "$file"
done
# Many patterns in one file, and the way to each of them.
rotating='lvsa rotate=1 window=1 interval=3 n_first=0'
gives 0 'layer 0 step 2' "$rotating" --size "$size" --steps 0:2 --out many.h5
gives 0 'layer0/step1/head0' --check many.h5
gives 0 'the same pairs of tokens' 'csr file=many.h5 group=layer{layer}/step{step}/head{head}' \
  --size "$size" --steps 2 --against "$rotating"
gives 1 'first pair     query token 0, key token 96' lvsa window=0 interval=2 --size "$size" \
  --against 'lvsa window=0 interval=4'
gives 1 '"row":' dense --size "$size" --against 'lvsa window=0 interval=0 n_first=1' --json

gives 0 'a share of' "$words" --size "$size" --png map.png
[ "$(head -c 4 map.png | tail -c 3)" = PNG ] || fail 'map.png is no picture'

refuses "pattern 'radia': not known" radia --size "$size"
refuses '--size T=..,h=..,w=.. is due' dense
refuses "--size: 'T=x'" dense --size T=x
refuses 'needs q and k' sparge --size T=5,h=8,w=8
"$LVSA_VERIFY" synth -o tensors.h5 T=1 h=1 w=2 heads=1 D=16 >/dev/null
refuses 'holds no tensor indptr' --check tensors.h5
refuses 'no such file' --check missing.h5
refuses 'for a sequence of 251 tokens' csr file=a.h5 --size 'T=5,h=6,w=8,text=11'
refuses 'no tensor indptr' csr file=many.h5 group=layer0/step9/head0 --size "$size"
refuses '--png: a picture of one pattern' dense --size "$size" --steps 0:2 --png map.png
refuses 'neither --out nor --png' dense --size "$size" --against dense --out b.h5
refuses '--size: P=32, but layer 0' dense --synthetic 'T=3 h=8 w=8 heads=1 D=64' --size h=4,w=8

compile() { "${CC:-cc}" -std=c11 -Wall -Wextra -Werror -O1 -shared -fPIC -I "$LVSA_SOURCE_DIR" "$@"; }
command -v "${CC:-cc}" >/dev/null || exit 77
compile "$LVSA_SOURCE_DIR/fixtures/skeleton/pattern.c" -o pattern.so
compile -x c - -o starts.so <<'END'
#include <stdlib.h>
__attribute__((constructor)) static void start(void) { abort(); }
END
refuses 'CRASH: its process ended with signal 6 (SIGABRT, Aborted) during: loading' \
  plugin file=starts.so --size "$size"
gives 0 'kept           34 of 64' plugin file=./pattern.so args=1 --size 'T=7,h=3,w=4,text=5'
refuses 'args=x: a number of frames is due' plugin file=pattern.so args=x --size "$size"
compile "$LVSA_SOURCE_DIR/tests/cli/pattern_faults.c" -o faults.so
faulty() { refuses "$2" plugin file=faults.so rule=faults args="$1" --size T=3,h=3,w=2; }
gives 0 'kept           3 of 4' plugin file=faults.so rule=faults --size T=3,h=3,w=2
faulty fails 'faults.so:faults: nothing to be had at all'
faulty silent 'faults.so:faults: it returned without a result'
faulty column 'row 1: column 2 is out of range, 0 .. 1 are due'
faulty twice 'row 0: column 0 comes twice'
faulty indptr 'row 1: indptr falls from 4 to 3'
faulty short 'row_begin: blocks of 17 tokens, 18 are due'
faulty blocks 'row_begin: -1 blocks for 18 tokens'
faulty size 'a result of 8 bytes'
faulty order 'order: place 1: token 0 comes twice, first at place 0'
faulty null 'an empty result'
faulty again 'a second result for one request'
# One that ends or hangs its process costs the call in hand: one line says how and where.
faulty crashes 'args=crashes: CRASH: its process ended with signal 11 (SIGSEGV, '
"$LVSA_VERIFY" pattern plugin file=faults.so rule=faults args=aborts --size T=3,h=3,w=2 >out 2>err && fail 'aborts'
grep -q 'during: layer 0 step 0 head 0 of T=3 P=6 text=0; last words: cannot go on' err || fail "aborts: $(cat err)"
faulty exits 'CRASH: its process ended with exit code 0 during: layer 0'
faulty closes 'CRASH: its process ended with exit code 113; it has closed file descriptors'
refuses 'args=hangs: TIMEOUT: no sign of life for 0.3 s during: layer 0 step 0 head 0' \
  plugin file=faults.so rule=faults args=hangs --size T=3,h=3,w=2 --timeout 0.3
refuses 'step 0 head 2 of T=3' plugin file=faults.so rule=faults args=third --size T=3,h=3,w=2 --heads 0:4
# What it prints is no result.
"$LVSA_VERIFY" pattern plugin file=faults.so rule=faults args=prints --size T=3,h=3,w=2 >out 2>err
if ! grep -q 'kept           3 of 4' out || ! grep -qx 'said to stdout' err; then
  fail "prints: $(cat out err)"
fi
gives 0 'kept           3 of 4' plugin file=faults.so rule=faults --size T=3,h=3,w=2 --isolate none
refuses 'it needs q and k' plugin file=faults.so rule=needy --size T=3,h=3,w=2
refuses "has no rule 'other'; it has: faults needy" plugin file=faults.so rule=other --size T=3,h=3,w=2
refuses 'holds several rules' plugin file=faults.so --size T=3,h=3,w=2
refuses 'no such file' plugin file=missing.so --size T=3,h=3,w=2
all_good
