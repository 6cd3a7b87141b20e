#!/bin/sh
# The recorded vectors through the executable, and eval line by line.
set -eu
"$LVSA_VERIFY" vectors "$LVSA_SOURCE_DIR"/fixtures/* >out.txt
cat out.txt
grep -q 'pattern_vectors.ndjson.gz: 7963 passed, 0 failed' out.txt
grep -q 'pattern_vectors_1.3.ndjson.gz: 779 passed, 0 failed' out.txt
tail -n 1 out.txt | grep -q ', 0 failed$'
(cd "$LVSA_SOURCE_DIR/fixtures" && sed -n 's/.*"file": "\(.*\)",/\1/p' manifest.json >"$OLDPWD/files.txt" &&
  sed -n 's/.*"sha256": "\(.*\)",/\1/p' manifest.json | paste -d' ' - "$OLDPWD/files.txt" |
  sed 's/ /  /' | sha256sum -c -)

cat >requests.txt <<'END'
{"fn": "compute_auto_kfi", "args": {"total_frames": 41, "window_size": 3, "n_first_frames": 1, "reference_frames": 21, "sparsity_scale": 1.0}}

{"fn": "detect_geometry", "args": {"env": {"LVSA_PATCHES_PER_FRAME": "1560,2040"}, "seq_len": 42840, "total_frames": 21}}
{"lvsa": "1.2", "fn": "detect_geometry", "args": {"env": {"LVSA_PATCHES_PER_FRAME": "1560,2040"}, "seq_len": 42840, "total_frames": 21}}
{"fn": "LVSAConfig.from_env", "args": {"env": {"LVSA_WINDOW_SIZE": "x"}}}
{"fn": "get_window_bounds", "args": {"f": 0, "W": 4, "T": 34, "expand": true, "global_indices": []}}
not json
END
cat >expected.txt <<'END'
{"out":3}
{"out":[2040,0]}
{"out":[1560,10080]}
{"error":"ValueError"}
{"out":[0,8]}
END
"$LVSA_VERIFY" eval <requests.txt >answers.txt 2>remarks.txt
head -n 5 answers.txt | cmp - expected.txt
sed -n 6p answers.txt | grep -q '^{"error":"no valid JSON'
grep -q "LVSA_WINDOW_SIZE='x' is no integer" remarks.txt
