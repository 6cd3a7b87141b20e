#!/usr/bin/env bash
# Makes the pictures of docs/images again, each by the commands that stand in the README behind a line
#
#     <!-- docs/images/NAME.png is build/FILE.png, made by: -->
#     <!-- docs/images/NAME.png is build/PAGE.html at 1280x1700, made by: -->
#
# as an indented block of code. A page is pictured by a headless Chromium; without one it is left out.
#
#     tools/figures.sh                      # all of them, with build/lvsa-verify
#     tools/figures.sh --out FOLDER mask    # docs/images/mask.png, into FOLDER
#     tools/figures.sh --list               # NAME, file, size of a page
#
# --build FOLDER stands for the README's build/. Exit code 0: all made, 1: some not, 2: bad usage.
set -uo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 2

build=build out=docs/images list=''
wanted=()
while (($#)); do
  case $1 in
    --build | --out) declare "${1#--}=${2:?value of $1}"; shift ;;
    --list) list=yes ;;
    -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" | sed '$d'; exit 0 ;;
    -*) echo "figures.sh: $1: --help lists the options" >&2; exit 2 ;;
    *) wanted+=("$1") ;;
  esac
  shift
done

mark='^<!-- docs\/images\/\([a-z0-9_]*\)\.png is build\/\([^ ]*\)\( at \([0-9]*x[0-9]*\)\)\{0,1\}, made by: -->$'
figures() { sed -n "s/$mark/\\1 \\2 \\4/p" README.md; }

# The first indented block behind the mark of $1.
commands() {
  awk -v mark="<!-- docs/images/$1.png is " '
    index($0, mark) == 1 { found = 1; next }
    found && /^    / { inside = 1; print substr($0, 5); next }
    inside && !/^$/ { exit }' README.md | sed "s|\\bbuild/|$build/|g"
}

if [[ $list ]]; then
  figures
  exit
fi

browser=${CHROMIUM:-}
for name in chromium chromium-browser google-chrome; do
  [[ $browser ]] || browser=$(command -v "$name" || true)
done
profile=$(mktemp -d)
trap 'rm -rf -- "$profile"' EXIT

picture() { # PAGE WIDTHxHEIGHT FILE
  timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu --hide-scrollbars --no-first-run \
    --disable-dev-shm-usage --user-data-dir="$profile" --force-device-scale-factor=1 \
    --virtual-time-budget=10000 --window-size="${2/x/,}" --screenshot="$3" "file://$1" >"$profile/log" 2>&1
}

# one NAME FILE SIZE: size is that of a page's picture. A report of a wrong kernel ends with exit code 1:
# what counts is that the file is there afterwards.
one() {
  local log target
  rm -rf -- "${build:?}/$2"
  log=$(commands "$1" | sh -u 2>&1)
  target=$(realpath -- "$out")/$1.png
  if [[ -s $build/$2 ]] && if [[ $3 ]]; then
    picture "$(realpath -- "$build/$2")" "$3" "$target"
  else
    cp -- "$build/$2" "$target"
  fi; then
    echo "$1: $out/$1.png"
  else
    echo "$1: NOT MADE: $log"
    return 1
  fi
}

# Settings of whoever runs this must not count.
for variable in "${!LVSA_@}"; do unset "$variable"; done
failed=0 made=0
while read -r name file size; do
  ((${#wanted[@]} == 0)) || [[ " ${wanted[*]} " == *" $name "* ]] || continue
  made=$((made + 1))
  if [[ $size && ! $browser ]]; then
    echo "$name: left out, no Chromium here"
  else
    one "$name" "$file" "$size" || failed=$((failed + 1))
  fi
done < <(figures)
((made > 0)) || { echo "figures.sh: the README makes no picture '${wanted[*]}'" >&2; exit 2; }
((failed == 0))
