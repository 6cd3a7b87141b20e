#!/bin/sh
# Every picture of the documents is made by commands that stand in the README, and those that the tool
# draws itself are made again here, byte by byte. ./dev figures makes the others.
set -u
# shellcheck source=tests/cli/common.inc
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
figures=$LVSA_SOURCE_DIR/tools/figures.sh
images=$LVSA_SOURCE_DIR/docs/images

"$figures" --list >made || fail "figures.sh --list: exit code $?"
for picture in "$images"/*; do
  name=$(basename "$picture" .png)
  grep -q "^$name " made || fail "docs/images/$(basename "$picture"): no command in the README makes it"
  grep -qF "images/$name.png)" "$LVSA_SOURCE_DIR/README.md" "$LVSA_SOURCE_DIR"/docs/*.md ||
    fail "docs/images/$name.png: no document shows it"
done
cat "$LVSA_SOURCE_DIR/README.md" "$LVSA_SOURCE_DIR"/docs/*.md "$LVSA_SOURCE_DIR"/notebooks/*.md |
  sed -n 's/.*!\[.*images\/\([a-z0-9_]*\)\.png).*/\1/p' | sort -u >shown
while read -r name; do
  [ -s "$images/$name.png" ] || fail "docs/images/$name.png is shown, but not there"
  grep -q "^$name " made || fail "docs/images/$name.png is shown, but the README has no command for it"
done <shown

# With the executable under test in the place of build/lvsa-verify.
mkdir -p build pictures
ln -s "$LVSA_VERIFY" build/lvsa-verify
while read -r name file size; do
  [ -z "$size" ] || continue
  "$figures" --build "$PWD/build" --out "$PWD/pictures" "$name" >out 2>&1 </dev/null || fail "$name: $(cat out)"
  cmp "pictures/$name.png" "$images/$name.png" || fail "docs/images/$name.png: ./dev figures $name makes another ($file)"
done <made
[ -s pictures/mask.png ] || fail 'not even the mask was made'

code=0
"$figures" nothing >out 2>err || code=$?
[ "$code" -eq 2 ] || fail "an unknown picture: exit code $code"
all_good
