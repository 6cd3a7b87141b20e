#!/bin/sh
# Scores of videos joined with a sweep: tables, page, notes; bad input ends in one line.
set -eu
subcommand=quality
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"
scores=$LVSA_SOURCE_DIR/fixtures/quality

"$LVSA_VERIFY" sweep --synthetic 'T=13 h=3 w=4 heads=2 D=16 seed=1' --window 1:3 --scale 0.5,1 \
  --reference 9 --out sweep --quiet >sweep.out 2>&1 || { cat sweep.out; exit 1; }

gives 0 '13 videos of 7 settings, 1 left out' --sweep sweep --vqeval "$scores/vqeval.csv" \
  --vbench "$scores/vbench_eval_results.json" --out joined --html page.html
grep -q 'left out: videos/riflex/ocean_s1.mp4: nothing says its setting' out || fail 'what was left out is not named'
grep -q 'only 7 settings' out || fail 'no note on small numbers'
[ "$(wc -l <joined/quality.csv)" -eq 8 ] || fail 'quality.csv: 7 settings are due'
[ "$(wc -l <joined/correlations.csv)" -eq 36 ] || fail 'correlations.csv: 7 scores x 5 figures are due'
grep -q '^dense,1,' joined/quality.csv || fail 'no row of dense attention'
grep -q 'Video quality against attention' page.html || fail 'no page'

# The same seed, the same bytes; another one, other intervals.
gives 0 videos --sweep sweep --vqeval "$scores/vqeval.csv" --vbench "$scores/vbench_eval_results.json" --out again
cmp joined/correlations.csv again/correlations.csv || fail 'the same seed gives other figures'
gives 0 videos --sweep sweep/sweep.h5 --vqeval "$scores/vqeval.csv" --seed 2 --out other
if cmp -s joined/correlations.csv other/correlations.csv; then fail 'the seed decides nothing'; fi

# Settings from a map, and from the names alone.
gives 0 '14 videos of 7 settings, 0 left out' --sweep sweep --vqeval "$scores/vqeval.csv" --map "$scores/settings.csv"
gives 0 '12 videos of 6 settings, 1 left out' --sweep sweep --vbench "$scores/vbench_eval_results.json"
gives 0 'vbench.dynamic_degree' --sweep sweep --vbench "$scores/vbench_eval_results.json" --figures recall_min --pattern 'W={W}_scale={scale}'

refuses 'no scores; --vqeval or --vbench is due' --sweep sweep
refuses 'nowhere.csv' --sweep sweep --vqeval nowhere.csv
refuses 'nowhere' --sweep nowhere --vqeval "$scores/vqeval.csv"
refuses "no column 'video_path'" --sweep sweep --vqeval "$scores/settings.csv"
refuses "figure 'taste': one of density" --sweep sweep --vqeval "$scores/vqeval.csv" --figures taste
refuses "'width' is no word of a setting" --sweep sweep --vqeval "$scores/vqeval.csv" --pattern 'w{width}'
refuses 'vqeval.csv: ' --sweep sweep --vbench "$scores/vqeval.csv"
printf 'video_path,composite_score\na.mp4,good\n' >words.csv
refuses "words.csv: line 2: composite_score is 'good'; a finite number is due" --sweep sweep --vqeval words.csv
printf 'video_path,composite_score\na.mp4,1\na.mp4,2\n' >twice.csv
refuses "twice.csv: line 3: video 'a.mp4' has a second score" --sweep sweep --vqeval twice.csv
printf 'video_path,composite_score\nW=1_scale=1.mp4,1\n' >one.csv
printf 'run,setting\nW=1_scale=1,W=2\n' >against.csv
refuses "says 'W=2' and its name says 'W=1 scale=1'" --sweep sweep --vqeval one.csv --map against.csv
printf 'video_path,composite_score\nW=77.mp4,1\n' >strange.csv
refuses "'W=77' is no setting of the sweep" --sweep sweep --vqeval strange.csv
printf '{"color": [1, 2]}' >bad.json
refuses 'bad.json: /color: [score, ' --sweep sweep --vbench bad.json
printf '{"color": [1, [' >cut.json
refuses 'cut.json' --sweep sweep --vbench cut.json
all_good
