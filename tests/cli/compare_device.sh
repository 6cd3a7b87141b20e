#!/bin/sh
# sweep --patterns --time with kernels for device memory: a driver library that is not one, kernels that tell what they are
# called with.
set -eu
subcommand=sweep
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
if ! command -v "${CC:-cc}" >/dev/null; then
  echo 'no C compiler: nothing was tried'
  exit 77
fi
mkdir driver
"${CC:-cc}" -std=gnu11 -O1 -shared -fPIC -w "$LVSA_SOURCE_DIR/tests/cli/fake_driver.c" -o driver/libcuda.so.1
"${CC:-cc}" -std=gnu11 -O1 -shared -fPIC -w -I "$LVSA_SOURCE_DIR" "$LVSA_SOURCE_DIR/tests/cli/compare_device.c" -o kernels.so
LD_LIBRARY_PATH=$PWD/driver${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
video='T=5 h=16 w=16 heads=1 D=64 seed=1'
sparge='sparge topk=0.25 simthreshd1=-0.5 partial_kept=0'

# 10 x 20 blocks, a quarter of them kept.
gives 0 'kernel cuda-blocks on Fake GPU' --synthetic "$video" --patterns "$sparge" --rows-per-frame 1 --out planned --quiet \
  --time ./kernels.so:cuda-blocks --time-blocks 1
for line in 'plan of 200' 'plan of 50' 'planned 200' 'planned 50' 'destroyed 50' 'heads 8' 'predicted 20'; do
  grep -qx "$line" calls || fail "no '$line' among the calls"
done
! grep -q '^run' calls || fail 'the kernel was called beside its plans'
cat >look.py <<'PY'
import csv, math, sys
for row in csv.DictReader(open(sys.argv[1] + "/compare.csv")):
    known = {name for name, value in row.items() if name.startswith("measured_") and math.isfinite(float(value))}
    assert len(known) == {"sparge": int(sys.argv[2]), "sta": 0}[row["rule"]], row
PY
python3 look.py planned 6 || fail 'planned/compare.csv'

# Without plans, and without a prediction on the device: attention and the ratio are known, no more.
rm calls
gives 0 'not timed 1 times: sta ragged=tiles: kernel other: no orders of tokens' --synthetic "$video" \
  --patterns "$sparge causal=1; sta ragged=tiles" --rows-per-frame 1 --out called --quiet --time ./kernels.so:other \
  --time-blocks 1 --time-heads 2
grep -qx 'run 200' calls || fail 'the kernel was not called'
python3 look.py called 3 || fail 'called/compare.csv'
all_good
