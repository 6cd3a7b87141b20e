#!/bin/sh
# Object files that are compiled for AVX must not define functions under a name that ordinary files
# define too: the linker keeps one copy for all, and on a machine without AVX that copy may be the
# wrong one. Such functions show as weak symbols; those whose name tells the version are safe.
set -eu

objects=$(find "$LVSA_BINARY_DIR/core" "$LVSA_BINARY_DIR/reference" "$LVSA_BINARY_DIR/analysis" \
  -name '*_avx2.cpp.o' -o -name '*_avx512.cpp.o')
if [ -z "$objects" ]; then
  echo 'no object files for AVX in this build'
  exit 77
fi

status=0
echo "$objects" | (
  while read -r object; do
    # DW.ref.* is data that the unwinder needs, not code.
    shared=$(nm --defined-only --demangle "$object" | grep -E '^[0-9a-f]+ [WVu] ' |
      grep -vE 'avx2|avx512|DW\.ref\.' || true)
    if [ -n "$shared" ]; then
      echo "$object shares with other files:"
      echo "$shared"
      status=1
    fi
  done
  exit "$status"
)
