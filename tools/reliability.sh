#!/usr/bin/env bash
# What lvsa-verify survives, in numbers: the figures of docs/reliability.md.
#
#   tools/reliability.sh [NAME...]     kill-run kill-sweep kill-compare full-disk read-only two-runs lost-kernels
#                                      million million-judged defects; without one, all but the millions
#
# LVSA_VERIFY: the program (build/lvsa-verify); MOMENTS: how many times a run is killed (200); CASES: how many
# million-judged judges (1,000,000: half an hour on two busy cores, 5 GB of disk in TMPDIR; 200,000: four minutes). Prints a row
# a check, and exits with 1 when one does not hold.
set -uo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
lv=$(realpath -- "${LVSA_VERIFY:-$root/build/lvsa-verify}")
[[ -x $lv ]] || { echo "reliability: $lv: no program; ./dev build lvsa-verify makes it" >&2; exit 2; }
moments=${MOMENTS:-200}
scratch=$(mktemp -d)
trap 'umount "$scratch/small" 2>/dev/null; chmod -R u+w "$scratch" 2>/dev/null; rm -rf -- "$scratch"' EXIT
cd -- "$scratch" || exit 2
export OMP_WAIT_POLICY=passive
bad=0

row() { printf '| %s | %s |\n' "$1" "$2"; }
wrong() {
  echo "reliability: $*" >&2
  bad=1
}

# Seconds between 0 and $1, in thousandths, from a generator with a fixed seed.
RANDOM=20
moment() { printf '%d.%03d' 0 $((RANDOM % $1)); }

cases() {
  local i
  for ((i = 0; i < $1; i++)); do
    echo "T=$((5 + i % 7)) P=$((7 + i % 5)) H=2 Hkv=1 D=16 dtype=f32 W=1 ref=3 step=$((i % 4)) input=gauss seed=$i rows=0"
  done
}

# killed COMMAND...: starts the command with --resume until it ends by itself, killed at random moments;
# what a killed one had written must be there after it. Sets `kills`, `lost`,
# `completed` and `different`.
killed() {
  local before
  kills=0 lost=0 completed=0 different=0
  while ((kills < moments)); do
    before=$(records)
    setsid "$@" --resume >out.txt 2>err.txt &
    local run=$!
    sleep "$(moment 300)"
    kill -9 -- "-$run" 2>/dev/null
    # A run that came to its end starts anew, so that there is always something to kill.
    if wait "$run" 2>/dev/null; then
      completed=$((completed + 1))
      same_as_whole || different=$((different + 1))
      rm -rf killed
    else
      kills=$((kills + 1))
      (($(records) >= before)) || lost=$((lost + 1))
    fi
  done
  "$@" --resume >out.txt 2>err.txt || wrong "the last one: $(cat err.txt)"
  completed=$((completed + 1))
  same_as_whole || different=$((different + 1))
  ((different == 0)) || wrong "killed and resumed: another result, $different times"
}

kill_run() {
  cases 40 >cases.txt
  local options=(--suite cases.txt --relations none --no-times --jobs 2)
  "$lv" kernel "${options[@]}" --out whole >whole.txt || wrong 'kill-run: the whole run failed'
  # Whole lines: the one under way when the run was killed is the case in hand.
  records() { if [[ -e killed/report.jsonl ]]; then wc -l <killed/report.jsonl; else echo 0; fi; }
  # A write that was cut short leaves a hidden file beside the old or new one.
  same_as_whole() { diff -r -x '.*.tmp' whole killed >/dev/null; }
  killed "$lv" kernel "${options[@]}" --out killed
  ((lost == 0)) || wrong "kill-run: $lost times results were gone"
  row "a run of 40 cases, killed (-9) at random moments and resumed" \
    "$kills kills, results lost: $lost, reports different from an uninterrupted run's: $different of $completed"
}

