#!/bin/sh
# python/lvsa_capture.py, and what it records judged by lvsa-verify. Skipped without torch and h5py.
set -u
python=${LVSA_PYTHON:-python3}
fixtures=$LVSA_SOURCE_DIR/fixtures/captures
failures=0
fail() {
  printf 'FAILED: %s\n' "$1" >&2
  failures=$((failures + 1))
}

# The fixture that it made needs no torch to be judged: dense, as its settings say.
"$LVSA_VERIFY" kernel --capture "$fixtures/wan_tiny.h5" --no-report --filter step3 >out.txt 2>&1 || fail "wan_tiny.h5"
grep -q "4 passed, 0 failed" out.txt || { fail "wan_tiny.h5 is not judged as dense"; cat out.txt >&2; }
[ "$(wc -l <"$LVSA_SOURCE_DIR/python/lvsa_capture.py")" -le 200 ] || fail "lvsa_capture.py has more than 200 lines"

if "$python" -c 'import h5py, numpy, torch' 2>/dev/null; then
  PYTHONPATH="$LVSA_SOURCE_DIR/python" "$python" "$LVSA_SOURCE_DIR/tests/cli/capture_python.py" >py.txt 2>&1 ||
    { fail "capture_python.py"; cat py.txt >&2; }
elif [ "$failures" -eq 0 ]; then
  echo "no torch or h5py for $python: what records is not tested"
  exit 77
fi
exit "$failures"
