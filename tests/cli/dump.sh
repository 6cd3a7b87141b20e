#!/bin/sh
# lvsa-verify dump: its files, the same bytes on any number of threads, folders of others left alone, bad input.
set -eu
subcommand=dump
# shellcheck source=tests/cli/common.inc
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"

video='T=7 h=4 w=6 text=3 heads=4 D=16 steps=2 mix=spatial:1,temporal:1,global:1,diffuse:1'
gives 0 'Written to maps' --synthetic "$video" --setting 'W=1 ref=4' --rows 2:1:4 --out maps --html page.html
for name in dump.h5 dump.json heads.csv maps_layer000_step000.png maps_layer000_step001.svg \
  steps_layer000.png row_layer000_step001_head03_f002y001x004.png; do
  [ -s "maps/$name" ] || fail "no maps/$name"
done
[ "$(wc -l <maps/heads.csv)" -eq 9 ] || fail "heads.csv has not one line a head"
grep -q 'data:image/png' page.html || fail 'no picture for readers without script'
grep -qE '(src|href)="?https?:' page.html && fail 'the page asks the network'
python3 - <<'PY' || fail 'dump.json and the folder differ'
import json, os
manifest = json.load(open("maps/dump.json"))
assert manifest["whole"] is True
assert sorted(os.listdir("maps")) == sorted(manifest["files"] + ["dump.json"]), os.listdir("maps")
PY

# Dimensions have names and scales for whoever reads HDF5.
for python in python3 /usr/bin/python3; do
  "$python" -c 'import h5py' 2>/dev/null || continue
  "$python" - <<'PY' || fail 'dump.h5 as h5py sees it'
import h5py
dump = h5py.File("maps/dump.h5")
due = {"mass": ["sample", "query_frame", "key_frame"], "text_mass": ["sample", "query_frame"],
       "mask": ["pattern", "query_frame", "key_frame"], "token_map": ["sample", "row", "key_frame", "y", "x"],
       "recall": ["sample"], "class": ["sample"], "layer": ["sample"], "row_y": ["row"]}
for name, dims in due.items():
    assert [d.label for d in dump[name].dims] == dims, (name, [d.label for d in dump[name].dims])
    assert [d.keys() for d in dump[name].dims] == [[dim] for dim in dims], name
    assert all(len(d[0]) == n for d, n in zip(dump[name].dims, dump[name].shape)), name
total = dump["mass"][:].sum(axis=2) + dump["text_mass"][:]
assert abs(total - 1).max() < 1e-12, total
tokens = dump["token_map"][:].sum(axis=(2, 3, 4)) + dump["token_map_text"][:]
assert abs(tokens - 1).max() < 1e-5, tokens
assert all(len(c) > 4 for c in dump["class"][:])
PY
  break
done

# The same bytes on any number of threads, and over itself.
cp -r maps first
OMP_NUM_THREADS=3 gives 0 'Written to maps' --synthetic "$video" --setting 'W=1 ref=4' --rows 2:1:4 --out maps
for name in first/*; do
  [ "$name" = first/dump.json ] || cmp -s "$name" "maps/${name#first/}" || fail "$name differs"
done

# No room: one line, and what is there stays whole.
(
  ulimit -f 20
  failures=0
  refuses 'maps/dump.h5: cannot be written' --synthetic "$video" --setting 'W=1 ref=4' --rows 2:1:4 --out maps
  all_good
) || fail 'a full disk'
cmp -s first/dump.h5 maps/dump.h5 || fail 'a full disk took the last good file'

# With --json alone JSON; few heads of one step; the pattern of all frames loses nothing.
gives 0 '"recall"' --synthetic "$video" --setting 'ref=7' --heads 1:2 --steps 1 --images none --json --out few
python3 - <<'PY' || fail '--json'
import json
dump = json.load(open("out"))
assert [h["head"] for h in dump["heads"]] == [1, 2] and {h["step"] for h in dump["heads"]} == {1}
assert all(abs(h["recall"] - 1) < 1e-12 and h["lost"] == 0 for h in dump["heads"])
assert all(h["class"] == h["class_in_source"] for h in dump["heads"]), dump["heads"]
PY

# A capture; its geometry by hand.
capture=$LVSA_SOURCE_DIR/fixtures/captures/small.h5
gives 0 'recall' --capture "$capture" --images none --out captured

refuses 'one of the two is due' --out x
refuses 'one of the two is due' --out x --capture "$capture" --synthetic "$video"
refuses '--out is required' --synthetic "$video"
refuses 'holds another dump (setting there' --synthetic "$video" --setting 'W=2 ref=4' --rows 2:1:4 --out maps
mkdir -p other
echo text >other/file
refuses 'holds files that no dump has made' --synthetic "$video" --out other
refuses 'is no folder' --synthetic "$video" --out other/file
refuses '/proc/nowhere' --synthetic "$video" --out /proc/nowhere
refuses "there is no folder" --synthetic "$video" --images none --out html --html nowhere/page.html
refuses 'frames 0 .. 6' --synthetic "$video" --out x --rows 7:0:0
refuses 'frame:row:column' --synthetic "$video" --out x --rows 1:2
refuses 'stands twice' --synthetic "$video" --out x --rows 1:2:3,1:2:3
refuses 'has 25 tokens' --synthetic "$video" --out x --grid 5x5
refuses 'head' --synthetic "$video" --out x --heads 4
refuses '--heads' --synthetic "$video" --out x --heads one
refuses 'step' --synthetic "$video" --out x --steps 2
refuses 'layer' --synthetic "$video" --out x --layers 1
refuses "setting 'W=x'" --synthetic "$video" --out x --setting W=x
refuses '--images' --synthetic "$video" --out x --images all
refuses 'rows a frame' --synthetic "$video" --out x --rows-per-frame -1
refuses '--gpu nowhere.so' --synthetic "$video" --out x --gpu nowhere.so
refuses 'said of a --capture' --synthetic "$video" --out x --frames 7
refuses 'no such file' --capture nowhere.h5 --out x
refuses 'is not T * P + text' --capture "$capture" --frames 1000 --patches 7 --out x
refuses '1100 latent frames are too many for a picture' --synthetic 'T=1100 h=1 w=2 heads=1 D=16' --out x
refuses 'at most 4000 are due' --images heads --out x \
  --rows "$(for f in 0 1 2 3 4 5 6; do for y in 0 1 2 3; do for x in 0 1 2 3 4 5; do printf '%s' "$f:$y:$x,"; done; done; done | sed 's/,$//')" \
  --synthetic "T=7 h=4 w=6 heads=16 D=16"
[ ! -e x ] || fail 'a refused dump made its folder'
all_good
