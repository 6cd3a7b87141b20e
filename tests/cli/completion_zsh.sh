#!/bin/sh
# Completion in zsh: keys typed into a shell of it, on a pseudo terminal.
set -u
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
command -v zsh >/dev/null || { echo 'no zsh'; exit 77; }
command -v timeout >/dev/null || { echo 'no timeout'; exit 77; }
"$LVSA_VERIFY" manual --out share || fail 'manual --out'
zsh -n share/zsh/site-functions/_lvsa-verify || fail 'syntax'

cat >keys.zsh <<'END'
zmodload zsh/zpty || exit 77
zpty shell zsh -f -i
zpty -w shell 'PS1="re""ady> "; fpath=($PWD/share/zsh/site-functions $fpath); autoload -Uz compinit; compinit -D -u'
zpty -r -m shell seen '*ready> *'
zpty -n -w shell "$1"$'\t'
zpty -r -m shell seen "*$2*"
END
# completes KEYS TEXT: with a tab behind the keys, TEXT appears.
completes() {
  timeout 60 zsh -f keys.zsh "$1" "$2" || fail "$1: no $2"
}
completes 'lvsa-verify ker' kernel
completes 'lvsa-verify kernel --relat' --relations
completes 'lvsa-verify gate --jun' --junit
all_good
