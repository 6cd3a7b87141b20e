#!/bin/sh
# lvsa-verify explain: the terms add up, with and without a kernel, as text and as JSON; bad places.
set -eu
case='T=7 P=9 text=3 H=2 Hkv=1 D=16 dtype=bf16 ref=3 step=1 input=gauss seed=7 rows=0'
"$LVSA_VERIFY" explain "$case" --at 0,1,20,5 >text.txt
grep -q 'batch 0, head 1, query token 20 (frame 2, row 2), column 5' text.txt
grep -q 'the worst case' text.txt
"$LVSA_VERIFY" explain "$case" --at 0,1,20,5 --kernel cpu >kernel.txt
grep -q 'as kernel cpu declares it' kernel.txt
grep -q 'kernel  .*: inside' kernel.txt
if grep -q 'tier B' text.txt; then exit 1; fi
# The kernel cpu declares its schedule: both tiers, and the roundings that are in doubt.
rounded=$(echo "$case" | sed 's/dtype=bf16/dtype=bf16 p=bf16/')
"$LVSA_VERIFY" explain "$rounded" --at 0,0,65,15 --kernel cpu >schedule.txt
grep -q 'declared  .*P in bf16' schedule.txt
grep -q 'roundings of P  [0-9]* of 66 in doubt' schedule.txt
[ "$(grep -c "tier A's tolerance is .* times as large" schedule.txt)" -eq 2 ]
[ "$(grep -c 'kernel  .*: inside' schedule.txt)" -eq 4 ]
"$LVSA_VERIFY" explain "$rounded" --at 0,0,65,15 --kernel cpu --json --keys 66 >schedule.json
"$LVSA_VERIFY" explain "$case" --at 0,0,65,15 --kernel cpu --json >one.json
"$LVSA_VERIFY" explain "$case" --at 0,0,65,15 --kernel cpu --json >two.json
cmp one.json two.json
grep -q '"frame":-1,"row_in_frame":2' one.json
if command -v python3 >/dev/null 2>&1; then
  python3 - <<'END'
import json
e = json.load(open('one.json'))
for part in ('output', 'lse'):
    made = sum(t['value'] for t in e[part]['terms']) * e['arithmetic']['factor']
    assert abs(made - e[part]['tolerance']) <= 1e-12 * made, part
    assert e[part]['accepted'] and 0 <= e[part]['ratio'] <= 1, part
assert e['row']['keys'] == 66, e['row']['keys']
e = json.load(open('schedule.json'))
s = e['schedule']
for part in ('output', 'lse'):
    made = sum(t['value'] for t in s[part]['terms']) * s['factor']
    assert abs(made - s[part]['tolerance']) <= 1e-12 * made, part
    assert s[part]['accepted'] and s[part]['tolerance'] < e[part]['tolerance'], part
assert len(s['keys']) == s['doubtful'], s['doubtful']
# L sums P as it was, so the roundings in doubt add up to their term.
made = sum(k['adds'] for k in s['keys'])
assert abs(made - s['output']['terms'][0]['value']) <= 1e-12 * max(made, 1e-300), made
END
fi
for bad in 0,2,20,5 1,0,20,5 0,0,66,5 0,0,20,16 0,0,20 0,0,20,5,1 0,-1,20,5 a; do
  status=0
  "$LVSA_VERIFY" explain "$case" --at "$bad" >out.txt 2>err.txt || status=$?
  [ "$status" -eq 2 ]
  [ "$(wc -l <err.txt)" -eq 1 ]
  grep -q -e '--at' err.txt
done
"$LVSA_VERIFY" explain "$case" --at 0,0,66,5 2>&1 >out.txt | grep -q '66 is outside this case; 0 .. 65 is due'
