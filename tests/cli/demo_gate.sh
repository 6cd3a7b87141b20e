#!/bin/sh
# The demonstration of the gate; what is timed only in nightly runs.
set -eu
quick=--quick
[ "${LVSA_NIGHTLY:-}" != 1 ] || quick=
"$LVSA_SOURCE_DIR/tools/demo_gate.sh" $quick >out.txt 2>&1 || {
  cat out.txt
  exit 1
}
grep -q 'every time' out.txt
