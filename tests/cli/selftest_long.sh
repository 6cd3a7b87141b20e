#!/bin/sh
# The score of the selftest with many keys a row: minutes, so in nightly runs only.
set -eu
[ "${LVSA_NIGHTLY:-0}" = 1 ] || exit 77
for keys in 4096 8192 32768; do
  "$LVSA_VERIFY" selftest --keys "$keys" --score >"$keys.txt" || { cat "$keys.txt"; exit 1; }
  grep -Eqx "small cases alone: ([0-9]+) of \\1; cases with $keys keys a row alone: \\1 of \\1" "$keys.txt"
done
