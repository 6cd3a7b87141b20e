#!/bin/sh
# Runs that are interrupted, resumed, split and merged: the report is the same, byte by byte.
set -eu
# shellcheck source=tests/cli/common.inc
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
lv=$LVSA_VERIFY
unset OMP_NUM_THREADS || true
i=0
while [ "$i" -lt 24 ]; do
  i=$((i + 1))
  echo "T=$((i % 5 + 3)) P=$((i % 7 + 2)) text=$((i % 3)) H=2 Hkv=1 D=16 dtype=f32 W=1 ref=3 step=$i input=gauss seed=$i rows=0"
done >cases.txt
complain() {
  echo "FAIL: $*"
  failures=$((failures + 1))
}
# judge FOLDER OPTION...: without the relations, which take most of the time.
judge() {
  folder=$1
  shift
  "$lv" kernel --suite cases.txt --relations none --no-times --out "$folder" "$@" >"$folder.out" 2>"$folder.err"
}
same_reports() {
  for name in report.jsonl report.xml report.md report.html; do
    cmp "$1/$name" "$2/$name" || complain "$3: another $name"
  done
}
refused() { # TEXT COMMAND...: exit code 2 and one line with TEXT
  text=$1
  shift
  code=0
  "$@" >out.txt 2>err.txt || code=$?
  { [ "$code" -eq 2 ] && [ "$(wc -l <err.txt)" -eq 1 ] && grep -qF -- "$text" err.txt; } || {
    complain "exit code $code, not refused with '$text': $*"
    cat err.txt
  }
}

# However it is run.
judge whole
[ "$(tail -n 1 whole.out)" = '24 passed, 0 failed' ] || complain 'whole run'
for options in '--jobs 3' '--threads 2' '--isolate none' '--jobs 2 --threads 1 --cases-per-process 5'; do
  # shellcheck disable=SC2086 # options are words
  judge other $options
  same_reports whole other "$options"
  sed 's/other/whole/g' other.out | cmp - whole.out || complain "$options: another table"
done

# With everything that a case can hold.
for options in '--threads 1' '--threads 2 --jobs 2'; do
  # shellcheck disable=SC2086 # options are words
  "$lv" kernel --suite cases.txt --filter 'seed=2' --no-times $options --out related >/dev/null
  [ -e related.first ] || cp -r related related.first
  same_reports related.first related "relations, $options"
done

# Killed at any moment, resumed as often as it takes.
attempts=0
pause=0.05
rm -rf killed
while :; do
  attempts=$((attempts + 1))
  "$lv" kernel --suite cases.txt --relations none --no-times --out killed --jobs 2 --resume >killed.out 2>killed.err &
  run=$!
  sleep "$pause"
  if ! kill -9 "$run" 2>/dev/null; then
    wait "$run" && break
  fi
  wait "$run" 2>/dev/null || true
  pause=$(echo "$pause" | awk '{ print $1 * 1.3 }')
  # The report so far ends with a whole line or a torn one, and begins with the run.
  if [ -e killed/report.jsonl ]; then
    [ "$(head -c 13 killed/report.jsonl)" = '{"type":"run"' ] || complain 'killed: no header'
  fi
  [ "$attempts" -lt 40 ] || { complain 'never finished'; break; }
done
same_reports whole killed "killed and resumed $attempts times"
sed 's/killed/whole/g' killed.out | cmp - whole.out || complain 'resumed: another table'

# A torn last line is dropped; a damaged one before it is not passed over.
mkdir -p torn
head -n 9 whole/report.jsonl >torn/report.jsonl
sed -n 10p whole/report.jsonl | head -c 200 >>torn/report.jsonl
judge torn --resume
same_reports whole torn 'torn line'
grep -q '8 of 24 cases are done' torn.err || complain 'torn: not said what is done'
mkdir -p bent
sed '5s/"number":4/"number":x/' whole/report.jsonl >bent/report.jsonl
refused 'report.jsonl:5' "$lv" kernel --suite cases.txt --relations none --no-times --out bent --resume
sed '5s/"number":4/"number":3/' whole/report.jsonl >bent/report.jsonl
refused 'report.jsonl:5' "$lv" kernel --suite cases.txt --relations none --no-times --out bent --resume
# A finished run has nothing left to do, and says the same again.
judge torn --resume
same_reports whole torn 'resumed when finished'

# Not the same run.
refused 'suite: 24 cases then, 11 now' "$lv" kernel --suite cases.txt --filter 'seed=1' --out whole --resume
sed 's/seed=7 /seed=77 /' cases.txt >other.txt
refused "case lines" "$lv" kernel --suite other.txt --out whole --resume
refused 'shard: 1/1 then, 1/2 now' "$lv" kernel --suite cases.txt --shard 1/2 --out whole --resume
refused '--relations: none then, auto now' "$lv" kernel --suite cases.txt --out whole --resume
refused '--no-report' "$lv" kernel --suite cases.txt --no-report --resume
refused '3/2' "$lv" kernel --suite cases.txt --shard 3/2 --out whole

