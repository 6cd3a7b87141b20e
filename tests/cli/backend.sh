#!/bin/sh
# lvsa-verify backend as a user runs it: outcomes under both policies, the standard table, exit codes,
# bad input in one line.
set -u
subcommand=backend
# shellcheck source=tests/cli/common.inc
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
standard=$LVSA_SOURCE_DIR/fixtures/backend/standard.json
outcomes=$LVSA_SOURCE_DIR/fixtures/backend/standard.outcomes.json

cat >plugins.json <<'END'
[{"name": "broken", "path": "broken_attn:attn_fn", "loads": false},
 {"name": "SpargeAttn", "path": "spargeattn.plugin:attn_fn"}]
END
gives 1 'dense attention runs instead'
gives 1 'installed: none' --policy second
gives 0 'as asked for: 2 of 2' --set backend=none --policy first
gives 0 'SpargeAttn, version 1 on [1, 12, 32760, 128]: topk=0.5' --installed plugins.json
gives 0 'topk=1 .. 0.3' --installed plugins.json --set schedule=conservative params.topk=0.3 --steps 5
gives 1 'installed: SpargeAttn, broken' --installed plugins.json --set backend=spargeatn
gives 1 'as asked for: 110 of 146' --requests "$standard"
gives 1 'name of the first version     self     older topk 0.5 ' --requests "$standard" --brief

# The recorded table, its own output, and one with a change in it.
gives 0 '0 differences' --requests "$standard" --check "$outcomes"
"$LVSA_VERIFY" backend --requests "$standard" --json >made.json
cmp -s made.json "$outcomes" || fail 'standard.outcomes.json is not what --json prints'
sed 's/"plugin":"older"/"plugin":"newer"/' made.json >changed.json
gives 1 'construction: plugin is "newer", "older" is due' --requests "$standard" --check changed.json
gives 1 'mask-lost' --requests "$standard" --published

echo '{"schedul": "constant"}' >typo.json
refuses "the nearest known one is 'schedule'" --config typo.json
refuses "block_size_q 0: an integer from 1" --set block_size_q=0
refuses 'a number above 0 and at most 1' --set params.topk=2
refuses 'KEY=VALUE' --set topk
refuses 'first, second or both' --policy third
refuses 'the file has its own' --requests "$standard" --set backend=none
refuses '--steps 0' --steps 0
refuses 'one of the two is due' --brief --json
refuses 'cannot be opened' --installed missing.json
refuses 'lvsa-backend-outcomes/1' --requests "$standard" --check "$standard"
echo '[{"name": "a", "seq_len": 0}]' >calls.json
refuses 'an integer from 1' --calls calls.json
all_good
