#!/bin/sh
# lvsa-verify bench: verdicts and exit codes, kernels that fail, crash or hang, bad input, the simulation. What is timed
# counts, one kernel ten times as far as the other, by processor time: no load of the machine turns that round.
set -eu
subcommand=bench
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"

cat >counter.c <<'END'
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/kernel/lvsa_kernel.h"
static lvsa_status count_to(long n) {
  for (volatile long i = 0; i < n; ++i) {
  }
  return LVSA_OK;
}
#define RUN(name, body)                                                                     \
  static lvsa_status name(const lvsa_problem* p, void* w, size_t n, void* s, char* m, size_t size) { \
    (void)p, (void)w, (void)n, (void)s, (void)m, (void)size;                                \
    body                                                                                    \
  }
RUN(short_count, return count_to(200000);)
RUN(long_count, return count_to(2000000);)
RUN(fails, snprintf(m, size, "no coffee"); return LVSA_FAILED;)
RUN(crashes, fprintf(stderr, "about to fall\n"); abort();)
RUN(hangs, for (;;) pause();)
static const lvsa_memory memory[] = {LVSA_HOST, LVSA_CUDA};
const lvsa_kernel* lvsa_kernels(uint32_t version, uint32_t* count) {
  static lvsa_kernel all[6];
  const char* const names[] = {"short", "long", "fails", "crashes", "hangs", "device"};
  (void)version;
  all[0].run = short_count, all[1].run = long_count, all[2].run = fails, all[3].run = crashes, all[4].run = hangs;
  all[5].run = short_count;
  for (int i = 0; i < 6; ++i) {
    all[i].abi_version = LVSA_KERNEL_ABI_VERSION;
    all[i].struct_size = sizeof all[i];
    all[i].name = names[i];
    all[i].capabilities.struct_size = sizeof all[i].capabilities;
    all[i].capabilities.dtypes = LVSA_DTYPE_BIT(LVSA_F32);
    all[i].capabilities.head_dim_max = 64;
    all[i].capabilities.memory = memory[i == 5];
  }
  *count = 6;
  return all;
}
END
"${CC:-cc}" -O1 -shared -fPIC -I"$LVSA_SOURCE_DIR" counter.c -o counter.so
tiny='T=2 P=2 H=1 D=8 dtype=f32'
# Where processes differ, they are the unit, and fewer than eight decide nothing.
few='--processes 15 --blocks 45 --slot-ms 0.01 --clock cpu'

# shellcheck disable=SC2086 # words
gives 3 'SLOWER: 1 of 1 case' ./counter.so:short ./counter.so:long --case "$tiny" $few --json slower.json
# shellcheck disable=SC2086
gives 0 'FASTER: 1 of 1 case' ./counter.so:long ./counter.so:short --case "$tiny" $few --json faster.json
grep -q '"verdict": "SLOWER"' slower.json || fail 'slower.json has no verdict'
grep -q '"name":"long"' slower.json || fail 'slower.json does not name the kernel'
grep -q '"library":"[0-9a-f]\{16\}"' slower.json || fail 'slower.json has no hash of the library'
grep -q '"cpu_probe_ghz"' slower.json || fail 'slower.json has no clocks'

# Three blocks cannot decide anything.
gives 0 'UNDECIDED: 1 of 1 case' ./counter.so:short ./counter.so:long --case "$tiny" --processes 3 --blocks 3 --slot-ms 0.01
gives 4 'are due at the least' ./counter.so:short ./counter.so:long --case "$tiny" --processes 3 --blocks 3 \
  --slot-ms 0.01 --strict

# lost CODE TEXT ARGUMENTS...: that exit code, and one line on stderr that holds the text.
lost() {
  due=$1 text=$2
  shift 2
  code=0
  "$LVSA_VERIFY" bench "$@" >out.txt 2>err.txt || code=$?
  [ "$code" -eq "$due" ] || fail "exit code $code instead of $due: $*"
  grep -q -e "$text" err.txt || fail "no '$text' in: $(cat err.txt)"
}
lost 1 'kernel fails: run returned status 5: no coffee' ./counter.so:short ./counter.so:fails --case "$tiny"
lost 1 'SIGABRT.*kernel B (crashes) in case .*last words: about to fall' ./counter.so:short ./counter.so:crashes --case "$tiny"
lost 1 'no sign of life for 3 s during: kernel A (hangs)' ./counter.so:hangs ./counter.so:short --case "$tiny" --timeout 3

refuses 'two kernels are due' cpu
refuses './nowhere.so: cannot be read' cpu ./nowhere.so
refuses 'no built-in kernel of that name' cpu dream
refuses 'has no kernel' ./counter.so:short ./counter.so:deep
refuses 'recorded outputs' cpu captured
refuses 'across-devices is due' cpu ./counter.so:device
refuses 'no case can be timed' ./counter.so:short ./counter.so:short --case 'T=2 P=2 H=1 D=128 dtype=f32'
refuses 'T=0: an integer of at least 1' cpu cpu --case 'T=0 P=2 H=1 D=8'
refuses '--clock' cpu cpu --clock sun
refuses 'nowhere/x.json' ./counter.so:short ./counter.so:short --case "$tiny" --processes 1 --blocks 1 --json nowhere/x.json
refuses "noise 'loud'" --simulate --noise loud

gives 0 'kept: false alarms' --simulate --runs 20 --cases 3 --noise gaussian --noise drift
"$LVSA_VERIFY" bench --simulate --runs 20 --cases 3 --noise spikes >one.txt
"$LVSA_VERIFY" bench --simulate --runs 20 --cases 3 --noise spikes >two.txt
cmp one.txt two.txt || fail 'the same seed gives other numbers'
all_good