# An interrupted run is not overwritten unasked.
mkdir -p kept
head -n 6 whole/report.jsonl >kept/report.jsonl
judge kept
grep -q 'report.interrupted.jsonl' kept.err || complain 'kept: not said'
[ "$(wc -l <kept/report.interrupted.jsonl)" -eq 6 ] || complain 'kept: not kept'
same_reports whole kept 'kept'

# Shards make the whole, in any order; nothing twice, nothing left out.
for shard in 1 2 3; do judge "part$shard" --shard "$shard/3"; done
"$lv" merge part3 part1 part2 --no-times --out merged >merged.out
cmp whole/report.xml merged/report.xml || complain 'merged: another report.xml'
cmp whole/report.jsonl merged/report.jsonl || complain 'merged: another report.jsonl'
sed 's/merged/whole/g' merged.out | cmp - whole.out || complain 'merged: another table'
refused 'shard 2/3 is not among those given' "$lv" merge part1 part3 --out bad
refused 'stands in two folders: part1 (shard 1/3) and part1 (shard 1/3)' "$lv" merge part1 part2 part3 part1 --out bad
refused 'stands in two folders' "$lv" merge whole part2 --out bad
refused 'is the folder of a shard' "$lv" merge part1 part2 part3 --out part1
head -n 3 part2/report.jsonl >bent/report.jsonl
refused 'shard 2/3 in bent is unfinished' "$lv" merge part1 bent part3 --out bad
refused 'nowhere/report.jsonl' "$lv" merge part1 nowhere --out bad
[ ! -e bad ] || complain 'a refused merge leaves a folder'

# One run a folder.
# A kernel that does SLOW first where there are four frames.
sed '1i #include <unistd.h>
s/^  const int64_t tokens = .*/&\n  if (p->frames == 4) { SLOW; }/' "$LVSA_SOURCE_DIR/fixtures/skeleton/skeleton.c" >slow.c
slow() { "${CC:-cc}" -std=gnu11 -O1 -shared -fPIC -w -I"$LVSA_SOURCE_DIR" "-DSLOW=$1" slow.c -o "$2" -lm; }
slow 'for (int i = 0; i < 3000 && access("go", F_OK) != 0; ++i) usleep(10000)' slow.so
"$lv" kernel --kernel ./slow.so --suite cases.txt --out busy >busy.out 2>busy.err &
run=$!
soon test -e busy/report.jsonl || complain "busy: does not begin: $(cat busy.err)"
refused 'another run is writing its reports there' "$lv" kernel --suite cases.txt --out busy
kill -TERM "$run"
touch go
code=0
wait "$run" || code=$?
[ "$code" -eq 143 ] || complain "stopped: exit code $code"
grep -q 'kept in busy/report.jsonl' busy.err || complain 'stopped: not said what is kept'

# Rows stand in the order of the suite, however many have to wait for a slow one.
slow 'usleep(100000)' late.so
{
  echo 'T=4 P=4 H=1 D=8 dtype=f32 ref=3 input=gauss seed=1 rows=0'
  seq 400 | awk '{ print "T=1 P=" 1 + $1 % 29 " H=1 D=8 dtype=f32 ref=3 input=gauss seed=" $1 " rows=1" }'
} >many.txt
for jobs in 1 2; do
  "$lv" kernel --kernel ./late.so --suite many.txt --relations none --cases-per-process 500 --jobs "$jobs" \
    --no-times --no-report >late.$jobs || complain "late: exit code $?"
done
[ "$(grep -c ^pass late.2)" -eq 401 ] || complain 'late: not 401 rows'
cmp late.1 late.2 || complain 'late: rows in another order'

# A full disk (here: a limit on file sizes) costs one line and nothing that was done.
code=0
(
  ulimit -f 24
  exec "$lv" kernel --suite cases.txt --relations none --no-times --out full
) >full.out 2>full.err || code=$?
[ "$code" -eq 2 ] || complain "full: exit code $code"
[ "$(wc -l <full.err)" -eq 1 ] || complain 'full: not one line'
grep -q 'full/report.jsonl: cannot be written.*are kept in full/report.jsonl' full.err || complain "full: $(cat full.err)"
done=$(sed -n 's/.*; \([0-9]*\) of 24 cases.*/\1/p' full.err)
[ "$(wc -l <full/report.jsonl)" -eq $((done + 1)) ] || complain 'full: half a line is left'
judge full --resume
same_reports whole full 'full disk'

[ "$failures" -eq 0 ]
