#!/bin/sh
# A sweep has the same files however it is run: any number of threads, killed and resumed, in shards.
set -eu
subcommand=sweep
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
unset OMP_NUM_THREADS || true

video='T=9 h=3 w=5 heads=2 D=16 layers=3 seed=1'
axes='--window 1:3 --scale 0.3:0.9:0.3 --rotate 0,1 --patterns-per-unit 4'
# sweep_into FOLDER OPTION...
sweep_into() {
  into=$1
  shift
  # shellcheck disable=SC2086 # axes are words
  "$LVSA_VERIFY" sweep --synthetic "$video" $axes --out "$into" "$@" >"$into.out" 2>"$into.err" </dev/null
}
same_files() {
  for name in sweep.h5 sweep.csv summary.csv; do
    cmp "$1/$name" "$2/$name" || fail "$2: another $name"
  done
}

sweep_into whole
grep -q 'front of token density against rel_l2' whole.out || fail 'no front printed'
[ "$(wc -l <whole/summary.csv)" -eq 19 ] || fail 'summary.csv: 18 settings are due'
[ "$(wc -l <whole/sweep.csv)" -eq 109 ] || fail 'sweep.csv: 18 settings x 6 samples are due'
[ ! -e whole/sweep.journal ] || fail 'the journal is left'
for threads in 1 3; do
  sweep_into "threads$threads" --threads "$threads"
  same_files whole "threads$threads"
done

# Shards, in any order.
for i in 1 2 3 4; do sweep_into "part$i" --shard "$i/4"; done
grep -q 'shard 1/4' part1.out || fail 'the shard is not named'
"$LVSA_VERIFY" merge part3 part1 part4 part2 --out merged >merged.out
same_files whole merged
subcommand=merge
refuses 'shard 2/4 is not among those given' part1 part3 part4 --out merged2
refuses 'is the folder of a shard' part1 part2 part3 part4 --out part1
mkdir -p empty
refuses 'folders of one kind' part1 empty --out merged2
refuses 'holds a whole sweep' whole part1 --out merged2
subcommand=sweep

# Killed at any moment, resumed as often as it takes.
attempts=0
pause=0.02
code=1
while [ "$code" -ne 0 ]; do
  attempts=$((attempts + 1))
  code=0
  if [ "$attempts" -lt 8 ]; then
    # shellcheck disable=SC2086 # axes are words
    timeout -s KILL "$pause" "$LVSA_VERIFY" sweep --synthetic "$video" $axes --out killed --resume \
      >killed.out 2>killed.err </dev/null || code=$?
    pause=$(awk "BEGIN { print $pause * 1.6 }")
  else
    sweep_into killed --resume || code=$?
    [ "$code" -eq 0 ] || { fail "resumed: exit code $code: $(cat killed.err)"; break; }
  fi
done
same_files whole killed
sweep_into killed --resume # is there already
same_files whole killed
sweep_into killed # again from the start
same_files whole killed

# An interrupted one is neither lost nor taken for another.
cp -r part1 unfinished
# shellcheck disable=SC2086 # axes are words
{
  refuses '--resume goes on with them' --synthetic "$video" $axes --shard 1/4 --out unfinished
  refuses 'shard: 1/4 then, 1/1 now' --synthetic "$video" $axes --resume --out unfinished
  refuses '--rows-per-frame: 8 then, 5 now' --synthetic "$video" $axes --rows-per-frame 5 --out whole
  refuses 'setting 1:' --synthetic "$video" $axes --n-first 2 --out whole
  refuses 'source: ' --synthetic "$video noise=2" $axes --out whole
  sweep_into unfinished --overwrite
}
same_files whole unfinished
begins=$(head -n 1 part1/sweep.journal | wc -c)
printf x | dd of=part1/sweep.journal bs=1 seek=$((begins + 50)) conv=notrunc 2>/dev/null
# shellcheck disable=SC2086 # axes are words
refuses 'part1/sweep.journal' --synthetic "$video" $axes --shard 1/4 --resume --out part1

# A full disk leaves the files of before.
(
  ulimit -f 8 # blocks of 512 bytes: less than the tables
  code=0
  sweep_into full || code=$?
  [ "$code" -eq 2 ] && [ "$(wc -l <full.err)" -eq 1 ] && grep -q 'full/' full.err
) || fail "full disk: $(cat full.err)"
[ ! -e full/sweep.h5 ] || fail 'full disk: half a file'
sweep_into full --resume
same_files whole full

# Requirements.
small="T=9 h=3 w=5 heads=1 D=16 seed=1"
gives 0 'best with recall>=0.5' --synthetic "$small" --window 1:4 --require 'recall>=0.5' --out good
gives 1 'no setting meets recall>1; nearest: W=' --synthetic "$small" --window 1:4 --require 'recall>1' --out none
gives 0 '"knee":' --synthetic "$small" --window 1:4 --json --out json
gives 0 '12 settings x 1 samples' --synthetic "$small" --window 0:5 --scale 0.2:1:0.2 --random 12 --seed 3 --out random

# Captured tensors.
gives 0 '3 settings x 24 samples' --capture "$LVSA_SOURCE_DIR/fixtures/captures/wan_tiny.h5" --window 0:2 --out captured
gives 0 '3 settings x 2 samples' --capture "$LVSA_SOURCE_DIR/fixtures/captures/wan_tiny.h5" --layers 1 --steps 0 \
  --heads 1 --window 0:2 --out chosen
gives 0 '121' --published-table

# Bad input.
refuses '--capture FILE or --synthetic WORDS is due' --out bad
refuses "--scale '0.5:x'" --synthetic "$small" --scale 0.5:x --out bad
refuses 'recall_p01' --synthetic "$small" --require 'recal>=0.9' --out bad
refuses 'entropy_dense' --synthetic "$small" --front entropy_dense --out bad
refuses '2/1' --synthetic "$small" --shard 2/1 --out bad
refuses '--budget' --synthetic "$small" --budget 5 --scale 0.5 --out bad
refuses "head" --synthetic "$small" --heads 7 --out bad
refuses 'none.h5' --capture none.h5 --out bad
refuses 'settings' --synthetic "$small" --window 0:999 --reference 1:999 --n-first 0:9 --out bad
echo 'W=3 colour=2' >list
refuses 'list:1:' --synthetic "$small" --settings-file list --out bad
echo x >file
refuses '--out file' --synthetic "$small" --window 1 --out file
[ ! -e bad ] || fail 'bad input leaves a folder'

# Ends in order where a signal asks for it: the signal comes when the journal has begun to grow.
"$LVSA_VERIFY" sweep --synthetic 'T=21 h=8 w=12 heads=8 layers=8 D=32 seed=1' --window 1 \
  --out stopped >stopped.out 2>stopped.err </dev/null &
sweeping=$!
size() { wc -c 2>/dev/null <stopped/sweep.journal || echo 0; }
while kill -0 "$sweeping" 2>/dev/null && [ "$(size)" -eq 0 ]; do sleep 0.02; done
begun=$(size)
while kill -0 "$sweeping" 2>/dev/null && [ "$(size)" -le "$begun" ]; do sleep 0.02; done
kill -TERM "$sweeping"
wait "$sweeping" || true
grep -q 'stopped: [0-9]* of 64 units are kept in stopped, and --resume' stopped.err ||
  fail "no word on the stop: $(cat stopped.err)"

all_good
