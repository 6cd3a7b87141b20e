#!/bin/sh
# What stands in the manual pages must not be taken for requests.
set -u
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
command -v groff >/dev/null || { echo 'no groff'; exit 77; }
"$LVSA_VERIFY" manual --out share || fail 'manual --out'
for page in share/man/man1/*.1; do
  groff -man -Tascii -ww "$page" >/dev/null 2>groff.txt || fail "groff fails: $page"
  ! grep -q 'warning' groff.txt || fail "$page: $(cat groff.txt)"
done
all_good
