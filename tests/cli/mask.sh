#!/bin/sh
# lvsa-verify mask as a user runs it: forms, files, exit codes, and nothing left behind.
set -u
subcommand=mask
# shellcheck source=tests/cli/common.inc
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"

mask() {
  "$LVSA_VERIFY" mask "$@"
}

accepts() {
  mask "$@" >out 2>err || fail "mask $*: exit code $?: $(cat err)"
}

# --- Every recorded mask, to the byte: condition frames alone stand for any set of global frames.
gzip -dc "$LVSA_SOURCE_DIR/fixtures/pattern_vectors.ndjson.gz" |
  grep '"fn":"print_attention_mask_compact"' >recorded
count=0
while IFS= read -r line; do
  frames=$(printf '%s' "$line" | sed 's/.*"T":\([0-9]*\).*/\1/')
  window=$(printf '%s' "$line" | sed 's/.*"W":\([0-9]*\).*/\1/')
  globals=$(printf '%s' "$line" | sed 's/.*"global_indices":\[\([^]]*\)\].*/\1/')
  expand=--expand
  case $line in *'"expand":false'*) expand=--no-expand ;; esac
  printf '%b' "$(printf '%s' "$line" | sed 's/.*"out":"\(.*\)"}$/\1/')" >expected
  mask --latent-frames "$frames" --window $((4 * window)) --n-first 0 --interval 0 "$expand" \
    --condition "$globals" >out 2>err || fail "recorded mask T=$frames: $(cat err)"
  cmp -s expected out || fail "recorded mask T=$frames W=$window globals $globals differs"
  count=$((count + 1))
done <recorded
[ "$count" -eq 24 ] || fail "$count recorded masks, 24 are due"

# --- The forms hold the same mask, and the file what stdout has.
accepts --frames 161
grep -q 'speedup     at most' err || fail 'no summary on stderr'
cp out text
accepts --frames 161 --output mask.txt
[ ! -s out ] || fail '--output: wrote to stdout as well'
cmp -s text mask.txt || fail '--output: another text than on stdout'
accepts --frames 161 --format csv
# Letters of a row, joined, against those between the bars of the text.
sed 1d out | cut -d, -f2- | tr -d , >letters
sed -n 's/.*|\(.*\)|.*/\1/p' text >bars
cmp -s letters bars || fail 'CSV and text differ'
accepts --frames 161 --json
grep -q '"model":"wan-1.3b"' out || fail '--json: no model'
cp out json
accepts --frames 161 --output mask.json
cmp -s json mask.json || fail 'the ending .json does not choose JSON'
accepts --frames 161 --output mask.png
[ "$(od -An -N8 -tx1 mask.png | tr -d ' ')" = 89504e470d0a1a0a ] || fail 'mask.png is no PNG file'
accepts --list-models
grep -q '^cosmos3 ' out || fail '--list-models: no cosmos3'
accepts --help
grep -q 'Examples:' out || fail '--help: no example'

# --- Settings: model, then environment, then options.
accepts --model cogvideox-5b --json
grep -q '"latent_frames":13' out || fail 'cogvideox-5b: not 13 latent frames'
LVSA_TOTAL_LATENT_FRAMES=50 LVSA_PATCHES_PER_FRAME=3600 mask --json >out
grep -q '"latent_frames":50,"patches_per_frame":3600' out || fail 'environment not honoured'
printf '# a comment\nexport LVSA_TOTAL_LATENT_FRAMES="40"\n' >settings.env
LVSA_TOTAL_LATENT_FRAMES=50 mask --env settings.env --json >out
grep -q '"latent_frames":40,' out || fail '--env not honoured'
mask --env settings.env --frames 81 --json >out
grep -q '"latent_frames":21,' out || fail '--frames does not stand over --env'
printf '{"models": [{"name": "mine", "like": "wan-1.3b", "sizes": [[64, 64]]}]}' >models.json
accepts --models models.json --model mine --json
grep -q '"patches_per_frame":16,' out || fail '--models not honoured'

# --- Bad input.
refuses "model 'wan' is not known; one of wan-1.3b," --model wan
refuses '--latent-frames 0: 1 or more is due' --latent-frames 0
refuses '--frames -5: 1 or more is due' --frames -5
refuses "'99999999999999999999' is no 64-bit integer" --frames 99999999999999999999
refuses 'does not fit in 64 bits' --latent-frames 9223372036854775807
refuses '--frames 81 and --latent-frames 21' --frames 81 --latent-frames 21
refuses '--height and --width together are due' --height 480
refuses '--json and --format csv' --json --format csv
refuses '--output FILE is due' --format png
refuses 'pdf' --format pdf
refuses "lvsa: '1.4'" --lvsa 1.4
refuses 'no-such-file' --env no-such-file
refuses 'no-such-file' --models no-such-file
refuses '--bogus' --bogus
printf '{"models": [{"name": "mine", "heads": "four"' >models.json
refuses 'models.json: no valid JSON' --models models.json
printf '{"models": [{"name": "wan-14b", "heads": "four"}]}' >models.json
refuses "models.json: model 'wan-14b': \"heads\" is \"four\"; an integer is due" --models models.json

# --- Files that cannot be written, and what is left then.
mkdir folder results
printf old >results/old.json
refuses "there is no folder 'missing'" --output missing/mask.txt
refuses 'folder: cannot be written: is a directory' --output folder
refuses '/dev/full: cannot be written: No space left on device' --output /dev/full
[ -c /dev/full ] || fail '/dev/full is no device any more'
mask >/dev/full 2>err
[ $? -eq 2 ] || fail 'a full standard output: not exit code 2'
for name in old.json new.json; do
  # 1 block is 512 bytes or 1 KiB: far less than the JSON of 200 frames.
  (ulimit -f 1 && mask --latent-frames 200 --output "results/$name") >out 2>err
  [ $? -eq 2 ] || fail "a full disk while writing $name: not exit code 2"
  [ "$(wc -l <err)" -eq 1 ] || fail "a full disk: not one line: $(cat err)"
done
[ "$(cat results/old.json)" = old ] || fail 'a failed write touched the old file'
[ "$(ls -A results)" = old.json ] || fail "left behind: $(ls -A results)"

all_good
