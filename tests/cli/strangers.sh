#!/bin/sh
# A sample of the strangers on a few small cases; all of them, on the suite smoke, in nightly runs.
set -eu
cat >cases.txt <<'END'
T=5 P=17 text=5 B=2 H=6 Hkv=2 D=40 dtype=f16 W=1 ref=3 step=1 input=gauss seed=68 rows=0
T=3 P=43 H=1 Hkv=1 D=33 dtype=bf16 W=0 ref=2 step=1 input=gauss seed=69 rows=0
T=5 P=20 text=9 B=2 H=6 Hkv=2 D=64 dtype=e4m3 W=1 ref=3 step=1 input=indicator seed=73 rows=0
END
grep -q avx2 /proc/cpuinfo || exit 77
"$LVSA_SOURCE_DIR/tests/strangers/run.sh" --suite "$PWD/cases.txt" --jobs 2 \
  two_splits exp2_folded group_shift keys_by_first_row offsets_int32 v_by_k_strides all_fp64 fp8_v_scale
