#!/usr/bin/env bash
# Is a right kernel ever accused? Runs healthy kernels over many random cases and prints a table.
#
#     tools/campaign.sh                                  # 1,000 cases each; an hour on two cores
#     tools/campaign.sh --count 100 cpu sdpa ./mine.so:fast
#
# Kernels (default: the first six): cpu, cpu-p-bf16 and cpu-p-f16 (its other schedules), skeleton (f32 cases only),
# sdpa and flex (FlexAttention uncompiled, in float32) through the exchange file, flex-compiled
# (torch.compile, seconds a case), strangers (the sound ones of tests/strangers), or any NAME|PATH that
# lvsa-verify takes. Reports, outputs that failed and the table are left in the folder --out.
# C kernels are held against all relations; what goes through a file is called only once.
# Exit code: 0 nobody was accused, 1 somebody was, 2 the campaign did not run.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
count=1000 seed=1 jobs=$(nproc) chunk=25 out=lvsa-campaign relations=all seconds=0
verify=$root/build/lvsa-verify python=python3 libraries=''
usage() {
  sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
  cat <<END
Options: --count N ($count)  --seed N ($seed)  --jobs N ($jobs)  --chunk N ($chunk: cases an exchange file)
         --out DIR ($out)  --relations auto|all|none ($relations; of C kernels)
         --lvsa-verify PATH  --python PATH  --libraries DIR (where skeleton.so and strangers.so lie; else cc makes them)
         --seconds N (no limit; flex-compiled skips what it has not begun by then)
END
}
kernels=()
while (($#)); do
  case $1 in
    --count | --seed | --jobs | --chunk | --out | --relations | --python | --libraries | --seconds)
      declare "${1#--}=${2:?value of $1}"; shift ;;
    --lvsa-verify) verify=${2:?value of $1}; shift ;;
    -h | --help) usage; exit 0 ;;
    -*) echo "campaign.sh: $1: --help lists the options" >&2; exit 2 ;;
    *) kernels+=("$1") ;;
  esac
  shift
