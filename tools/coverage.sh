#!/usr/bin/env bash
# How many lines of core/ and reference/ the tests of stage clang run, from what they left in build-clang/profiles:
#
#     .ci/run clang && tools/coverage.sh            # table by folder; exit code 1 below the floor
#     tools/coverage.sh --lines core/io/npy.cpp     # the lines of files that nothing ran
#
# The floor is .ci/coverage_floor, a share of lines in percent. Raise it when coverage has risen. Left out is code for
# processors with other instructions than this one (files named *_avx2*, *_avx512*, simd_*), which a
# machine runs or does not.
# Exit codes: 0 no fewer than the floor, 1 fewer, 2 nothing to read.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

case ${1:-} in
  -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" | sed '$d' && exit 0 ;;
  '' | --lines) ;;
  *) echo "coverage.sh: $1: --help lists the options" >&2 && exit 2 ;;
esac

# The version of the compiler that counted, where there are several.
version=$(clang --version | sed -n 's/^.*clang version \([0-9]*\).*/\1/p')
tool() { command -v "$1-$version" || command -v "$1" || { echo "coverage.sh: no $1 (package llvm)" >&2; return 1; }; }
profdata=$(tool llvm-profdata) && cov=$(tool llvm-cov) || exit 2

build='build-clang'
compgen -G "$build/profiles/*.profraw" >/dev/null ||
  { echo "coverage.sh: nothing in $build/profiles: .ci/run clang leaves it there" >&2; exit 2; }
"$profdata" merge -sparse -o "$build/tests.profdata" "$build"/profiles/*.profraw

objects=()
for program in "$build"/tests/test_*; do
  # Those link analysis, and with it much of reference that other stages test.
  [[ ! $program =~ /test_(gate|quality|patterns)$ ]] || continue
  [[ -x $program && ! -d $program ]] && objects+=(-object "$program")
done
options=("${objects[@]:1}" "-instr-profile=$build/tests.profdata"
  '-ignore-filename-regex=(_avx2|_avx512|simd_)')

if [[ ${1:-} ]]; then
  shift
  "$cov" show "${options[@]}" "${@/#/$PWD/}" | grep -E '^ *[0-9]+\| +0\||^/' || true
  exit 0
fi

# filename, then lines, lines missed, share: columns 8 to 10 of each row.
"$cov" report "${options[@]}" | awk -v floor="$(cat .ci/coverage_floor)" '
  # Paths come without what all of them share, which is this folder, since sources of tests are among them.
  NF >= 10 && $8 ~ /^[0-9]+$/ && $1 ~ /^(core|reference)\// {
    count = split($1, parts, "/")
    folder = count > 2 ? parts[1] "/" parts[2] : parts[1]
    lines[folder] += $8; missed[folder] += $9
    all += $8; all_missed += $9
  }
  END {
    if (all == 0) { print "coverage.sh: no lines counted"; exit 2 }
    for (folder in lines)
      printf "%-24s %6d lines, %5.1f %% run\n", folder, lines[folder], 100 * (1 - missed[folder] / lines[folder]) | "sort"
    close("sort")
    share = 100 * (1 - all_missed / all)
    printf "%-24s %6d lines, %5.1f %% run; the floor is %s %%\n", "all", all, share, floor
    exit share < floor
  }'
