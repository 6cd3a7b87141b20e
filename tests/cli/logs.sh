#!/bin/sh
# lvsa-verify geometry --log as a user runs it: exit codes, pipes, gzip, a log that grows and is
# rotated, damage, bad input in one line.
set -u
subcommand=geometry
# shellcheck source=tests/cli/common.inc
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
logs=$LVSA_SOURCE_DIR/fixtures/logs

gives 0 'verdict     sparse' --log "$logs/wan_sparse.log"
gives 0 'verdict     dense-by-design' --log "$logs/wan_dense_by_design.log"
gives 1 'export LVSA_PATCHES_PER_FRAME=2040' --log "$logs/wan_544x960_misread.log"
gives 1 'export LVSA_PATCHES_PER_FRAME=3600' --log "$logs/wan_720p_default_patches.log"
gives 1 'export LVSA_REFERENCE_LATENT_FRAMES=33' --log "$logs/hunyuan_reference_of_wan.log"
gives 1 'export LVSA_TOTAL_LATENT_FRAMES=21' --log "$logs/hook_without_frames.log"
gives 0 '! step-time-jump' --log "$logs/wan22_second_expert.log"
gives 0 '"kind": "memory-growth"' --log "$logs/memory_growth.log" --json

# From a pipe, from gzip, from gzip that breaks off.
"$LVSA_VERIFY" geometry --log - <"$logs/wan_sparse.log" >out 2>err || fail "standard input: $(cat err)"
grep -q '^verdict     sparse' out || fail 'standard input: no verdict'
gzip -c "$logs/wan_sparse.log" >log.gz
gives 0 'verdict     sparse' --log log.gz
head -c 300 log.gz >cut.gz
"$LVSA_VERIFY" geometry --log cut.gz >out 2>err
[ $? -ne 70 ] || fail 'a gzip stream that breaks off is an internal error'

# A page.
gives 0 'verdict     sparse' --log "$logs/wan_sparse.log" --html page.html
grep -q '<title>.*sparse - LVSA log</title>' page.html || fail 'no page'

# A log that grows, is renamed and begins anew; a signal ends it with the summary
# and its exit code (SIGTERM: a shell's background ignores SIGINT).
# waits_for TEXT: until it stands in the output.
waits_for() { soon grep -qF -e "$1" follow.out || fail "followed log: no '$1' in: $(cat follow.out)"; }
head -n 2 "$logs/wan_sparse.log" >live.log
: >follow.out
"$LVSA_VERIFY" geometry --log live.log --follow >follow.out 2>follow.err &
pid=$!
waits_for 'installed'
sed -n '3,5p' "$logs/wan_sparse.log" >>live.log
waits_for 'engaged (wan)'
mv live.log live.log.1
printf '[LVSA-hook] Step counter calibrated: n_blocks=30 cfg_passes=1\n' >live.log
waits_for 'cfg_passes=1'
kill -TERM $pid
wait $pid
code=$?
[ "$code" -eq 0 ] || fail "followed log: exit code $code, 0 is due: $(cat follow.err)"
grep -q '^verdict     sparse' follow.out || fail 'followed log: no summary'

refuses 'no line of LVSA in 3 lines' --log "$logs/another_program.log"
refuses 'the log is empty' --log /dev/null
refuses 'the log is empty' --log -
refuses 'cannot be opened' --log nothing.log
refuses 'is a directory' --log .
refuses 'is a directory' --log . --follow
refuses '--seq-len and its kin are not due' --log "$logs/wan_sparse.log" --seq-len 5
refuses '--log' --follow
LVSA_WINDOW_SIZE=wide refuses 'LVSA_WINDOW_SIZE' --log "$logs/wan_sparse.log"
all_good
