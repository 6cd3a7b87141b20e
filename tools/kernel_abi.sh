#!/bin/sh
# Prints the layout of a C interface: sizes of structs, places of members, values of enumerators, one a
# line. Read from the header itself, so that no member can be forgotten: core/kernel/lvsa_kernel.h (the
# default), core/blocks/lvsa_blocks.h, core/blocks/lvsa_pattern.h, or a copy of one of them.
#
#   tools/kernel_abi.sh [HEADER]              print it
#   tools/kernel_abi.sh --check [HEADER]      hold it against fixtures/abi/layout*.txt; without a header
#                                             all three
#
# --check exits with 1 when a plugin compiled against an earlier header would be read wrongly (a member
# moved, a value changed, something removed), and when the interface has something that is not recorded
# yet: append it to the record in the change that makes it.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
check=''
if [ "${1:-}" = --check ]; then
  check=yes
  shift
fi
if [ -n "$check" ] && [ $# -eq 0 ]; then
  for one in core/kernel/lvsa_kernel.h core/blocks/lvsa_blocks.h core/blocks/lvsa_pattern.h; do
    "$root/tools/kernel_abi.sh" --check "$root/$one" || exit
  done
  exit
fi
header=${1:-$root/core/kernel/lvsa_kernel.h}
[ -r "$header" ] || { echo "kernel_abi: $header: cannot be read" >&2; exit 2; }
header=$(CDPATH='' cd -- "$(dirname -- "$header")" && pwd -P)/$(basename -- "$header")
version=$(sed -n 's/^#define \(LVSA_[A-Z_]*ABI_VERSION\) .*/\1/p' "$header")
case $version in
  LVSA_KERNEL_ABI_VERSION) record=layout.txt what='the kernel interface' ;;
  LVSA_BLOCK_KERNEL_ABI_VERSION) record=layout_blocks.txt what='the interface of block-sparse kernels' ;;
  LVSA_PATTERN_ABI_VERSION) record=layout_pattern.txt what='the interface of patterns' ;;
  *) echo "kernel_abi: $header: defines no version of an interface that is known" >&2; exit 2 ;;
esac
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT

# Lines "struct NAME", "member STRUCT NAME", "enumerator ENUM NAME" of the header without comments.
"${CC:-cc}" -fpreprocessed -dD -E -P "$header" 2>/dev/null | grep -v '^ *#' | tr '\n' ' ' |
  sed 's/typedef \(struct\|enum\)/\n&/g; s/} *[a-z_]* *;/&\n/g' | awk '
  /^typedef enum/ {
    name = $3; body = $0
    sub(/^[^{]*[{]/, "", body); sub(/[}].*/, "", body)
    count = split(body, parts, ",")
    for (i = 1; i <= count; i++) {
      split(parts[i], words, " ")
      if (words[1] != "") print "enumerator", name, words[1]
    }
  }
  /^typedef struct/ {
    name = $3; body = $0
    print "struct", name
    sub(/^[^{]*[{]/, "", body); sub(/[}][^}]*$/, "", body)
    count = split(body, parts, ";")
    for (i = 1; i <= count; i++) {
      text = parts[i]
      if (text ~ /\( *\*/) {            # a pointer to a function: its name stands in (*name)
        sub(/^[^(]*\( *\* */, "", text); sub(/ *\).*/, "", text)
      } else {
        sub(/\[.*/, "", text); gsub(/ +$/, "", text); sub(/.*[ *]/, "", text)
      }
      if (text ~ /^[a-z_0-9]+$/) print "member", name, text
      else if (text !~ /^ *$/) { print "kernel_abi: not understood: " parts[i] >"/dev/stderr"; exit 2 }
    }
  }' >"$scratch/names"
[ -s "$scratch/names" ] || { echo "kernel_abi: $header: no struct in it" >&2; exit 2; }

{
  printf '#include "%s"\n#include <stddef.h>\n#include <stdio.h>\nint main(void) {\n' "$header"
  awk '
    $1 == "struct" { printf "  printf(\"struct %s size %%zu\\n\", sizeof(%s));\n", $2, $2 }
    $1 == "member" {
      printf "  printf(\"member %s %s at %%zu size %%zu\\n\", offsetof(%s, %s), sizeof(((%s*)0)->%s));\n",
             $2, $3, $2, $3, $2, $3 }
    $1 == "enumerator" { printf "  printf(\"value %s %s %%d\\n\", (int)%s);\n", $2, $3, $3 }' "$scratch/names"
  printf '  printf("version %%u\\n", (unsigned)%s);\n  return 0;\n}\n' "$version"
} >"$scratch/layout.c"
"${CC:-cc}" -std=c11 -I"$root" -o "$scratch/layout" "$scratch/layout.c"
"$scratch/layout" | sort >"$scratch/now"
if [ -z "$check" ]; then
  cat "$scratch/now"
  exit
fi

# Structs may grow at their ends; everything else stays.
record=$root/fixtures/abi/$record
awk -v record="$record" '
  function key(   k) { return $1 == "struct" ? $1 " " $2 : $1 == "version" ? $1 : $1 " " $2 " " $3 }
  /^#/ { next }
  FILENAME == record { was[key()] = $0; if ($1 == "struct") size[$2] = $4; next }
  { is[key()] = $0 }
  $1 == "struct" && size[$2] > $4 { print "smaller than recorded: " $0; bad = 1 }
  END {
    for (k in was) if (!(k in is)) { print "removed: " was[k]; bad = 1 }
    for (k in is) {
      if (!(k in was)) { print "not recorded yet (append it): " is[k]; bad = 1 }
      else if (is[k] != was[k] && k !~ /^struct /) { print "changed: " was[k] " -> " is[k]; bad = 1 }
      else if (is[k] != was[k]) { print "grown (record it): " was[k] " -> " is[k]; bad = 1 }
    }
    exit bad
  }' "$record" "$scratch/now" | sort >"$scratch/said"
[ ! -s "$scratch/said" ] || { cat "$scratch/said"; exit 1; }
echo "$what is as recorded"
