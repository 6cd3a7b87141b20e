#!/bin/sh
# lvsa-verify parallel: exit codes, the lines that people read, JSON.
set -u
# shellcheck source=tests/cli/common.inc
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
lv=$LVSA_VERIFY
fixtures=$LVSA_SOURCE_DIR/fixtures/parallel

# expect CODE TEXT ARGUMENTS...: exits with CODE and says TEXT on stdout or stderr; bad input in one line.
expect() {
  code=$1
  text=$2
  shift 2
  "$lv" parallel "$@" >out.txt 2>err.txt </dev/null
  got=$?
  if [ "$got" -ne "$code" ]; then
    echo "FAIL: exit code $got instead of $code: parallel $*"
    cat out.txt err.txt
    failures=$((failures + 1))
  elif [ "$code" -eq 2 ] && [ "$(wc -l <err.txt)" -ne 1 ]; then
    echo "FAIL: not one line on stderr: parallel $*"
    cat err.txt
    failures=$((failures + 1))
  elif ! grep -qF -- "$text" out.txt err.txt; then
    echo "FAIL: '$text' not said: parallel $*"
    cat out.txt err.txt
    failures=$((failures + 1))
  fi
}

# Ranks and engagement, as section 8 of the published behaviour has it.
expect 0 'backend: LVSA engages' --frames 161 --tp 2
expect 0 'backend: LVSA engages' --frames 161 --ulysses 4
expect 0 'wan-hook: LVSA steps aside' --frames 161 --ulysses 4
expect 1 'backend: LVSA falls back to dense' --frames 165 --ring 2
expect 1 'steps aside' --frames 161 --ulysses 4 --path hook
expect 0 'wan-hook: LVSA engages' --frames 161 --tp 4 --path hook
expect 1 'reason=distributed_cp' --frames 161 --tp 4 --path hook --lvsa 1.2
expect 0 'wan-hook: LVSA engages' --frames 161 --cfg 2 --path hook
expect 0 '64 ranks' --frames 253 --tp 4 --ulysses 2 --ring 1 --cfg 8 --heads 16
expect 1 'works above: T = 42' --frames 161 --patches 1590 --ulysses 4
expect 1 '28 query and 7 kv heads' --heads 28 --kv-heads 7 --ulysses 2
expect 0 'heads' --heads 28 --kv-heads 7 --ulysses 2 --pad-heads
expect 0 '8190' --seq-len 32760 --ulysses 4
expect 1 '1001 video tokens do not divide' --seq-len 1001 --ulysses 2
expect 1 'T is not known here' --seq-len 1001 --ulysses 2
expect 1 '"divides":false' --frames 161 --patches 1590 --ulysses 4 --json

# Computed against one rank.
printf 'LVSA_WINDOW_SIZE=0\nLVSA_N_FIRST_FRAMES=0\nLVSA_AUTO_KEYFRAMES=0\nLVSA_KEY_FRAME_INTERVAL=64\n' >windowless.env
expect 0 'round-trip   holds' --frames 161 --ulysses 2 --ring 2 --compute
expect 0 'standalone mode custom' --frames 161 --ulysses 4 --compute
expect 0 '"good":true' --heads 28 --kv-heads 7 --latent-frames 9 --patches 11 --ulysses 2 --pad-heads --compute --json
expect 1 'rows hold NaN' --latent-frames 24 --patches 2 --ring 8 --compute --merge published --env windowless.env
expect 0 '464 passed, 0 failed' --compute
expect 0 '19 of 19 defects killed' --compute --mutants

# Plans.
expect 0 'the plan is valid' --plan "$fixtures/good-blocks.json"
expect 0 'rank 1: 0-1, 4-5' --plan "$fixtures/good-partial.json"
expect 0 'rank 3: none' --plan "$fixtures/good-nine-over-four.json"
expect 1 'passed through whole on every rank' --plan "$fixtures/good-unsplit.json"
expect 0 'multiply outputs by 0.750000' --plan "$fixtures/good-auto-pad.json"
expect 1 'pad-with-ring' --plan "$fixtures/good-auto-pad.json" --ulysses 2 --ring 2
expect 2 "bad-several.json: 'rope'[1]" --plan "$fixtures/bad-several.json"
[ ! -s out.txt ] || { echo "FAIL: more than the first violation without --all"; failures=$((failures + 1)); }
expect 2 "[name-value]" --plan "$fixtures/bad-several.json" --all
if [ "$(grep -c '^violation: ' out.txt)" -ne 5 ]; then
  echo "FAIL: --all does not list five violations"
  cat out.txt
  failures=$((failures + 1))
fi

# Bad input.
expect 2 'missing.json' --plan missing.json
echo '{"a": ' >cut.json
expect 2 'cut.json' --plan cut.json
expect 2 '--ulysses 0' --ulysses 0
expect 2 '--ring -1' --ring -1
expect 2 'ranks' --ulysses 4096 --ring 4096
expect 2 '--latent-frames' --latent-frames 0
expect 2 '7 query heads on 2 kv heads' --heads 7 --kv-heads 2
expect 2 '--seq-len 0' --seq-len 0
expect 2 'no multiple of T = 21' --seq-len 1001 --latent-frames 21
expect 2 '--mutants' --mutants
expect 2 '--mutants' --compute --mutants --ulysses 2
expect 2 '--all' --all
expect 2 '--pad-heads' --heads 28 --kv-heads 7 --ulysses 2 --compute
expect 2 'has no hook' --model cogvideox-5b --path hook
expect 2 "nomodel" --model nomodel
expect 2 'is no 64-bit integer' --ulysses 2x

all_good
