#!/bin/sh
# lvsa-verify steps as a user runs it: what parts the steps, exit codes, bad input in one line.
set -u
subcommand=steps
# shellcheck source=tests/cli/common.inc
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"

gives 0 'wrong steps    0 of 40'
gives 1 'request 2 starts at step 40' --requests 2
gives 1 'keyframes are off by 1 of 3' --requests 2 --frames 161 --rotate
gives 1 'half rate' --cfg-parallel 2 --lvsa 1.2
gives 0 'wrong steps    0 of 40' --cfg-parallel 2
gives 1 'lags by' --teacache 0.2
gives 1 'lags by' --cachedit 0.5 --cache-warmup 4
gives 0 'wrong steps    0 of' --teacache 0.2 --publishes-step --requests 3
gives 1 '"kind": "never-reset"' --requests 2 --json
LVSA_CFG_PASSES=1 gives 0 'wrong steps    0 of 40' --passes 1

# A recorded trace: two requests of two steps of one pass over three layers.
{
  echo layer,seq_len
  for _ in 1 2 3 4; do printf '%s\n' 0,100 1,100 2,100; done
} >calls.csv
LVSA_CFG_PASSES=1 gives 1 'request 2 starts at step 2' --trace calls.csv --passes 1 --steps 2
LVSA_CFG_PASSES=1 gives 0 'counted from the passes' --trace calls.csv --passes 1
printf '[0, 100, 0]\n[1, 100, 0]\n[0, 100, 1]\n' | gzip >calls.gz
gives 0 'as the pipeline published them' --trace calls.gz

refuses 'at least 1 is due' --blocks 0
refuses 'a divisor is due' --passes 3 --cfg-parallel 2
refuses 'one of the two is due' --teacache 0.1 --cachedit 0.1
refuses 'threshold -1' --teacache -1
refuses 'make more than' --steps 1000000 --requests 1000000
refuses 'a list of numbers' --change 0.1,x
refuses 'cannot be opened' --trace nothing.csv
echo 'hello world' >bad.csv
refuses 'is no header' --trace bad.csv
printf 'layer,seq_len,step\n0,100,0\n0,100,\n' >half.csv
refuses 'all or none are due' --trace half.csv
all_good
