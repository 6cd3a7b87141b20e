#!/bin/sh
# sweep --patterns --time with kernels that crash, hang or leave: one line each, everything else of the comparison stands.
set -eu
subcommand=sweep
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
if ! command -v "${CC:-cc}" >/dev/null; then
  echo 'no C compiler: nothing was tried'
  exit 77
fi
for load in '' -DAT_LOAD; do
  # shellcheck disable=SC2086 # no word where it is empty
  "${CC:-cc}" -std=gnu11 -O1 -shared -fPIC -w $load -I "$LVSA_SOURCE_DIR" "$LVSA_SOURCE_DIR/tests/cli/compare_faults.c" -o "faults$load.so"
done
video='T=3 h=8 w=8 heads=2 D=32 seed=1'
# Of these the first keeps more than half of the blocks, the second less.
patterns='random block_q=8 block_k=8 density=0.8; random block_q=8 block_k=8 density=0.2; dense block_q=8 block_k=8'
set -- --synthetic "$video" --patterns "$patterns" --rows-per-frame 1 --quiet --time-blocks 1

gives 0 '3 patterns x 2 samples' "$@" --out whole
cat >look.py <<'PY'
import csv, math, sys
folder, lost, reason = sys.argv[1], sys.argv[2], sys.argv[3]
rows = list(csv.DictReader(open(folder + "/compare.csv")))
whole = list(csv.DictReader(open("whole/compare.csv")))
assert len(rows) == len(whole) == 6
for row, known in zip(rows, whole):
    for name in known:
        if not name.startswith("measured_") and name != "untimed":
            assert row[name] == known[name], (name, row)
    bad = lost == "all" or "density=0.2" in row["pattern"]
    assert (reason in row["untimed"]) == bad, row
    assert math.isfinite(float(row["measured_ms"])) == (not bad), row
PY
# name: exit code, what stands in the file
for case in 'crashes 1 CRASH: its process ended with signal 11 (SIGSEGV' 'leaves 1 CRASH: its process ended with exit code 0' \
  'refuses 0 kernel refuses: run returned status'; do
  name=${case%% *}
  rest=${case#* }
  gives "${rest%% *}" 'not timed ' "$@" --out "$name" --time "./faults.so:$name"
  python3 look.py "$name" one "${rest#* }" || fail "$name: $(cat out)"
done
grep -q "kernel ./faults.so:crashes: CRASH: its process ended with signal 11 (.*) during: pattern 'random block_q=8 block_k=8 density=0.2', layer 0 step 0 head 1: its first call over the pattern" \
  crashes/compare.csv || fail "the line of a crash: $(cat crashes/compare.csv)"
gives 1 'not timed 1 times' "$@" --out hangs --time ./faults.so:hangs --timeout 1.5
python3 look.py hangs one 'TIMEOUT: no sign of life for 1.5 s' || fail "hangs: $(cat out)"

# One that always crashes is given up; what it says last is told.
code=0
"$LVSA_VERIFY" sweep "$@" --out always --time ./faults.so:always --json --html always.html >out 2>err || code=$?
[ "$code" -eq 1 ] || fail "always: exit code $code: $(cat err)"
[ "$(grep -c 'cannot go on' err)" -eq 3 ] || fail "always: started another number of times than 3: $(cat err)"
grep -q '"untimed_patterns":6,.*not called any more' out || fail "always: $(cat out)"
python3 look.py always all 'kernel ./faults.so:always: ' || fail 'always'
grep -q '<h2>Not timed</h2>' always.html || fail 'always: the page'
grep -q 'last words: cannot go on' always/compare.csv || fail 'always: its last words'
grep -q 'not called any more: lost 3 times in a row' always/compare.csv || fail 'always: given up'

# What is there is told again, with the same exit code.
code=0
"$LVSA_VERIFY" sweep "$@" --out crashes --time ./faults.so:crashes --resume >out 2>err || code=$?
if [ "$code" -ne 1 ] || ! grep -q 'CRASH' out; then fail "crashes, once more: exit code $code: $(cat out err)"; fi
refuses '--time: ./faults.so:crashes then, ./faults.so:hangs now' "$@" --out crashes --time ./faults.so:hangs --resume
code=0
"$LVSA_VERIFY" sweep "$@" --out loading --time ./faults-DAT_LOAD.so >out 2>err || code=$?
[ "$code" -eq 2 ] || fail "loading: exit code $code"
grep -q 'CRASH: its process ended with signal 6 .* during: loading the library' err || fail "loading: $(cat err)"
all_good
