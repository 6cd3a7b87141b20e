#!/bin/sh
# A team's day with the gate: a baseline, a change that is good, one that is wrong, bad input, and
# the shell steps of the composite action.
set -u
lv=$LVSA_VERIFY
src=$LVSA_SOURCE_DIR
unset OMP_NUM_THREADS GITHUB_ACTIONS GITHUB_OUTPUT GITHUB_STEP_SUMMARY || true
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"

check() { # WHAT COMMAND...
  what=$1
  shift
  "$@" || {
    echo "FAIL: $what"
    failures=$((failures + 1))
  }
}

i=0
while [ "$i" -lt 6 ]; do
  i=$((i + 1))
  echo "T=$((i + 4)) P=$((i % 3 + 2)) H=2 D=16 dtype=f32 W=1 ref=3 input=gauss seed=$i rows=0"
done >cases.txt
# Here V tells the tile of the keys.
echo 'T=9 P=96 H=2 D=16 dtype=f32 W=1 ref=3 input=indicator-tile seed=1 rows=100' >>cases.txt
judge() { # KERNEL FOLDER
  "$lv" kernel --kernel "$1" --suite cases.txt --relations none --shrink 0 --out "$2" >"$2.out" 2>&1
}

# The plugin of the fixtures.
build_plugin() { ${CC:-cc} -O2 -std=c11 -shared -fPIC "-I$src" -o "$1" "$2" -lm; }
check 'the plugin compiles' build_plugin ./libgood.so "$src/fixtures/skeleton/skeleton.c"
judge ./libgood.so good
expect 0 'stored: base.jsonl' "$lv" baseline good --out base.jsonl
expect 0 'PASSED' "$lv" gate base.jsonl good
expect 0 'PASSED' "$lv" gate base.jsonl base.jsonl --strict
expect 0 'PASSED' "$lv" gate base.jsonl good --rules "$src/fixtures/gate/rules.json"


# Other bits, as right as before.
judge cpu other
expect 0 "kernel 'skeleton" "$lv" gate base.jsonl other

# A wrong one: in head 1, query frame 6, the keys of tile 9 are left out.
line='if (!attends(p, query, key)) continue;'
bad='if (!attends(p, query, key) || (head == 1 \&\& query / p->patches_per_frame == 6 \&\& key / 64 == 9)) continue;'
sed "s#$line#$bad#" "$src/fixtures/skeleton/skeleton.c" >wrong.c
check 'the defect is in' grep -qF 'key / 64 == 9' wrong.c
check 'the wrong plugin compiles' build_plugin ./libwrong.so wrong.c
judge ./libwrong.so wrong
expect 1 'FAILED' "$lv" gate base.jsonl wrong --out ci
for word in 'frame 6' 'head 1' 'key tile 9'; do
  check "the gate names $word" grep -q "where: .*$word" out.txt
done
check 'files for CI' test -s ci/gate.xml -a -s ci/gate.md -a -s ci/gate.json
expect 1 '::error file=base.jsonl,title=LVSA conformance%3A ' "$lv" gate base.jsonl wrong --github
GITHUB_STEP_SUMMARY=summary.md "$lv" gate base.jsonl wrong --github >/dev/null 2>&1
check 'the step summary' grep -q '^# LVSA gate: FAILED' summary.md

# A baseline with failures is somebody's decision; then they are known.
expect 1 '--with-failures' "$lv" baseline wrong --out known.jsonl
check 'nothing stored' test ! -e known.jsonl
expect 0 'failing' "$lv" baseline wrong --with-failures --out known.jsonl
expect 0 'as in the baseline' "$lv" gate known.jsonl wrong
expect 0 'improved' "$lv" gate known.jsonl good

# Waivers.
waiver() { # EXPIRES CASES
  printf '{"schema": 1, "waivers": [{"reason": "r", "owner": "o", "device": "*", "expires": "%s", "cases": "%s", "check": "*"}]}' \
    "$1" "$2" >waivers.json
}
waiver 2030-06-30 '*'
expect 0 'PASSED' "$lv" gate base.jsonl wrong --waivers waivers.json --today 2030-06-30
expect 1 'expired on 2030-06-30' "$lv" gate base.jsonl wrong --waivers waivers.json --today 2030-07-01
expect 1 'covers nothing that fails' "$lv" gate base.jsonl good --waivers waivers.json --today 2030-06-30
expect 2 '--today soon' "$lv" gate base.jsonl good --today soon

# A case is missing; one is new.
head -n 6 cases.txt >fewer.txt
mkdir -p few
(mv cases.txt all.txt && mv fewer.txt cases.txt && judge ./libgood.so few; mv all.txt cases.txt)
expect 1 'missing in the candidate' "$lv" gate base.jsonl few
"$lv" baseline few --out few.jsonl >/dev/null
expect 0 'not in the baseline' "$lv" gate few.jsonl good

# Recorded calls.
"$lv" vectors "$src/fixtures/pattern_vectors_1.3.ndjson.gz" --json >vectors.json
"$lv" baseline good vectors.json --out both.jsonl >/dev/null
expect 0 'PASSED' "$lv" gate both.jsonl good vectors.json
expect 1 'patterns' "$lv" gate both.jsonl good

