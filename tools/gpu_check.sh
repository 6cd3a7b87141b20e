#!/usr/bin/env bash
# Tests, sanitizes and benchmarks the CUDA part on this machine's GPU, in under eight minutes, and
# writes one result file with raw samples, clocks, driver and versions, anew after each step.
set -uo pipefail

usage() {
  cat <<'TEXT'
usage: tools/gpu_check.sh [options]

  --build DIR      build folder to use, made when missing        (default: build-cuda)
  --prebuilt DIR   use these binaries instead of building: DIR/bin/* and the shared libraries that
                   the machine lacks in DIR/lib (see --pack)
  --pack DIR       makes such a folder out of --build's binaries and ends; needs no GPU
  --results DIR    where result files go                         (default: bench/results)
  --commit ID      commit of the sources, where git is not at hand
  --quick          leaves out the sanitizers
  --help

Exit status: 0 all passed, 1 something failed, 2 wrong arguments, 77 no usable GPU.
Never changes a setting of the card.
TEXT
}

cd "$(dirname "$0")/.." || exit 2
build=build-cuda prebuilt='' pack='' results=bench/results commit='' quick=0
while [ $# -gt 0 ]; do
  case "$1" in
    --build|--prebuilt|--pack|--results|--commit)
      [ $# -ge 2 ] || { echo "gpu_check: $1 needs a value" >&2; exit 2; }
      declare "${1#--}=$2"; shift 2 ;;
    --quick) quick=1; shift ;;
    --help|-h) usage; exit 0 ;;
    *) echo "gpu_check: unknown option $1" >&2; usage >&2; exit 2 ;;
  esac
done

say() { printf 'gpu_check: %s\n' "$*"; }

build_all() {
  [ -f "$build/CMakeCache.txt" ] ||
    cmake --preset cuda -B "$build" -DLVSA_CUDA_ARCHITECTURES="80;90a" || return 1
  cmake --build "$build" --target lvsa_cuda test_cuda test_maps lvsa-verify || return 1
  # Benchmarks are targets of their own; there may be none.
  local source
  for source in bench/*_cuda.cpp bench/*_cuda.cu; do
    [ -e "$source" ] || continue
    source=$(basename "$source")
    cmake --build "$build" --target "bench_${source%.*}" || return 1
  done
}

# The libraries of a plain Linux machine stay behind: they must match its loader.
pack_to() {
  local out=$1 binary library
  mkdir -p "$out/bin" "$out/lib" || return 1
  for binary in "$build"/tests/test_cuda "$build"/tests/test_maps "$build"/bench/*_cuda "$build"/lvsa-verify \
                "$build"/analysis/lvsa-verify "$build"/bin/lvsa-verify; do
    if ! [ -f "$binary" ] || ! [ -x "$binary" ]; then continue; fi
    cp -f "$binary" "$out/bin/" || return 1
    strip "$out/bin/$(basename "$binary")" || return 1
  done
  cp -f "$build"/liblvsa_cuda.so "$out/lib/" || return 1
  for binary in "$out"/bin/* "$out"/lib/liblvsa_cuda.so; do
    LD_LIBRARY_PATH="$build" ldd "$binary" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }'
  done | sort -u | while read -r library; do
    case "$(basename "$library")" in
      libc.so*|libm.so*|libdl.so*|librt.so*|libpthread.so*|ld-linux*|libstdc++.so*|libgcc_s.so*|\
      libresolv.so*|liblvsa_cuda.so|libcuda.so*) ;;
      *) cp -fL "$library" "$out/lib/" ;;
    esac
  done
}

if [ -n "$pack" ]; then
  if ! build_all || ! pack_to "$pack"; then
    say "packing failed" >&2
    exit 1
  fi
  say "packed into $pack: $(du -sh "$pack" | cut -f1)"
  exit 0
fi

if ! gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>&1 | head -n 1) || [ -z "$gpu" ] ||
   [[ "$gpu" == *[Ff]ailed* || "$gpu" == *"not found"* || "$gpu" == *"No devices"* ]]; then
  say "no usable GPU on this machine (nvidia-smi says: ${gpu:-nothing})" >&2
  exit 77
fi
[ -n "$commit" ] || commit=$(git rev-parse --short HEAD 2>/dev/null) || commit=unknown

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export LVSA_FIXTURES="$PWD/fixtures"
failures=0
steps="$work/steps.tsv"
: >"$steps"

# step NAME LIMIT_S COMMAND...: runs it, shows its end when it fails, notes result and time.
step() {
  local name=$1 limit=$2 begin end status
  shift 2
  begin=$(date +%s.%N)
  timeout "$limit" "$@" >"$work/$name.log" 2>&1
  status=$?
  end=$(date +%s.%N)
  printf '%s\t%d\t%.2f\n' "$name" "$status" "$(awk "BEGIN { print $end - $begin }")" >>"$steps"
  if [ "$status" -eq 0 ]; then
    say "$name: passed ($(tail -n 1 "$steps" | cut -f3) s)"
  else
    failures=$((failures + 1))
    say "$name: FAILED with status $status$([ "$status" -eq 124 ] && echo " (over $limit s)")"
    tail -n 40 "$work/$name.log"
  fi
  report || say "the result file was not written"
  return "$status"
}

query() { nvidia-smi --query-gpu="$1" --format=csv,noheader,nounits 2>/dev/null | head -n 1; }
state=clocks.sm,clocks.mem,temperature.gpu,power.draw
clocks_before=$(query "$state")
driver=$(query driver_version)
nvcc=$(nvcc --version 2>/dev/null | tail -n 1)
device=$(query name)
folder="$results/$(tr ' /' '--' <<<"$device")"
mkdir -p "$folder" || exit 1
file="$folder/$(date -u +%Y-%m-%d)-$commit.json"

# report [--end]: the result file of what is known so far.
report() {
  COMMIT="$commit" DEVICE="$device" DRIVER="$driver" NVCC="$nvcc" BEFORE="$clocks_before" \
    AFTER="$(query "$state")" python3 -c '
import json, os, platform
e = os.environ
json.dump({"commit": e["COMMIT"], "device": e["DEVICE"], "driver": e["DRIVER"], "nvcc": e["NVCC"],
           "system": platform.system() + " " + platform.release().split("-")[0],
           "clocks_before": e["BEFORE"], "clocks_after": e["AFTER"]}, open(os.sys.argv[1], "w"))
' "$work/facts.json" && python3 tools/gpu_report.py "$work" "$file" "$@"
}

if [ -n "$prebuilt" ]; then
  [ -x "$prebuilt/bin/test_cuda" ] || { say "$prebuilt/bin/test_cuda is missing" >&2; exit 2; }
  binaries=$(cd "$prebuilt/bin" && pwd)
  LD_LIBRARY_PATH="$(cd "$prebuilt/lib" && pwd)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  export LD_LIBRARY_PATH
  library="$prebuilt/lib/liblvsa_cuda.so"
else
  step build 420 bash -c "$(declare -f build_all); build=$build; build_all" || exit 1
  binaries="$work/bin"
  mkdir -p "$binaries"
  find "$PWD/$build" \
    \( -path "*/tests/test_cuda" -o -path "*/tests/test_maps" -o -path "*/bench/*_cuda" -o -name lvsa-verify \) -type f \
    -perm -u+x -exec ln -sf {} "$binaries/" \;
  library="$build/liblvsa_cuda.so"
fi

( while sleep 1; do query "$state"; done ) \
  >"$work/clocks.csv" 2>/dev/null &
sampler=$!

# What a sanitizer watches must be small: it runs 10 to 100 times slower. Tests whose name starts
# with Small are made for it.
export RC_PARAMS="${RC_PARAMS:-seed=20260601 max_success=60}"
step tests 180 "$binaries/test_cuda" --gtest_brief=1 --gtest_output="json:$work/tests.json"
# Frame masses of `lvsa-verify dump --gpu` against all rows on the CPU; a skipped test is no passed one.
step maps 60 env LVSA_CUDA_PLUGIN="$library" bash -c \
  "'$binaries/test_maps' --gtest_filter=GpuFrameMass.AgreesWithAllRowsOnTheCpu | tee /dev/stderr |
   grep -q 'PASSED.* 1 test'"
if [ "$quick" -eq 0 ]; then
  # A kernel of its own step each: a finding then names its kernel.
  patterns='DevicePattern.NamesBad*:DevicePattern.RefusesAList*:DevicePattern.FollowsTheStep*'
  patterns+=':DeviceGeometry.FindsNothing*:DevicePattern.IsCoresForBatches*:DeviceGeometry.IsCores*'
  export RC_PARAMS="seed=20260601 max_success=8"
  if command -v compute-sanitizer >/dev/null; then
    for tool in memcheck racecheck initcheck synccheck; do
      for subject in "pattern $patterns" "portable *Small*/Portable" "hopper *Small*/Hopper" \
                     "fp8 Fp8Hopper.*Small" "mass FrameMassHopper.*Small" \
                     "blocks-portable *Small*/BlocksPortable" "blocks-marked *Small*/BlocksMarked" \
                     "blocks-hopper *Small*/BlocksHopper" "sparge Sparge*.*Small"; do
        step "${tool}_${subject%% *}" 60 compute-sanitizer --tool "$tool" --error-exitcode 9 \
          --launch-timeout 60 "$binaries/test_cuda" --gtest_brief=1 --gtest_filter="${subject#* }"
      done
    done
  else
    say "compute-sanitizer is missing: FAILED"
    failures=$((failures + 1))
  fi
fi
# The kernels in device memory, and the same behind host tensors.
if [ -x "$binaries/lvsa-verify" ]; then
  for kernel in cuda cuda-portable cuda-host cuda-portable-host; do
    step "conformance_$kernel" 120 "$binaries/lvsa-verify" kernel --kernel "$library:$kernel" \
      --suite smoke --no-report
  done
  for kernel in cuda-blocks cuda-blocks-portable cuda-blocks-portable-host; do
    step "conformance_$kernel" 60 "$binaries/lvsa-verify" kernel --kernel "$library:$kernel" \
      --suite blocks-smoke --no-report
  done
  for input in gauss uniform indicator indicator-key phantom; do
    step "conformance_cuda-fp8-host_$input" 60 "$binaries/lvsa-verify" kernel \
      --kernel "$library:cuda-fp8-host" --no-report --case \
      "T=9 P=70 text=33 B=2 H=4 Hkv=2 D=128 dtype=e4m3 W=2 ref=5 step=1 input=$input seed=7 rows=512"
  done
else
  say "lvsa-verify is not there: no conformance run"
fi
: >"$work/bench.ndjson"
for program in "$binaries"/*_cuda; do
  name=$(basename "$program")
  [ "$name" = test_cuda ] && continue
  [ -x "$program" ] || continue
  step "bench_$name" 60 bash -c "'$program' >'$work/$name.out'" &&
    cat "$work/$name.out" >>"$work/bench.ndjson"
done
kill "$sampler" 2>/dev/null
wait "$sampler" 2>/dev/null

report --end
summary=$?
[ "$summary" -eq 0 ] || failures=$((failures + 1))
say "results in $file"
if [ "$failures" -gt 0 ]; then
  say "$failures step(s) FAILED"
  exit 1
fi
say "all passed"
