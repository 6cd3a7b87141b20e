#!/bin/sh
# sweep --patterns killed at several moments, resumed, in shards: the bytes of one that ran at once; what is not the same
# comparison is refused.
set -eu
subcommand=sweep
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
video='T=5 h=8 w=8 heads=10 D=64 seed=1'

compare() {
  "$LVSA_VERIFY" sweep --synthetic "$video" --patterns 'lvsa window=1; radial; sparge' --density 0.6,0.4 --rows-per-frame 2 \
    --quiet "$@"
}
# For the background: its process is the tool itself.
started() {
  exec "$LVSA_VERIFY" sweep --synthetic "$video" --patterns 'lvsa window=1; radial; sparge' --density 0.6,0.4 \
    --rows-per-frame 2 --quiet --threads 1 "$@"
}
same() {
  for name in compare.h5 compare.csv summary.csv; do
    cmp "whole/$name" "$1/$name" || fail "$1: $name differs from that of a comparison that ran at once"
  done
  [ ! -e "$1/compare.journal" ] || fail "$1: the journal is still there"
}
units() { grep -ao LVSAUNIT "$1/compare.journal" 2>/dev/null | wc -l; }
has_units() { [ "$(units killed)" -ge "$1" ] || ! kill -0 "$run" 2>/dev/null; }

compare --out whole >whole.out
# Killed as soon as the first, the third and the sixth head are done; again where it was over before it was killed.
for due in 1 3 6; do
  tries=0
  while :; do
    started --out killed --resume >killed.out 2>&1 &
    run=$!
    soon has_units "$due" || fail "no $due units came: $(cat killed.out)"
    kill -9 "$run" 2>/dev/null || true
    wait "$run" 2>/dev/null || true
    [ ! -e killed/compare.journal ] || break
    rm -rf killed
    tries=$((tries + 1))
    [ "$tries" -lt 20 ] || fail "$due: the run is always over before it is killed"
  done
  now=$(units killed)
  [ "$now" -ge "$due" ] || fail "$due: $now units are left"
done
refuses "units of this comparison already; --resume goes on" --synthetic "$video" --patterns 'lvsa window=1; radial; sparge' \
  --density 0.6,0.4 --rows-per-frame 2 --out killed
refuses '--density: 0.6,0.4 then, 0.6,0.3 now' --synthetic "$video" --patterns 'lvsa window=1; radial; sparge' \
  --density 0.6,0.3 --rows-per-frame 2 --out killed --resume
refuses "pattern 1: 'lvsa window=1' then, 'lvsa' now" --synthetic "$video" --patterns 'lvsa; radial; sparge' \
  --density 0.6,0.4 --rows-per-frame 2 --out killed --resume
refuses 'seed=1' --synthetic 'T=5 h=8 w=8 heads=10 D=64 seed=2' --patterns 'lvsa window=1; radial; sparge' \
  --density 0.6,0.4 --rows-per-frame 2 --out killed --resume
# The journal of another version: its first line is made again, with the hash that belongs to it.
mkdir other
cp killed/compare.journal other
cat >age.py <<'PY'
import re
data = open("other/compare.journal", "rb").read()
line, rest = data.split(b"\n", 1)
words = line.split(b" ", 4)
plan = re.sub(rb'"tool":"[^"]*"', b'"tool":"0.0.1 (old)"', words[4])
M = (1 << 64) - 1
def mix(x):
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & M
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & M
    return x ^ (x >> 31)
total = len(plan)
for i in range(0, len(plan), 8):
    total += mix((int.from_bytes(plan[i:i + 8], "little") + (i // 8 + 1) * 0x9E3779B97F4A7C15) & M)
head = b"%s 1 %d %016x %s\n" % (words[0], len(plan), mix(total & M) or 1, plan)
open("other/compare.journal", "wb").write(head + rest)
PY
python3 age.py
refuses 'lvsa-verify: 0.0.1 (old) then, ' --synthetic "$video" --patterns 'lvsa window=1; radial; sparge' \
  --density 0.6,0.4 --rows-per-frame 2 --out other --resume
compare --out killed --resume --threads 2 >killed.out 2>killed.err || fail "resumed: $(cat killed.err)"
grep -q '^resuming killed: [0-9]* of 10 units are done' killed.err || fail "resuming: $(cat killed.err)"
same killed
compare --out killed --resume >again.out 2>again.err || fail "again: $(cat again.err)"
grep -q 'the comparison is there already' again.err || fail "again: $(cat again.err)"
same killed
sed 's/whole/killed/g' whole.out >whole.names
diff whole.names again.out || fail 'what is there already is printed in another way'

# In shards, of which the first gets a signal that lets the unit in hand be finished.
started --out part1 --shard 1/2 >part.out 2>part.err &
run=$!
soon test -s part1/compare.journal || fail 'part1 did not begin'
kill -TERM "$run" 2>/dev/null || true
wait "$run" 2>/dev/null || true
compare --out part1 --shard 1/2 --resume >part.out 2>&1
grep -q 'shard 1/2 in part1: its 5 units (of 10 in all) are done' part.out || fail "part1: $(cat part.out)"
subcommand=
refuses 'the folder of shard 2/2 is not among those given' merge part1 --out merged
compare --out part2 --shard 2/2 >part.out 2>&1
gives 0 '6 patterns x 10 samples' merge part2 part1 --out merged --html merged.html
same merged
refuses '--require: belongs to sweeps of settings' merge part1 part2 --out other --require 'recall>=0.5'
refuses 'holds a comparison, whole.out does not' merge part1 whole.out --out other
refuses 'holds a comparison of patterns' sweep --synthetic "$video" --out merged

# A file of patterns that has changed makes another comparison.
make_file() {
  rm -f file.h5
  "$LVSA_VERIFY" pattern "$@" --synthetic "$video" --out file.h5 >/dev/null
}
csr() {
  "$LVSA_VERIFY" sweep --synthetic "$video" --patterns 'csr file=file.h5 group=layer{layer}/step{step}/head{head}' \
    --rows-per-frame 1 --quiet --out csr "$@"
}
make_file radial
csr >/dev/null
make_file radial decay=0.5
csr --resume >csr.out 2>csr.err && fail 'another file was taken for the same'
grep -q 'csr file file.h5: hash' csr.err || fail "csr: $(cat csr.err)"
all_good
