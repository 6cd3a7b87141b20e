#!/bin/sh
# Completion in fish.
set -u
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
command -v fish >/dev/null || { echo 'no fish'; exit 77; }
export HOME="$PWD"
"$LVSA_VERIFY" manual --out share || fail 'manual --out'
script=share/fish/vendor_completions.d/lvsa-verify.fish
fish --no-execute "$script" || fail 'syntax'

# completes WORDS TEXT: TEXT is offered for the last of the words.
completes() {
  fish --no-config -c "source $script; complete -C '$1'" >out 2>err || fail "$1: $(cat err)"
  cut -f 1 out | grep -qx -e "$2" || fail "$1: no $2 in: $(cat out)"
}
completes 'lvsa-verify ker' kernel
completes 'lvsa-verify kernel --rel' --relations
completes 'lvsa-verify kernel --relations a' auto
all_good