kill_sweep() {
  local options=(--synthetic 'T=9 h=4 w=5 heads=2 D=32 seed=1' --window 1:4 --reference 3:8 --scale 0.5:2:0.25 --expand '0,1')
  "$lv" sweep "${options[@]}" --out whole >whole.txt 2>&1 || wrong "kill-sweep: the whole one failed: $(tail -n 1 whole.txt)"
  records() { echo 0; } # its files say at the end whether anything was lost
  same_as_whole() { cmp -s whole/sweep.h5 killed/sweep.h5 && cmp -s whole/sweep.csv killed/sweep.csv; }
  killed "$lv" sweep "${options[@]}" --out killed
  row "a sweep, killed (-9) at random moments and resumed" \
    "$kills kills, files different from an uninterrupted sweep's: $different of $completed"
}

kill_compare() {
  local options=(--synthetic 'T=5 h=8 w=8 heads=12 D=64 seed=1' --patterns 'lvsa window=1; radial; sparge' --density '0.6,0.4')
  "$lv" sweep "${options[@]}" --out whole >whole.txt 2>&1 || wrong "kill-compare: the whole one failed: $(tail -n 1 whole.txt)"
  # Heads that are done; a finished comparison has no journal.
  records() { if [[ -e killed/compare.h5 ]]; then echo 12; else grep -ao LVSAUNIT killed/compare.journal 2>/dev/null | wc -l; fi; }
  same_as_whole() {
    local name
    for name in compare.h5 compare.csv summary.csv; do cmp -s "whole/$name" "killed/$name" || return 1; done
  }
  killed "$lv" sweep "${options[@]}" --out killed
  ((lost == 0)) || wrong "kill-compare: $lost times heads were gone"
  row "a comparison of patterns on 12 heads, killed (-9) at random moments and resumed" \
    "$kills kills, heads lost: $lost, files different from an uninterrupted one's: $different of $completed"
}

# The list of a long suite waits in a file there.
full_temporary_folder() {
  cases 10000 >long.txt
  mount -t tmpfs -o size=100k none small || return
  TMPDIR=$PWD/small "$lv" kernel --suite long.txt --out long >out.txt 2>err.txt
  local code=$?
  umount small
  [[ $code == 2 && $(wc -l <err.txt) == 1 ]] || wrong "full-disk: TMPDIR: exit code $code: $(cat err.txt)"
  row 'the folder of temporary files is full' "exit code $code: \`$(sed "s:$PWD:.:" err.txt | cut -c1-140)\`"
}

full_disk() {
  cases 40 >cases.txt
  mkdir -p small
  if mount -t tmpfs -o size=20k none small 2>/dev/null; then
    "$lv" kernel --suite cases.txt --relations none --out small/report >out.txt 2>err.txt
    local code=$? kept
    kept=$(grep -c '"type":"case"' small/report/report.jsonl)
    mount -o remount,size=20m small
    "$lv" kernel --suite cases.txt --relations none --out small/report --resume >out2.txt 2>err2.txt
    local again=$?
    umount small
    [[ $code == 2 && $again == 0 && $(wc -l <err.txt) == 1 ]] ||
      wrong "full-disk: exit codes $code and $again: $(cat err.txt err2.txt)"
    row 'the disk is full in the middle of a run' \
      "exit code $code, one line, $kept results kept; --resume with room: exit code $again"
    full_temporary_folder
  else
    echo 'reliability: full-disk: left out, mounting a small file system takes root' >&2
  fi
}

read_only() {
  mkdir -p closed
  if [[ $(id -u) == 0 ]]; then
    if ! mount -t tmpfs -o ro none closed 2>/dev/null; then
      echo 'reliability: read-only: left out' >&2
      return
    fi
  else
    chmod a-w closed
  fi
  cases 3 >cases.txt
  "$lv" kernel --suite cases.txt --out closed/report >out.txt 2>err.txt
  local code=$?
  umount closed 2>/dev/null
  [[ $code == 2 && $(wc -l <err.txt) == 1 ]] || wrong "read-only: exit code $code: $(cat err.txt)"
  row 'the output folder cannot be written' "exit code $code: \`$(cut -c1-100 err.txt)\`"
}

