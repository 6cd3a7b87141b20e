#!/usr/bin/env bash
# Is every sound stranger taken for sound, every unsound one found out? Compiles the kernels of this
# folder, runs a suite on each and prints: name, sound or not, the verdict, and what found it.
#
#     tests/strangers/run.sh                        # all of them on the suite smoke: half an hour on two cores
#     tests/strangers/run.sh --suite random:60 group_shift kahan
#
# Options: --suite SUITE (smoke), --jobs N (the cores), --relations auto|all|none. LVSA_VERIFY names the
# executable (build/lvsa-verify). Unsound kernels are run on an eighth of the suite at a time until one fails.
# Exit code: 0 all as declared, 1 somebody was misjudged, 2 nothing could be run.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(cd -- "$here/../.." && pwd)
verify=$(realpath -- "${LVSA_VERIFY:-$root/build/lvsa-verify}")
suite=smoke jobs=$(nproc) relations=auto
wanted=()
while (($#)); do
  case $1 in
    --suite | --jobs | --relations) declare "${1#--}=${2:?value of $1}"; shift ;;
    -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    -*) echo "run.sh: $1: --help lists the options" >&2; exit 2 ;;
    *) wanted+=("$1") ;;
  esac
  shift
done
[[ -x $verify ]] || { echo "run.sh: no $verify: ./dev build, or LVSA_VERIFY" >&2; exit 2; }
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT

plugin() { # NAME: a plugin of $here/NAME.c
  "${CC:-cc}" -O3 -mavx2 -mfma -fopenmp -shared -fPIC -I "$root" "$here/$1.c" -o "$scratch/$1.so" -lm || exit 2
}

# What found it: names of checks, of what was outside its bound, of how the kernel ended.
reasons() {
  sed -nE '/"type":"case"/{/"status":"(pass|weak|unsupported)"/d;p}' "$1" |
    grep -oE '"name":"[a-z0-9-]+","state":"fails"|"status":"(crash|timeout|error)"|"message":"(output|log-sum-exp|tier B|[0-9]+ elements)' |
    sed -E 's/.*"name":"([^"]+)".*/\1/; s/.*"status":"([^"]+)".*/\1/; s/.*"message":"//; s/[0-9]+ elements/unwritten/' |
    sort -u | paste -sd ' '
}

# judge PLUGIN NAME SHARDS: the exit code of the first shard that is not 0, else 0.
judge() {
  local shard code
  : >"$scratch/report.jsonl"
  for ((shard = 1; shard <= $3; ++shard)); do
    code=0
    "$verify" kernel --kernel "$scratch/$1.so:$2" --suite "$suite" --shard "$shard/$3" --relations "$relations" \
      --jobs "$jobs" --shrink 0 --out "$scratch/report" >"$scratch/log" 2>&1 || code=$?
    cat "$scratch/report/report.jsonl" >>"$scratch/report.jsonl"
    ((code == 0)) || return "$code"
  done
}

misjudged=0 judged=0
one() { # PLUGIN KIND NAME
  local code=0 verdict=passes shards=1
  if [[ $2 == DEFECT ]]; then shards=8; fi
  judge "$1" "$3" "$shards" || code=$?
  ((code == 0)) || verdict=fails
  ((code < 2)) || { cat "$scratch/log" >&2; exit 2; }
  local known=sound wrong=''
  [[ $2 == HEALTHY ]] || known=unsound
  if [[ $known$verdict == soundfails || $known$verdict == unsoundpasses ]]; then
    wrong='MISJUDGED '
    misjudged=$((misjudged + 1))
  fi
  judged=$((judged + 1))
  printf '%-26s %-8s %-7s %s%s\n' "$3" "$known" "$verdict" "$wrong" "$(reasons "$scratch/report.jsonl")"
}

for file in strangers:kernels authors:authors; do
  plugin "${file%:*}"
  while read -r kind name; do
    ((${#wanted[@]} == 0)) || [[ " ${wanted[*]} " == *" $name "* ]] || continue
    one "${file%:*}" "$kind" "$name"
  done < <(sed -nE 's/^(HEALTHY|DEFECT)\(([a-z0-9_]+),.*/\1 \2/p' "$here/${file#*:}.def")
done
((judged > 0)) || { echo "run.sh: no kernel of that name" >&2; exit 2; }
echo "$((judged - misjudged)) judged as they are, $misjudged misjudged"
((misjudged == 0))
