#!/bin/sh
# Kernels that end, hang or spoil their process: the case is lost, told why, and the others go on.
set -eu
# shellcheck source=tests/cli/common.inc
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
source=$LVSA_SOURCE_DIR/fixtures/skeleton/skeleton.c
cat >cases.txt <<'END'
T=7 P=9 text=5 B=2 H=4 Hkv=2 D=24 dtype=f32 W=1 ref=3 step=1 input=gauss seed=1 rows=0
T=9 P=12 H=1 Hkv=1 D=16 dtype=f32 layout=bhsd W=1 ref=4 step=2 input=indicator seed=2 rows=0
T=5 P=4 H=1 Hkv=1 D=16 dtype=f32 W=0 n_first=0 interval=0 ref=3 step=0 input=gauss seed=3 rows=0
END

# One plugin with all of them: the skeleton, which in the case of nine frames first does what HARM says.
cat >harm.txt <<'END'
if (p->frames == 9) {
  const char* harm = getenv("HARM");
  if (strcmp(harm, "segv") == 0) { *(volatile int*)8 = 1; }
  if (strcmp(harm, "aborts") == 0) { fprintf(stderr, "cannot go on\n"); abort(); }
  if (strcmp(harm, "exits") == 0) { exit(0); }
  if (strcmp(harm, "loops") == 0) { for (;;) pause(); }
  if (strcmp(harm, "heap") == 0) { char* x = malloc(24); memset(x - 64, 0x41, 4096); }
  if (strcmp(harm, "closes") == 0) { for (int i = 0; i < 4096; ++i) close(i); }
  if (strcmp(harm, "group") == 0) { kill(0, SIGTERM); }
  if (strcmp(harm, "garbage") == 0) { return 12345; }
  if (strcmp(harm, "lines") == 0) { snprintf(message, message_size, "two\nlines"); return LVSA_FAILED; }
  if (strcmp(harm, "prints") == 0) { printf("said to stdout\n"); fprintf(stderr, "said to stderr\n"); }
  if (strcmp(harm, "forks") == 0) { int pid = fork(); if (pid == 0) { sleep(1000); _exit(0); } FILE* f = fopen("forked", "w"); fprintf(f, "%d\n", pid); fclose(f); }
  if (strcmp(harm, "hangs") == 0) { FILE* f = fopen("pid", "w"); fprintf(f, "%d\n", getpid()); fclose(f); for (;;) pause(); }
#ifdef THROWS
  extern int throw_it(void);
  if (strcmp(harm, "throws") == 0) return throw_it();
#endif
}
END
{
  printf '#define _GNU_SOURCE\n#include <signal.h>\n#include <unistd.h>\n#include <string.h>\n'
  awk '{ print } /^static lvsa_status run\(/ { inside = 1 }
    inside && /\{$/ { while ((getline line <"harm.txt") > 0) print line; inside = 0 }' "$source"
} >harm.c
build() { "${CC:-cc}" -std=gnu11 -O1 -fPIC -w -I"$LVSA_SOURCE_DIR" "$@" -lm; }
build -shared harm.c -o harm.so

# Built with sanitizers, the program shall leave the signals as they are.
export ASAN_OPTIONS=handle_segv=0:handle_abort=0:detect_leaks=0

complain() {
  echo "FAIL: $*"
  cat out.txt err.txt
  failures=$((failures + 1))
}

# gone PID: the process has ended. One that only waits to be reaped (by a process 1 that may be slow
# at it) has.
gone() {
  case $(cat "/proc/$1/stat" 2>/dev/null || true) in
    '' | *') Z '*) return 0 ;;
  esac
  return 1
}

# expect NAME STATUS TEXT [OPTION...]: the case of nine frames comes to STATUS, TEXT is said of it, and
# the two others pass.
expect() {
  name=$1
  status=$2
  text=$3
  shift 3
  code=0
  HARM=$name "$LVSA_VERIFY" kernel --kernel ./harm.so --suite cases.txt --relations none --no-report "$@" \
    >out.txt 2>err.txt || code=$?
  [ "$code" -eq 1 ] || complain "$name: exit code $code"
  [ "$(tail -n 1 out.txt)" = '2 passed, 1 failed' ] || complain "$name: not two passed, one failed"
  grep -q "^$status .* 9  " out.txt || complain "$name: no $status"
  grep -qF -- "$text" out.txt || complain "$name: '$text' is not said"
}

expect segv crash "SIGSEGV"
expect segv crash "during: the kernel's call"
expect segv crash "SIGSEGV" --jobs 2
# Kept for several cases, the process takes none of them with it.
expect segv crash "SIGSEGV" --cases-per-process 10
expect aborts crash "SIGABRT"
expect aborts crash "last words: cannot go on"
expect exits crash "exit code 0"
expect loops timeout "no sign of life for 2 s" --timeout 2
expect heap crash "during: "
expect closes crash "file descriptors that are not its own"
expect group crash "SIGTERM"
expect garbage error "what is no status, 12345"
expect lines error "two lines"

