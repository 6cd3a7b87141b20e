#!/usr/bin/env bash
# Four changes to a kernel before the gate: a right one, a wrong one, a slower one, none at all.
#
#     ./dev demo-gate             # builds lvsa-verify first; or, with it built:
#     tools/demo_gate.sh [--quick] [--keep DIR]
#
# Each change is judged as a CI would: lvsa-verify kernel (is it right?), lvsa-verify bench (is it as fast?),
# lvsa-verify gate (may it go in?). About two minutes on two cores. --quick leaves out what is timed (half a
# minute); --keep leaves reports, baseline and plugins in DIR. LVSA_VERIFY names the executable (build/lvsa-verify).
# Exit code: 0 the gate said what it had to, 1 it did not, 2 nothing could be run.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
verify=$(realpath -m -- "${LVSA_VERIFY:-$root/build/lvsa-verify}")
quick='' keep=''
while (($#)); do
  case $1 in
    --quick) quick=1 ;;
    --keep) keep=${2:?value of --keep} && shift ;;
    -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" | sed '$d' && exit 0 ;;
    *) echo "demo-gate: $1: --help lists the options" >&2 && exit 2 ;;
  esac
  shift
done
[[ -x $verify ]] || { echo "demo-gate: no $verify: ./dev build lvsa-verify, or LVSA_VERIFY" >&2; exit 2; }

if [[ -n $keep ]]; then
  mkdir -p -- "$keep"
  work=$(realpath -- "$keep")
else
  work=$(mktemp -d)
  trap 'rm -rf -- "$work"' EXIT
fi
cd -- "$work"

bold='' plain=''
[[ ! -t 1 ]] || bold=$'\033[1m' plain=$'\033[0m'
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
exec 3>&1 # commands are shown also where what they print is kept for later
run() {
  printf '$ lvsa-verify %s\n' "$*" >&3
  "$verify" "$@"
}

# The cases that every change is held against. Frames of 128 tokens are two tiles of the kernel.
cat >cases.txt <<'END'
T=7 P=128 H=4 Hkv=4 D=32 dtype=f32 W=2 ref=3 step=0 input=gauss seed=1 rows=448
T=7 P=128 H=4 Hkv=4 D=32 dtype=f32 W=2 ref=3 step=1 input=indicator-tile seed=2 rows=448
T=5 P=33 text=7 B=2 H=4 Hkv=2 D=24 dtype=bf16 W=1 ref=3 step=1 input=gauss seed=3 rows=0
END
speed_case='T=7 P=48 H=4 Hkv=4 D=32 dtype=f32 W=2 ref=3 step=0 seed=1'

failures=0
plugin() { # NUMBER NAME
  "${CC:-cc}" -O3 -shared -fPIC -I "$root" -DCHANGE="$1" "$root/tools/demo/attention.c" -o "$2.so" -lm
}
conformance() { # NAME: what kernel says of it, into NAME-report
  run kernel --kernel "./$1.so" --suite cases.txt --relations none --shrink 0 --out "$1-report" >"$1.txt" 2>&1 || true
  sed -n '/passed, .* failed/p' "$1.txt"
}
speed() { # NAME OUT: against the kernel as it was
  [[ -z $quick ]] || return 0
  run bench ./before.so "./$1.so" --case "$speed_case" --clock cpu --seconds 15 --json "$2" >"$1-bench.txt" 2>&1 || true
  sed -n '/^case/,$p' "$1-bench.txt"
}
judge() { # DUE NAME CANDIDATE...: the gate's exit code has to be DUE
  local due=$1 name=$2 code=0
  shift 2
  run gate baseline.jsonl "$@" >"$name-gate.txt" 2>&1 || code=$?
  cat -- "$name-gate.txt"
  if [[ $code -eq $due ]]; then
    echo "exit code $code, as it has to be."
  else
    echo "exit code $code; $due is due."
    failures=$((failures + 1))
  fi
}
evidence() { # NAME: what the gate reads of it
  echo "$1-report"
  if [[ -z $quick ]]; then echo "$1.json"; fi
}

say 'The kernel as it is becomes the baseline: what it gets right, and how fast it is.'
plugin 0 before
plugin 1 right
plugin 2 wrong
plugin 3 slower
conformance before
speed before before.json
# shellcheck disable=SC2046 # a list of names
run baseline $(evidence before) --out baseline.jsonl

say '1. A right change: text keys are summed first instead of last. Results differ in their last bits, and must pass.'
conformance right
speed right right.json
# shellcheck disable=SC2046
judge 0 right $(evidence right)

say '2. A subtle mistake: queries of frame 4 in head 3 lose the second tile of frame 5 (key tile 11 of the
video). The gate has to say no, and where it is.'
conformance wrong
speed wrong wrong.json
# shellcheck disable=SC2046
judge 1 wrong $(evidence wrong)
if ! { grep -q 'where: .*head 3.*query frame 4' wrong-gate.txt && grep -q 'where: .*key tile 11' wrong-gate.txt; }; then
  echo 'it does not name head 3, frame 4 and the tile (11: keys 704 to 767, the second half of frame 5)'
  failures=$((failures + 1))
fi

if [[ -z $quick ]]; then
  say '3. A right change that costs 10 %: one row in ten is computed twice. The gate has to call it slower.'
  conformance slower
  speed slower slower.json
  judge 3 slower slower-report slower.json

  say '4. No change at all, measured once more: what differs is noise, and must pass.'
  speed before again.json
  judge 0 again before-report again.json
fi

say "$([[ $failures -eq 0 ]] && echo 'The gate said what it had to, every time.' || echo "$failures times the gate did not say what it had to.")"
[[ -z $keep ]] || echo "Reports, baseline and plugins: $work"
[[ $failures -eq 0 ]]
