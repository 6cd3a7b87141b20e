#!/bin/sh
# Manual pages and completion scripts are made from the options that --help shows, and bash takes its; groff, zsh and
# fish have scripts of their own.
set -u
failures=0
lv=$LVSA_VERIFY

fail() {
  echo "FAIL: $*"
  failures=$((failures + 1))
}

"$lv" manual --out share || fail 'manual --out'

# A page for each subcommand, and each long option of --help in its page.
commands=$("$lv" --help | sed -n '/^Subcommands:/,$s/^  \([a-z][a-z0-9-]*\) .*/\1/p')
[ -n "$commands" ] || fail 'no subcommand in --help'
for command in $commands; do
  page=share/man/man1/lvsa-verify-$command.1
  if ! [ -s "$page" ]; then
    fail "no page of $command"
    continue
  fi
  for option in $("$lv" "$command" --help | grep -o '^  [-a-z,]*--[a-z0-9-]*' | grep -o -- '--.*'); do
    grep -qF -- "$(printf '%s' "$option" | sed 's/-/\\-/g')" "$page" || fail "$page lacks $option"
    for script in bash-completion/completions/lvsa-verify zsh/site-functions/_lvsa-verify; do
      grep -qF -- "$option" "share/$script" || fail "$script lacks $option"
    done
  done
  "$lv" manual --page "$command" | cmp -s - "$page" || fail "manual --page $command prints another page"
done

# The same bytes each time.
{ "$lv" manual --out again && diff -r share again; } || fail 'two runs differ'

# Completion in bash.
completed() {
  bash --norc -c '
    . share/bash-completion/completions/lvsa-verify
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _lvsa_verify
    printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}
if command -v bash >/dev/null; then
  completed lvsa-verify ker | grep -qx kernel || fail 'bash: subcommand'
  completed lvsa-verify kernel --rel | grep -qx -- --relations || fail 'bash: option'
  completed lvsa-verify kernel --relations a | grep -qx auto || fail 'bash: value of a list'
fi
# Bad input.
"$lv" manual --page colour >out.txt 2>err.txt
{ [ $? -eq 2 ] && grep -q 'colour' err.txt; } || fail 'an unknown subcommand'
: >file
"$lv" manual --out file/share >out.txt 2>err.txt
{ [ $? -eq 2 ] && grep -q 'file/share' err.txt; } || fail 'a folder that cannot be made'

[ "$failures" -eq 0 ]