# Judged again.
echo '{"schema": 1, "conformance": {"worst_ratio": 1e-9}}' >strict.json
expect 0 '0 of 7 verdicts change' "$lv" judge good
expect 1 'pass -> fail' "$lv" judge good/report.jsonl --rules strict.json
expect 1 '"changes":[{"case":' "$lv" judge base.jsonl --rules strict.json --json

# Bad input: one line that says what would be right.
expect 2 'is not there' "$lv" gate none.jsonl good
mkdir -p empty
expect 2 'holds no report.jsonl' "$lv" gate base.jsonl empty
expect 2 'is nothing that can be compared' "$lv" gate base.jsonl cases.txt
head -n 3 base.jsonl >cut.jsonl
expect 2 'truncated' "$lv" gate cut.jsonl good
sed 's/"status":"pass"/"status":"weak"/' base.jsonl >edited.jsonl
expect 2 'was edited' "$lv" gate edited.jsonl good
sed '1s/"schema":1/"schema":9/' base.jsonl >newer.jsonl
expect 2 'of schema 9' "$lv" gate newer.jsonl good
mkdir -p running edited
grep -v '"type":"summary"' good/report.jsonl >running/report.jsonl
expect 2 '--resume' "$lv" gate base.jsonl running
sed 's/"failed":0/"failed":1/' good/report.jsonl >edited/report.jsonl
expect 2 'was edited' "$lv" judge edited
"$lv" kernel --suite random:2 --relations none --out random >/dev/null 2>&1
expect 2 "of suite 'random:2'" "$lv" gate base.jsonl random
expect 2 'no case in common' "$lv" gate base.jsonl random --across-suites
# With relations, which call the kernel often: small cases alone.
head -n 1 cases.txt >one.txt
"$lv" kernel --kernel ./libgood.so --suite one.txt --shrink 0 --out relations >/dev/null 2>&1
expect 2 '--relations auto' "$lv" gate base.jsonl relations
echo '{"schema": 1, "conformance": {"ratio_factr": 2}}' >rules.json
expect 2 "rules.json: \$.conformance.ratio_factr: unknown key \"ratio_factr\"; the nearest known one is 'ratio_factor'" \
  "$lv" gate base.jsonl good --rules rules.json
echo '{"schema": 1, "conformance": {"worst_ratio": 0.1, "ratio_floor": 0.5}}' >rules.json
expect 2 'contradicts' "$lv" judge good --rules rules.json
expect 2 'cannot be' "$lv" gate base.jsonl good --junit none/gate.xml

# The composite action's steps, as a runner calls them.
action=$src/.github/actions/lvsa-gate
gate=$action/gate.sh
# The lines that a runner would run, and the inputs that the script reads are those that the action gives.
sed -n "s/^ *run: '\(.*\)'$/\1/p" "$action/action.yml" >steps.txt
check 'two steps' test "$(wc -l <steps.txt)" -eq 2
grep -o '^ *LVSA_GATE_[A-Z_]*:' "$action/action.yml" | tr -d ' :' | sort -u >given.txt
grep -o 'LVSA_GATE_[A-Z_]*' "$gate" | sort -u >read.txt
check 'inputs of the action and of its script' cmp given.txt read.txt
step() { GITHUB_ACTION_PATH=$action bash --noprofile --norc -eo pipefail -c "$(sed -n "$1p" steps.txt)"; }
if command -v bash >/dev/null; then
  sed 's#if (!attends(p, query, key)) continue;#if (!attends(p, query, key) || key == 1) continue;#' \
    "$src/fixtures/skeleton/skeleton.c" >worse.c
  check 'another wrong plugin compiles' build_plugin ./libworse.so worse.c
  export LVSA_GATE_VERIFY="$lv" LVSA_GATE_SUITE=one.txt GITHUB_OUTPUT=outputs.txt
  expect 0 'lvsa-verify 0' step 1
  check 'output of the build' grep -q "^lvsa-verify=$lv$" outputs.txt
  LVSA_GATE_KERNEL=./libgood.so LVSA_GATE_OUT=first expect 0 'stored: first/baseline.jsonl' step 2
  check 'verdict' grep -q '^verdict=pass$' outputs.txt
  export LVSA_GATE_BASELINE=first/baseline.jsonl GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=action.md
  LVSA_GATE_KERNEL=./libworse.so LVSA_GATE_OUT=second expect 1 '::error ' step 2
  check 'verdict and exit code' sh -c 'tail -n 2 outputs.txt | tr "\n" " " | grep -q "^verdict=failed exit-code=1 $"'
  check 'summary of the action' grep -q 'FAILED' action.md
  LVSA_GATE_KERNEL=./none.so LVSA_GATE_OUT=third expect 2 'none.so' "$gate" run
fi

[ "$failures" -eq 0 ] || {
  echo "$failures failed"
  exit 1
}
echo 'the gate does as documented'
