#!/bin/sh
# The C interfaces keep their promises: their layouts are the recorded ones, every change of them shows,
# and a plugin that was compiled against the first header of version 1 is still judged rightly.
set -eu
header=$LVSA_SOURCE_DIR/core/kernel/lvsa_kernel.h
abi=$LVSA_SOURCE_DIR/tools/kernel_abi.sh
first=$LVSA_SOURCE_DIR/fixtures/abi

"$abi" --check

# changed TEXT SED-SCRIPT: with this change of $header the check fails and says TEXT.
changed() {
  sed "$2" "$header" >changed.h
  if cmp -s "$header" changed.h; then
    echo "FAIL: '$2' changes nothing"
    exit 1
  fi
  if "$abi" --check changed.h >said.txt; then
    echo "FAIL: not seen: $2"
    exit 1
  fi
  grep -qF -- "$1" said.txt || { echo "FAIL: '$1' not said:"; cat said.txt; exit 1; }
}
changed 'removed: member lvsa_problem text_tokens' '/int64_t text_tokens;/d'
changed 'changed: member lvsa_tensor strides' 's/int64_t strides\[4\]/int32_t strides[4]/'
changed 'changed: value lvsa_dtype LVSA_E4M3' 's/LVSA_E4M3 = 5/LVSA_E4M3 = 7/'
changed 'not recorded yet (append it): member lvsa_numerics extra' 's/int32_t sum_step;/int32_t sum_step; double extra;/'
changed 'changed: version 1' 's/ABI_VERSION 1u/ABI_VERSION 2u/'
header=$LVSA_SOURCE_DIR/core/blocks/lvsa_blocks.h
changed 'removed: member lvsa_block_problem map_of_head' '/int32_t\* map_of_head;/d'
changed 'changed: member lvsa_block_capabilities block_max' 's/int64_t block_max;/int32_t block_max;/'
header=$LVSA_SOURCE_DIR/core/blocks/lvsa_pattern.h
changed 'not recorded yet (append it): member lvsa_pattern_result extra' 's/const char\* choice;/& int64_t extra;/'
changed 'changed: version 1' 's/PATTERN_ABI_VERSION 1u/PATTERN_ABI_VERSION 2u/'

# The first header of this version describes the beginning of today's structs.
"$abi" "$first/lvsa_kernel_first.h" | grep -v '^struct ' >first.txt
"$abi" | sort >now.txt
if missing=$(sort first.txt | comm -23 - now.txt) && [ -n "$missing" ]; then
  echo "FAIL: of the first header, not as it was: $missing"
  exit 1
fi

# A plugin of that time.
mkdir -p core/kernel
cp "$first/lvsa_kernel_first.h" core/kernel/lvsa_kernel.h
"${CC:-cc}" -std=gnu11 -O2 -shared -fPIC -I. "$first/skeleton_first.c" -o first.so -lm
cat >cases.txt <<'END'
T=7 P=9 text=5 B=2 H=4 Hkv=2 D=24 dtype=f32 W=1 ref=3 step=1 input=gauss seed=1 rows=0
T=9 P=12 H=1 Hkv=1 D=16 dtype=f32 layout=bhsd W=1 ref=4 step=2 input=indicator seed=2 rows=0
END
"$LVSA_VERIFY" kernel --kernel ./first.so --suite cases.txt --no-report >first_run.txt
tail -n 1 first_run.txt | grep -qx '2 passed, 0 failed'
