#!/usr/bin/env bash
# The steps of the action, for any CI system. Inputs are environment variables, since text in a
# command line would be code there:
#
#   gate.sh build   says where lvsa-verify is: LVSA_GATE_VERIFY, or built from this source tree
#   gate.sh run     judges LVSA_GATE_KERNEL on LVSA_GATE_SUITE (smoke), then compares with
#                   LVSA_GATE_BASELINE; optional: LVSA_GATE_RULES, LVSA_GATE_WAIVERS,
#                   LVSA_GATE_SPEED_AGAINST, LVSA_GATE_STRICT (true), LVSA_GATE_OUT (lvsa-gate)
#
# Exit codes are those of `lvsa-verify gate`: 0 pass, 1 correctness, 3 slower, 4 undecided, 2 bad
# input.
set -uo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd -P)

# output NAME VALUE: an output of a step, where there is somebody to read it.
output() {
  [[ -z ${GITHUB_OUTPUT:-} ]] || printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

build() {
  local verify=${LVSA_GATE_VERIFY:-}
  if [[ -z $verify ]]; then
    "$root/dev" build lvsa-verify >&2 || exit 2
    verify=$root/build/lvsa-verify
  fi
  "$verify" --version || exit 2
  output lvsa-verify "$verify"
}

# finish CODE
finish() {
  local verdict=bad-input
  case $1 in
    0) verdict=pass ;;
    1) verdict=failed ;;
    3) verdict=slower ;;
    4) verdict=undecided ;;
  esac
  output verdict "$verdict"
  output exit-code "$1"
  exit "$1"
}

run() {
  local verify=${LVSA_GATE_VERIFY:-$root/build/lvsa-verify}
  local out=${LVSA_GATE_OUT:-lvsa-gate}
  local kernel=${LVSA_GATE_KERNEL:?the kernel is due}
  local code=0 options=()
  mkdir -p -- "$out" || finish 2
  rm -f -- "$out/report.jsonl" "$out/bench.json" # a stale one would be judged as this one

  "$verify" kernel --kernel "$kernel" --suite "${LVSA_GATE_SUITE:-smoke}" --out "$out" || code=$?
  # 1 says that cases fail; what that means is for the gate to say, if there is one.
  ((code <= 1)) || finish "$code"
  if [[ -n ${LVSA_GATE_SPEED_AGAINST:-} ]]; then
    "$verify" bench "$LVSA_GATE_SPEED_AGAINST" "$kernel" --json "$out/bench.json"
    local bench=$?
    # 3: slower, which the gate says again; 1: a kernel ended its process.
    ((bench == 0 || bench == 3)) || finish "$bench"
  fi
  # For a change that means to move the baseline.
  "$verify" baseline "$out" --with-failures --out "$out/baseline.jsonl" || finish $?
  [[ -n ${LVSA_GATE_BASELINE:-} ]] || finish "$code"

  [[ -z ${LVSA_GATE_RULES:-} ]] || options+=(--rules "$LVSA_GATE_RULES")
  [[ -z ${LVSA_GATE_WAIVERS:-} ]] || options+=(--waivers "$LVSA_GATE_WAIVERS")
  [[ ${LVSA_GATE_STRICT:-} != true ]] || options+=(--strict)
  [[ -z ${GITHUB_ACTIONS:-} ]] || options+=(--github)
  "$verify" gate "$LVSA_GATE_BASELINE" "$out" --out "$out" "${options[@]}"
  finish $?
}

case ${1:-} in
  build) build ;;
  run) run ;;
  *)
    echo "gate.sh: build or run is due, not '${1:-}'" >&2
    exit 2
    ;;
esac