# What a kernel prints goes to stderr, and the table stays a table.
HARM=prints "$LVSA_VERIFY" kernel --kernel ./harm.so --suite cases.txt --relations none --no-report >out.txt 2>err.txt ||
  complain 'prints: fails'
if grep -q 'said to' out.txt || [ "$(grep 'said to std' err.txt | sort -u | wc -l)" -ne 2 ]; then
  complain 'prints: not on stderr'
fi

# A child that a kernel leaves behind goes with its process.
HARM=forks "$LVSA_VERIFY" kernel --kernel ./harm.so --suite cases.txt --relations none --no-report >out.txt 2>err.txt ||
  complain 'forks: fails'
soon gone "$(cat forked)" || complain 'forks: the child lives on'

# C++ exceptions that leave the kernel. A library without a C++ compiler at hand is left out.
if command -v "${CXX:-c++}" >/dev/null 2>&1; then
  cat >thrower.cpp <<'END'
#include <stdexcept>
extern "C" int throw_it(void) { throw std::runtime_error("thrown\nin two lines"); }
END
  build -c -fexceptions -DTHROWS harm.c -o harm.o
  "${CXX:-c++}" -shared -fPIC harm.o thrower.cpp -o harm.so
  expect throws error "a C++ exception left its run: thrown"
  expect throws error "a C++ exception left its run: thrown" --isolate none
fi

# recover and explain call a kernel, too: in a process of their own, with one line when it is lost.
# alone NAME CODE TEXT COMMAND...: with that harm, exit code and one line on stderr that has the text.
alone() {
  name=$1 due=$2 text=$3 code=0
  shift 3
  HARM=$name "$LVSA_VERIFY" "$@" --kernel ./harm.so >out.txt 2>err.txt || code=$?
  [ "$code" -eq "$due" ] || complain "$name: $1: exit code $code"
  [ "$(grep -c '^lvsa-verify: ' err.txt)" -eq 1 ] || complain "$name: $1: not one line"
  grep '^lvsa-verify: ' err.txt | grep -qF -- "$text" || complain "$name: $1: '$text' is not said"
}
nine=$(sed -n 2p cases.txt)
for harm in 'segv 1 SIGSEGV' 'aborts 1 SIGABRT' 'exits 1 exit code 0' 'heap 1 during: ' 'group 1 SIGTERM' \
  'garbage 2 what is no status, 12345'; do
  # shellcheck disable=SC2086 # name, code and text
  set -- $harm
  name=$1 due=$2
  shift 2
  alone "$name" "$due" "$*" recover --case "$nine"
  alone "$name" "$due" "$*" explain "$nine" --at 0,0,5,3
done
alone loops 1 'no sign of life for 2 s during: call 1 of the kernel' recover --case "$nine" --timeout 2
alone loops 1 'no sign of life for 2 s during: its calls' explain "$nine" --at 0,0,5,3 --timeout 2
# What a kernel prints is no part of the result.
HARM=prints "$LVSA_VERIFY" recover --json --case "$nine" --kernel ./harm.so >out.txt 2>err.txt || complain 'recover: fails'
if grep -q 'said to' out.txt || ! grep -q 'said to stdout' err.txt; then complain 'recover: not on stderr'; fi
HARM=none "$LVSA_VERIFY" recover --json --case "$nine" --kernel ./harm.so --isolate none >alone.txt
cmp -s out.txt alone.txt || complain 'recover: another result in a process of its own'
cp harm.so whole.so

# A library that crashes as it is loaded is bad input.
{
  cat "$source"
  echo '__attribute__((constructor)) static void early(void) { abort(); }'
} >early.c
build -shared early.c -o early.so
code=0
"$LVSA_VERIFY" kernel --kernel ./early.so --suite cases.txt --relations none --no-report >out.txt 2>err.txt || code=$?
{ [ "$code" -eq 2 ] && grep -q 'SIGABRT.*loading the kernel' err.txt; } || complain "early: exit code $code"
cp early.so harm.so
alone early 2 'during: loading the kernel' recover --case "$nine"
cp whole.so harm.so

# Isolated or not, the same table but for the times.
for options in '--isolate process' '--isolate none' '--cases-per-process 2' '--jobs 3'; do
  # shellcheck disable=SC2086 # options are words
  HARM=none "$LVSA_VERIFY" kernel --kernel ./harm.so --suite cases.txt --relations none --no-report $options >out.txt 2>err.txt
  cut -c1-117 out.txt | sort >now.txt
  [ -e before.txt ] || cp now.txt before.txt
  cmp -s now.txt before.txt || complain "another table with $options"
done

# Nobody is left behind when the run is stopped or killed while a kernel hangs.
for signal in TERM KILL; do
  rm -f pid
  HARM=hangs "$LVSA_VERIFY" kernel --kernel ./harm.so --suite cases.txt --relations none --no-report >out.txt 2>err.txt &
  run=$!
  soon test -s pid || complain "$signal: the kernel is not called"
  kill -"$signal" "$run"
  code=0
  wait "$run" || code=$?
  [ "$code" -gt 128 ] || complain "$signal: exit code $code"
  soon gone "$(cat pid)" || complain "$signal: the worker lives on"
done

[ "$failures" -eq 0 ]
