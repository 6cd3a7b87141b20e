#!/usr/bin/env bash
# How often is lvsa-verify bench wrong on this machine? Compares a kernel with itself and with itself made slower
# by 5 % and 10 % (tools/demo/slowed.c), many times over, and counts the verdicts.
#
#     tools/speed_evidence.sh                                     # the demonstration's kernel, on the processor
#     tools/speed_evidence.sh --kernel build/liblvsa_cuda.so:cuda --runs 10 \
#         --case 'T=21 P=1560 H=20 Hkv=20 D=128 dtype=bf16 W=3 ref=21 step=1' -- --seconds 20
#
# Options: --kernel PATH[:NAME], --case LINE (several; 20 heads make the shares exact), --runs N (10), --out DIR (where the
# JSON files go), --slowed FILE (slowed.c, compiled); what follows -- goes to lvsa-verify bench. LVSA_VERIFY names the executable (build/lvsa-verify).
# Exit code: 0 no false alarm and every 10 % found, 1 not so, 2 nothing could be run.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
verify=$(realpath -m -- "${LVSA_VERIFY:-$root/build/lvsa-verify}")
kernel='' runs=10 out='' slowed=''
cases=()
while (($#)); do
  case $1 in
    --kernel) kernel=${2:?value of --kernel} && shift ;;
    --case) cases+=(--case "${2:?value of --case}") && shift ;;
    --runs) runs=${2:?value of --runs} && shift ;;
    --slowed) slowed=$(realpath -- "${2:?value of --slowed}") && shift ;;
    --out) out=${2:?value of --out} && shift ;;
    --) shift && break ;;
    -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" | sed '$d' && exit 0 ;;
    *) echo "speed_evidence: $1: --help lists the options" >&2 && exit 2 ;;
  esac
  shift
done
[[ -x $verify ]] || { echo "speed_evidence: no $verify: ./dev build lvsa-verify, or LVSA_VERIFY" >&2; exit 2; }
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
mkdir -p -- "${out:=$scratch/json}"
cc=${CC:-cc}
if [[ -z $kernel ]]; then
  "$cc" -O3 -shared -fPIC -I "$root" "$root/tools/demo/attention.c" -o "$scratch/demo.so" -lm || exit 2
  kernel=$scratch/demo.so
fi
if ((${#cases[@]} == 0)); then
  cases=(--case 'T=5 P=16 H=20 Hkv=20 D=32 dtype=f32 W=1 ref=3 step=0')
fi
if [[ -z $slowed ]]; then
  slowed=$scratch/slowed.so
  "$cc" -O2 -shared -fPIC -I "$root" "$root/tools/demo/slowed.c" -o "$slowed" -ldl || exit 2
fi
export LVSA_SLOWED_OF=$kernel

# One line a run: verdict of all cases, then median, interval, noise and delta of each.
fields() {
  sed -nE 's/^ "verdict": "([A-Z]+)".*/\1/p; s/^ *\{"line".*"ratio":\{"median":([0-9.e+-]+),"low":([^,]*),"high":([^,]*),.*"noise":([^,]*),"delta":([^,]*),.*/  \1 [\2 \3] noise \4 delta \5/p' "$1" |
    tr '\n' ' '
}
bad=0
for percent in 0 5 10; do
  declare -A count=([FASTER]=0 [SAME]=0 [SLOWER]=0 [UNDECIDED]=0 [failed]=0)
  for ((run = 1; run <= runs; ++run)); do
    json=$out/slowed_$percent-$run.json
    code=0
    "$verify" bench "$slowed:slowed_0" "$slowed:slowed_$percent" "${cases[@]}" --json "$json" "$@" \
      >"$scratch/log" 2>&1 || code=$?
    if [[ $code -ne 0 && $code -ne 3 ]]; then
      tail -n 3 "$scratch/log"
      count[failed]=$((count[failed] + 1))
      continue
    fi
    line=$(fields "$json")
    echo "$percent % run $run: $line"
    verdict=${line%% *}
    count[$verdict]=$((count[$verdict] + 1))
  done
  echo "== $percent % slower, $runs runs: SLOWER ${count[SLOWER]}, SAME ${count[SAME]}, FASTER ${count[FASTER]}," \
    "UNDECIDED ${count[UNDECIDED]}, failed ${count[failed]}"
  if ((percent == 0 && count[SLOWER] + count[FASTER] > 0)) || ((percent == 10 && count[SLOWER] < runs)) ||
    ((count[failed] > 0)); then
    bad=1
  fi
done
exit "$bad"
