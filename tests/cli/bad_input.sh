#!/bin/sh
# Bad input: exit code 2, one line on stderr that names what is wrong, nothing on stdout but what was
# printed before, nothing left behind.
set -u
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"

fixtures=$LVSA_SOURCE_DIR/fixtures
lv=$LVSA_VERIFY

# Usage.
expect 2 "colour" "$lv" colour
expect 2 "subcommand" "$lv"
expect 2 "--colour" "$lv" kernel --colour
expect 2 "--case" "$lv" kernel --case 'T=1 P=1 D=8' --suite smoke
expect 0 "Example" "$lv" kernel --help
expect 0 "0." "$lv" --version

# Vectors.
expect 2 "missing.ndjson" "$lv" vectors missing.ndjson
mkdir -p folder.h5
expect 2 "directory" "$lv" vectors folder.h5
expect 2 "directory" "$lv" vectors .
head -c 100000 "$fixtures/pattern_vectors.ndjson.gz" >cut.ndjson.gz
expect 2 "cut.ndjson.gz" "$lv" vectors cut.ndjson.gz
head -c 100000 "$fixtures/attention_vectors.h5" >cut.h5
expect 2 "cut.h5" "$lv" vectors cut.h5
head -c 4 "$fixtures/attention_vectors.h5" >stub.h5
expect 2 "stub.h5" "$lv" vectors stub.h5
{
  head -c 50000 "$fixtures/pattern_vectors.ndjson.gz"
  echo garbage
  tail -c 50000 "$fixtures/pattern_vectors.ndjson.gz"
} >bent.ndjson.gz
expect 2 "bent.ndjson.gz" "$lv" vectors bent.ndjson.gz
: >empty.ndjson
expect 2 "no recorded case" "$lv" vectors empty.ndjson
echo '{"fn": "compute_auto_kfi", "args": {"total_frames": 1' >broken.ndjson
expect 2 "broken.ndjson:1" "$lv" vectors broken.ndjson
echo '{"fn": "compute_auto_kfi", "args": {"total_frames": "x"}, "out": 1}' >typed.ndjson
expect 2 "total_frames" "$lv" vectors typed.ndjson
echo '{"fn": "nonsense", "args": {}, "out": 1}' >unknown.ndjson
expect 2 "nonsense" "$lv" vectors unknown.ndjson
echo '{"fn": "mask_log_should_fire", "args": {"spec": "1", "step": 1, "last": 0}, "out": false}' >wrong.ndjson
expect 1 "0 passed, 1 failed" "$lv" vectors wrong.ndjson

# Kernels and cases.
expect 2 "nokernel" "$lv" kernel --kernel nokernel
expect 2 "missing.so" "$lv" kernel --kernel ./missing.so
expect 2 "wrong.ndjson" "$lv" kernel --kernel ./wrong.ndjson:x
expect 2 "T=0" "$lv" kernel --no-report --case 'T=0 P=1 D=8'
expect 2 "64 bits" "$lv" kernel --no-report --case 'T=4000000000 P=4000000000 D=64'
expect 2 "GiB" "$lv" kernel --no-report --case 'T=100000 P=100000 H=8 Hkv=8 D=128 dtype=bf16 interval=0 ref=1 seed=1 rows=1'
expect 2 "colour=red" "$lv" kernel --no-report --case 'T=1 P=1 D=8 colour=red'
expect 2 "nosuite" "$lv" kernel --no-report --suite nosuite
printf 'T=1 P=1 D=8\n# fine\nT=1 P=0 D=8\n' >suite.txt
expect 2 "suite.txt:3" "$lv" kernel --no-report --suite suite.txt
expect 2 "nofile.h5" "$lv" kernel --no-report --case 'file=nofile.h5#case0 T=5 P=4 D=8'
expect 2 "--threads" "$lv" kernel --threads -1

# Runs and their parts.
expect 2 "--shard 0/2" "$lv" kernel --no-report --suite smoke --shard 0/2
expect 2 "--shard 1" "$lv" kernel --no-report --suite smoke --shard 1
expect 2 "--isolate" "$lv" kernel --no-report --isolate maybe
expect 2 "--timeout" "$lv" kernel --no-report --timeout -1
expect 2 "--jobs" "$lv" kernel --no-report --jobs 0
expect 2 "--jobs" "$lv" kernel --no-report --jobs 2 --isolate none
expect 2 "nofolder/report.jsonl" "$lv" merge nofolder
mkdir -p notours
echo '{"type":"case"}' >notours/report.jsonl
expect 2 "notours/report.jsonl:1" "$lv" merge notours
expect 2 "worker" "$lv" kernel --as-worker nonsense
expect 2 "/proc" "$lv" kernel --out /proc/nothing --case 'T=1 P=1 D=8 dtype=f32 rows=0'

# Output.
: >file
expect 2 "file" "$lv" kernel --out file --case 'T=1 P=1 D=8 dtype=f32 rows=0'
expect 0 "1 passed, 0 failed" "$lv" kernel --out report --case 'T=1 P=1 D=8 dtype=f32 rows=0'
for name in report.html report.jsonl report.md report.xml; do
  [ -s "report/$name" ] || { echo "FAIL: no report/$name"; failures=$((failures + 1)); }
done
if [ "$(find report -type f | wc -l)" -ne 4 ]; then
  echo "FAIL: something is left in the report folder"
  find report -type f
  failures=$((failures + 1))
fi
if [ -c /dev/full ]; then
  "$lv" kernel --no-report --case 'T=1 P=1 D=8 dtype=f32 rows=0' >/dev/full 2>err.txt
  [ $? -eq 2 ] || { echo "FAIL: a full disk behind stdout is not told"; failures=$((failures + 1)); }
fi

[ "$failures" -eq 0 ]