two_runs() {
  cases 40 >cases.txt
  "$lv" kernel --suite cases.txt --relations none --no-times --out whole >whole.txt
  rm -rf shared
  "$lv" kernel --suite cases.txt --relations none --no-times --out shared >first.txt 2>&1 &
  local first=$! refused=0 tries=0
  while kill -0 "$first" 2>/dev/null && [[ ! -e shared/report.jsonl ]]; do sleep 0.01; done
  while kill -0 "$first" 2>/dev/null; do
    "$lv" kernel --suite cases.txt --relations none --no-times --out shared >second.txt 2>err.txt
    local code=$?
    kill -0 "$first" 2>/dev/null || break
    tries=$((tries + 1))
    [[ $code != 2 ]] || refused=$((refused + 1))
  done
  wait "$first" || wrong 'two-runs: the first run failed'
  ((tries > 0 && refused == tries)) || wrong "two-runs: $refused of $tries refused"
  row 'a second run on the output folder of one under way' "$refused of $tries refused, exit code 2; the first goes on"
}

# A kernel that does one harmful thing a case, by the case's seed.
lost_kernels() {
  cat >harm.c <<'END'
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/kernel/lvsa_kernel.h"
static lvsa_status run(const lvsa_problem* p, void* w, size_t n, void* s, char* m, size_t size) {
  (void)w, (void)n, (void)s, (void)m, (void)size;
  switch (p->frames % 10) {
    case 0: raise(SIGSEGV); break;
    case 1: abort();
    case 2: exit(0);
    case 3: *(volatile int*)8 = 1; break;
    case 4: for (;;) pause();
    case 5: close(0), close(1), close(2), close(3), close(4), close(5), close(6), close(7), close(8), close(9); break;
    case 6: memset((char*)p->out.data - 4096, 255, 8192); break;
    case 7: raise(SIGKILL); break;
    case 8: raise(SIGFPE); break;
    case 9: { char* deep = (char*)malloc(64); free(deep); free(deep); } break;
  }
  return LVSA_OK;
}
static const lvsa_kernel kernel = {LVSA_KERNEL_ABI_VERSION, sizeof(lvsa_kernel), "harm", "harmful",
  {sizeof(lvsa_capabilities), LVSA_DTYPE_BIT(LVSA_F32), 0, LVSA_HOST, 1, 1024, 1, 1, 1, 1, 1, 1}, 0, 0, run};
const lvsa_kernel* lvsa_kernels(uint32_t version, uint32_t* count) { (void)version; *count = 1; return &kernel; }
END
  "${CC:-cc}" -std=gnu11 -O1 -w -shared -fPIC "-I$root" harm.c -o harm.so || { wrong 'harm.c'; return; }
  local i
  for ((i = 0; i < 100; i++)); do
    echo "T=$((10 + i % 10)) P=4 H=1 Hkv=1 D=8 dtype=f32 W=1 ref=3 input=gauss seed=$i rows=0"
  done >harmful.txt
  "$lv" kernel --kernel ./harm.so --suite harmful.txt --relations none --timeout 1 --jobs 4 --shrink 0 --out lost >out.txt 2>err.txt
  local code=$? judged crash timeout passed
  judged=$(grep -c '"type":"case"' lost/report.jsonl)
  crash=$(grep -c '"status":"crash"' lost/report.jsonl)
  timeout=$(grep -c '"status":"timeout"' lost/report.jsonl)
  passed=$(grep -c '"status":"pass"' lost/report.jsonl)
  [[ $code == 1 && $judged == 100 && $passed == 0 ]] || wrong "lost-kernels: exit code $code, $judged judged, $passed passed"
  row '100 cases with a kernel that crashes, hangs, exits, closes files, spoils memory in turn' \
    "$judged reported ($crash crashes, $timeout hangs, $((judged - crash - timeout)) failures), none passed"
}

million() {
  cases 1000000 >million.txt
  /usr/bin/time -f '%M %e %U' "$lv" kernel --suite million.txt --list >list.txt 2>time.txt
  row '1,000,000 case lines read and listed' "$(awk '{printf "%.0f MB at most, %.1f s", $1 / 1024, $2}' time.txt)"
}

