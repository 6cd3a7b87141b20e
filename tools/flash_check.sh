#!/usr/bin/env bash
# Judges FlashInfer's block-sparse wrappers and FlexAttention on this machine, with their known traps: export, fill, check.
set -uo pipefail

usage() {
  cat <<'TEXT'
usage: tools/flash_check.sh [options]

  --verify PATH    lvsa-verify                                     (default: build/lvsa-verify, else the PATH's)
  --python PATH    the Python that has the libraries               (default: python3)
  --device NAME    torch device                                    (default: cuda)
  --only NAME      flashinfer or flex                              (default: what can be imported)
  --suite SUITE    cases for the fillers                           (default: fixtures/suites/flash.txt)
  --out DIR        where cases and reports go                      (default: flash_check.out)
  --stages LIST    of export,fill,check                            (default: all three)
  --seconds N      limit for each step of fill                     (default: 420)
  --help

The stages can run on different machines: export and check need lvsa-verify and no GPU, fill the libraries and no
lvsa-verify; DIR travels between them. FlashInfer compiles its kernels when they are first wanted, some minutes.

Exit status: 0 all passed, 1 something failed, 2 wrong arguments, 77 nothing to run.
TEXT
}

root=$(cd "$(dirname "$0")/.." && pwd) || exit 2
verify='' python=python3 device=cuda only='' suite=$root/fixtures/suites/flash.txt out=flash_check.out
stages=export,fill,check seconds=420
while [ $# -gt 0 ]; do
  case "$1" in
    --verify|--python|--device|--only|--suite|--out|--stages|--seconds)
      [ $# -ge 2 ] || { echo "flash_check: $1 needs a value" >&2; exit 2; }
      declare "${1#--}=$2"; shift 2 ;;
    --help|-h) usage; exit 0 ;;
    *) echo "flash_check: unknown option $1" >&2; usage >&2; exit 2 ;;
  esac
done
case "$only" in '' | flashinfer | flex) ;; *) echo "flash_check: --only flashinfer or flex is due" >&2; exit 2 ;; esac

say() { printf 'flash_check: %s\n' "$*"; }
wants() { case ",$stages," in *",$1,"*) return 0 ;; *) return 1 ;; esac; }

if [ -z "$verify" ]; then
  verify=$root/build/lvsa-verify
  [ -x "$verify" ] || verify=lvsa-verify
fi
functions() {
  case "$1" in
    flashinfer) echo "lvsa_flashinfer:block_sparse lvsa_flashinfer:variable lvsa_flashinfer:fa2" ;;
    flex) echo "lvsa_flex:eager lvsa_flex:compiled" ;;
  esac
}
libraries=${only:-flashinfer flex}
status=0
failed() { say "FAILED: $*"; status=1; }

export_cases() {
  mkdir -p "$out" || return 1
  for library in $libraries; do
    "$verify" export "$library-traps" -o "$out/$library-traps.safetensors" || return 1
    for function in $(functions "$library"); do
      "$verify" export "$suite" -o "$out/${function/:/_}.safetensors" || return 1
    done
  done
}

importable() {
  case "$1" in
    flashinfer) "$python" -c 'import torch, flashinfer' 2>"$out/import.txt" ;;
    flex) "$python" -c 'import torch.nn.attention.flex_attention' 2>"$out/import.txt" ;;
  esac
}

fill_cases() {
  export PYTHONUNBUFFERED=1 MAX_JOBS=${MAX_JOBS:-6} LVSA_FLEX_SECONDS=${LVSA_FLEX_SECONDS:-$((seconds / 2))}
  "$python" -c 'import platform, torch
print("Python", platform.python_version(), "torch", torch.__version__)
if torch.cuda.is_available(): print(torch.cuda.get_device_name(0), torch.version.cuda)' | tee "$out/versions.txt"
  local ran=0
  for library in $libraries; do
    if ! importable "$library"; then
      say "$library: cannot be imported here: $(tail -n 1 "$out/import.txt")"
      rm -f "$out/$library"-traps.safetensors "$out/lvsa_$library"_*.safetensors
      continue
    fi
    ran=1
    # Side by side, so that kernels of different kinds are compiled at the same time.
    timeout "$seconds" "$python" "$root/python/lvsa_traps.py" "$out/$library-traps.safetensors" --device "$device" \
      --jobs "$(nproc)" --timeout "$((seconds * 7 / 10))" 2>&1 | tee "$out/$library-traps.txt" ||
      failed "$library: traps, see $out/$library-traps.txt"
    for function in $(functions "$library"); do
      timeout "$seconds" "$python" "$root/python/lvsa_fill.py" "$out/${function/:/_}.safetensors" "$function" \
        --device "$device" >"$out/${function/:/_}.txt" 2>&1 || failed "$function: $(tail -n 1 "$out/${function/:/_}.txt")"
      say "$function filled"
    done
  done
  rm -f "$out/import.txt"
  [ "$ran" -eq 1 ] || { say "neither FlashInfer nor FlexAttention is here"; exit 77; }
}

check_cases() {
  local file name
  for file in "$out"/*.safetensors; do
    [ -e "$file" ] || { say "$out: no files of cases" >&2; exit 2; }
    name=$(basename "$file" .safetensors)
    "$verify" check "$file" --out "$out/report-$name" >"$out/check-$name.txt" || failed "$name, see $out/check-$name.txt"
    say "$name: $(tail -n 1 "$out/check-$name.txt")"
  done
}

if wants export; then export_cases || { say "export failed" >&2; exit 1; }; fi
if wants fill; then fill_cases; fi
if wants check; then check_cases; fi
exit "$status"