done
((${#kernels[@]})) || kernels=(cpu cpu-p-bf16 cpu-p-f16 skeleton sdpa flex)
[[ -x $verify ]] || { echo "campaign.sh: no $verify: ./dev build, or --lvsa-verify" >&2; exit 2; }
verify=$(realpath -- "$verify")
mkdir -p "$out"
out=$(cd "$out" && pwd)
export PYTHONPATH=$root/python${PYTHONPATH:+:$PYTHONPATH} PYTHONDONTWRITEBYTECODE=1
export TORCHINDUCTOR_COMPILE_THREADS=1 TORCHINDUCTOR_CACHE_DIR=$out/inductor

# The counts of a --json answer: passed weak failed unsupported.
counts() {
  sed -nE '1s/^\{"passed":([0-9]+),"weak":([0-9]+),"failed":([0-9]+),"unsupported":([0-9]+).*/\1 \2 \3 \4/p' "$@"
}

# lines FILE [SED-SCRIPT]: the case lines of the suite.
lines() { "$verify" kernel --suite "random:$count:$seed" --list | sed -E "${2:-}" >"$1"; }

plugin() { # NAME SOURCE FLAG...
  local name=$1 source=$2
  shift 2
  if [[ -n $libraries ]]; then
    cp "$libraries/$name.so" "$out/$name.so"
  else
    "${CC:-cc}" -O3 -mavx2 -mfma "$@" -shared -fPIC -I "$root" "$source" -o "$out/$name.so" -lm
  fi
}

judge_library() { # NAME KERNEL LINES: one row of the table
  local code=0
  "$verify" kernel --kernel "$2" --suite "$3" --relations "$relations" --jobs "$jobs" --json \
    --out "$out/$1" >"$out/$1.json" 2>"$out/$1.log" || code=$?
  ((code < 2)) || { cat "$out/$1.log" >&2; exit 2; }
  row "$1" "$(counts "$out/$1.json")"
}

# Exported, filled and checked by parts, as many at a time as there are jobs.
judge_part() { # LINES FUNCTION
  local part=$1 file=$1.h5 code=0
  [[ $FORMAT == h5 ]] || file=$1.safetensors
  export OMP_NUM_THREADS=1
  "$VERIFY" export "$part" -o "$file" >"$part.log" 2>&1
  "$PYTHON" "$ROOT/python/lvsa_fill.py" "$file" "$2" >>"$part.log" 2>&1 || echo 'fill failed' >>"$part.log"
  "$VERIFY" check "$file" --json --out "$part.report" >"$part.json" 2>>"$part.log" || code=$?
  if ((code == 1)); then cp "$part.report/report.jsonl" "$part.failed.jsonl"; fi
  rm -rf -- "$file" "$part.report"
}
export -f judge_part

judge_python() { # NAME FUNCTION
  local parts=$out/$1.parts
  rm -rf -- "$parts"
  mkdir "$parts"
  lines "$parts/all"
  split -l "$chunk" -a 4 "$parts/all" "$parts/part-"
  rm "$parts/all"
  FORMAT=safetensors
  ! "$python" -c 'import h5py' 2>/dev/null || FORMAT=h5
  export VERIFY=$verify PYTHON=$python ROOT=$root FORMAT LVSA_FLEX_SECONDS=inf
  ((seconds == 0)) || LVSA_FLEX_SECONDS=$((seconds - SECONDS > 1 ? seconds - SECONDS : 1))
  # shellcheck disable=SC2016 # the inner shell's own arguments
  printf '%s\n' "$parts"/part-* | xargs -P "$jobs" -I PART bash -c 'judge_part PART "$1"' _ "$2" || true
  row "$1" "$(for file in "$parts"/*.json; do counts "$file"; done |
    awk '{p += $1; w += $2; f += $3; u += $4} END {print p + 0, w + 0, f + 0, u + 0}')"
}

accused=0
row() { # NAME "PASSED WEAK FAILED UNSUPPORTED"
  local passed weak failed unsupported
  read -r passed weak failed unsupported <<<"$2"
  printf '%-28s %7d %7d %7d %7d %11d %7ds\n' "$1" $((passed + failed + unsupported)) "$passed" "$weak" "$failed" \
    "$unsupported" $((SECONDS - begun)) | tee -a "$out/table.txt"
  accused=$((accused + failed))
}

printf '%-28s %7s %7s %7s %7s %11s %8s\n' kernel cases passed weak failed unsupported time >"$out/table.txt"
cat "$out/table.txt"
lines "$out/lines.txt"
sound() { sed -nE 's/^HEALTHY\(([a-z0-9_]+),.*/\1/p' "$root/tests/strangers/kernels.def"; }
for kernel in "${kernels[@]}"; do
  begun=$SECONDS
  case $kernel in
    cpu-p-*)
      lines "$out/lines-$kernel.txt" "s/ dtype=[a-z0-9]+/& p=${kernel#cpu-p-}/"
      judge_library "$kernel" cpu "$out/lines-$kernel.txt" ;;
    skeleton)
      plugin skeleton "$root/fixtures/skeleton/skeleton.c"
      lines "$out/lines-f32.txt" 's/ dtype=[a-z0-9]+/ dtype=f32/'
      judge_library skeleton "$out/skeleton.so" "$out/lines-f32.txt" ;;
    strangers)
      plugin strangers "$root/tests/strangers/strangers.c" -fopenmp
      for name in $(sound); do
        begun=$SECONDS
        judge_library "$name" "$out/strangers.so:$name" "$out/lines.txt"
      done ;;
    sdpa) judge_python sdpa lvsa_fill:sdpa ;;
    flex) judge_python flex lvsa_flex:eager ;;
    flex-compiled) judge_python flex-compiled lvsa_flex:compiled ;;
    *)
      name=${kernel##*/}
      judge_library "${name//:/-}" "$kernel" "$out/lines.txt" ;;
  esac
done
((accused == 0)) || { echo "campaign.sh: accused: see $out" >&2; exit 1; }