# What a command held at most, in megabytes, behind the other `peaks`.
add_peak() {
  /usr/bin/time -f %M -o peak.txt "$@" >peak.out 2>peak.err || wrong "million-judged: $2: $(tail -n 1 peak.err)"
  peaks+=($(($(tail -n 1 peak.txt) / 1000)))
}

# Megabytes that a run of $1 tiny cases held at most, into `peaks`: in its own process, in a worker, which judges
# all, then those of what reads its report.
judged_peaks() {
  local run=0 worker=0 pid child value children
  seq "$1" | sed 's/.*/T=1 P=1 H=1 D=8 dtype=f32 W=0 ref=3 step=0 input=gauss seed=& rows=0/' >tiny.txt
  OMP_NUM_THREADS=1 "$lv" kernel --suite tiny.txt --relations none --cases-per-process "$1" --out judged >tiny.out 2>tiny.err &
  pid=$!
  peak() { awk '/^VmHWM/ { print $2 }' "/proc/$1/status" 2>/dev/null || true; }
  while kill -0 "$pid" 2>/dev/null; do
    value=$(peak "$pid")
    ((${value:-0} <= run)) || run=$value
    children=()
    { read -ra children <"/proc/$pid/task/$pid/children"; } 2>/dev/null
    for child in "${children[@]}"; do
      value=$(peak "$child")
      ((${value:-0} <= worker)) || worker=$value
    done
    sleep 0.2
  done
  wait "$pid" || wrong "million-judged: $(tail -n 1 tiny.err)"
  [[ $(tail -n 1 tiny.out) == "$1 passed, 0 failed" ]] || wrong "million-judged: $(tail -n 1 tiny.out)"
  peaks=($((run / 1000)) $((worker / 1000)))
  rm -rf resumed
  mkdir resumed
  head -n -2 judged/report.jsonl >resumed/report.jsonl # all but a case and the summary
  add_peak "$lv" kernel --suite tiny.txt --relations none --out resumed --resume
  add_peak "$lv" merge judged --out merged
  add_peak "$lv" baseline judged --out tiny.baseline
  add_peak "$lv" judge judged/report.jsonl
  add_peak "$lv" gate tiny.baseline judged --junit tiny.xml
}

# Ten times the cases: a run keeps some 25 bytes a case, a gate 40; 60 are let pass.
million_judged() {
  local many=${CASES:-1000000} i
  local -a names=(run worker --resume merge baseline judge gate) peaks few most
  # The page shows 10,000 cases at most: below, it grows with the cases.
  ((many >= 100000)) || { wrong "million-judged: CASES=$many: at least 100000 are due"; return; }
  judged_peaks $((many / 10))
  few=("${peaks[@]}")
  judged_peaks "$many"
  most=("${peaks[@]}")
  local text=''
  for i in "${!names[@]}"; do
    ((${most[i]:-100000} <= ${few[i]:-0} + 10 + many * 6 / 100000)) ||
      wrong "million-judged: ${names[i]} grows: ${few[i]:-?}, ${most[i]:-?} MB"
    text+="${text:+, }${names[i]} ${most[i]:-?} (${few[i]:-?})"
  done
  row "$many tiny cases judged, reports included, then what reads the report; a tenth of the cases in brackets" "MB at most: $text"
}

defects() {
  "$lv" selftest >selftest.txt 2>err.txt
  local code=$?
  [[ $code == 0 ]] || wrong "defects: exit code $code"
  row "known defects found (lvsa-verify selftest)" "$(tail -n 1 selftest.txt)"
}

[[ $# -gt 0 ]] || set -- kill-run kill-sweep kill-compare full-disk read-only two-runs lost-kernels defects
for name in "$@"; do
  rm -rf -- "${scratch:?}"/*
  case $name in
    kill-run) kill_run ;;
    kill-sweep) kill_sweep ;;
    kill-compare) kill_compare ;;
    full-disk) full_disk ;;
    read-only) read_only ;;
    two-runs) two_runs ;;
    lost-kernels) lost_kernels ;;
    million) million ;;
    million-judged) million_judged ;;
    defects) defects ;;
    *)
      echo "reliability: there is no check '$name'" >&2
      exit 2
      ;;
  esac
done
exit "$bad"
