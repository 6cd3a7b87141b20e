#!/bin/sh
# The skeleton plugin, healthy and broken in four ways, and libraries that are no plugins.
set -eu
source=$LVSA_SOURCE_DIR/fixtures/skeleton/skeleton.c
cat >cases.txt <<'END'
T=7 P=9 text=5 B=2 H=4 Hkv=2 D=24 dtype=f32 W=1 ref=3 step=1 input=gauss seed=1 rows=0
T=9 P=12 H=1 Hkv=1 D=16 dtype=f32 layout=bhsd W=1 ref=4 step=2 input=indicator seed=2 rows=0
T=5 P=4 H=1 Hkv=1 D=16 dtype=f32 W=0 n_first=0 interval=0 ref=3 step=0 input=gauss seed=3 rows=0
END

build() { "${CC:-cc}" -std=gnu11 -O2 -shared -fPIC -Wall -Werror -I"$LVSA_SOURCE_DIR" "$1" -o "$2" -lm; }

build "$source" skeleton.so
"$LVSA_VERIFY" kernel --kernel ./skeleton.so --suite cases.txt --out report >good.txt
tail -n 1 good.txt | grep -qx '3 passed, 0 failed'
"$LVSA_VERIFY" kernel --kernel ./skeleton.so:skeleton --suite cases.txt --no-report >/dev/null

# broken NAME SED-SCRIPT: the changed skeleton must fail, and the printed command must repeat it.
broken() {
  sed "$2" "$source" >"$1.c"
  if cmp -s "$source" "$1.c"; then
    echo "FAIL: the script of $1 changes nothing"
    exit 1
  fi
  build "$1.c" "$1.so"
  if "$LVSA_VERIFY" kernel --kernel "./$1.so" --suite cases.txt --no-report >"$1.txt"; then
    echo "FAIL: $1 passed"
    cat "$1.txt"
    exit 1
  fi
  command=$(sed -n 's/^  repeat: lvsa-verify //p' "$1.txt" | head -n 1)
  [ -n "$command" ]
  if eval "\"\$LVSA_VERIFY\" $command --no-report" >again.txt; then
    echo "FAIL: the repeated case of $1 passed: $command"
    exit 1
  fi
}
broken scale 's/dot \* (float)p->scale/dot/'
broken group 's|head / (p->heads / p->kv_heads)|head % p->kv_heads|'
broken text 's/query >= video || key >= video/query >= video/'
broken lastkey 's/for (int64_t key = 0; key < tokens; ++key) {/for (int64_t key = 0; key < tokens - 1; ++key) {/'

# Not a plugin, no entry point, another version, a kernel that fails.
refused() {
  status=0
  "$LVSA_VERIFY" kernel --kernel "$1" --suite cases.txt --no-report >out.txt 2>err.txt || status=$?
  if [ "$status" -ne 2 ] || ! grep -q "$2" err.txt; then
    echo "FAIL: $1: exit code $status"
    cat err.txt
    exit 1
  fi
}
refused ./cases.txt:x 'cannot be loaded'
echo 'int nothing;' >empty.c
build empty.c empty.so
refused ./empty.so 'lvsa_kernels'
sed 's/\.abi_version = LVSA_KERNEL_ABI_VERSION/.abi_version = 99/' "$source" >version.c
build version.c version.so
refused ./version.so '99'
refused ./skeleton.so:other 'other'
sed 's/  (void)workspace,.*/  snprintf(message, message_size, "not today"); return LVSA_FAILED;/' "$source" >refuses.c
"${CC:-cc}" -std=gnu11 -shared -fPIC -w -I"$LVSA_SOURCE_DIR" refuses.c -o refuses.so -lm
status=0
"$LVSA_VERIFY" kernel --kernel ./refuses.so --suite cases.txt --no-report >out.txt || status=$?
[ "$status" -eq 1 ]
grep -q 'not today' out.txt
