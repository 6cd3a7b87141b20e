// Small shapes: every query row is checked, so that a remainder that a long sequence would average
// away shows at once.

#include "analysis/verify/suite.hpp"

namespace lvsa::analysis {
namespace {

std::vector<Case> parsed(std::initializer_list<const char*> lines) {
  std::vector<Case> cases;
  for (const char* line : lines) cases.push_back(parse_case(line));
  return cases;
}

}  // namespace

std::vector<Case> small_cases() {
  return parsed({
      // One frame, one token, no window, no keyframes, all global.
      "model=small T=1 P=1 H=1 Hkv=1 D=64 dtype=f32 ref=21 step=0 input=gauss seed=1 rows=0",
      "model=small T=1 P=129 H=2 Hkv=2 D=64 dtype=bf16 ref=21 step=0 input=gauss seed=2 rows=0",
      "model=small T=9 P=7 H=1 Hkv=1 D=64 dtype=bf16 W=0 ref=3 step=1 input=indicator seed=3 "
      "rows=0",
      "model=small T=12 P=5 H=1 Hkv=1 D=64 dtype=f32 W=0 n_first=0 ref=3 interval=0 step=0 "
      "input=gauss seed=4 rows=0",
      "model=small T=12 P=63 H=1 Hkv=1 D=128 dtype=bf16 n_first=0 ref=5 interval=0 step=0 "
      "input=indicator seed=5 rows=0",
      "model=small T=10 P=64 H=1 Hkv=1 D=128 dtype=bf16 ref=21 step=0 input=indicator seed=6 "
      "rows=0",
      // Both sides of tile borders in both directions.
      "model=small T=13 P=63 H=1 Hkv=1 D=128 dtype=bf16 W=1 ref=5 step=1 input=indicator seed=7 "
      "rows=0",
      "model=small T=13 P=64 H=1 Hkv=1 D=128 dtype=bf16 W=1 ref=5 step=2 input=indicator seed=8 "
      "rows=0",
      "model=small T=13 P=65 H=1 Hkv=1 D=128 dtype=bf16 W=1 ref=5 step=3 input=gauss seed=9 rows=0",
      "model=small T=11 P=127 H=1 Hkv=1 D=64 dtype=f16 W=1 ref=5 step=1 input=indicator seed=10 "
      "rows=0",
      "model=small T=11 P=128 H=1 Hkv=1 D=64 dtype=f16 W=1 ref=5 step=4 input=gauss seed=11 rows=0",
      "model=small T=11 P=129 H=1 Hkv=1 D=64 dtype=f32 W=1 ref=5 step=5 input=gauss seed=12 rows=0",
      // Text, groups, batch, layouts, head sizes.
      "model=small T=13 P=33 text=1 H=2 Hkv=1 D=64 dtype=bf16 W=1 ref=5 step=1 input=indicator "
      "seed=13 "
      "rows=0",
      "model=small T=13 P=33 text=77 H=4 Hkv=2 D=96 dtype=bf16 layout=bhsd W=1 ref=5 step=2 "
      "input=gauss seed=14 rows=0",
      "model=small T=9 P=48 text=226 H=8 Hkv=1 D=64 dtype=f32 W=1 ref=5 step=1 input=indicator "
      "seed=15 "
      "rows=0",
      "model=small T=13 P=40 text=12 B=2 H=3 Hkv=3 D=80 dtype=f16 layout=bhsd W=2 ref=7 step=3 "
      "input=gauss seed=16 rows=0",
      "model=small T=7 P=96 B=3 H=8 Hkv=4 D=32 dtype=bf16 W=1 ref=3 step=0 input=gauss seed=17 "
      "rows=0",
      "model=small T=9 P=50 H=1 Hkv=1 D=256 dtype=bf16 W=1 ref=4 step=2 input=gauss seed=18 rows=0",
      // Behaviours: 1.2, no rotation, adaptive windows, condition frames.
      "model=small T=21 P=24 H=1 Hkv=1 D=64 dtype=bf16 lvsa=1.2 W=2 ref=9 expand=0 step=2 "
      "input=indicator seed=19 rows=0",
      "model=small T=21 P=24 H=1 Hkv=1 D=64 dtype=bf16 W=2 ref=9 expand=0 step=2 input=indicator "
      "seed=20 "
      "rows=0",
      "model=small T=21 P=24 H=1 Hkv=1 D=64 dtype=bf16 W=2 ref=9 rotate=0 step=5 input=indicator "
      "seed=21 "
      "rows=0",
      "model=small T=21 P=24 H=1 Hkv=1 D=64 dtype=bf16 W=2 ref=9 step=1 condition=3,17 "
      "input=indicator "
      "seed=22 rows=0",
      // Score distributions, and P in fewer bits.
      "model=small T=15 P=60 H=1 Hkv=1 D=64 dtype=f32 W=1 ref=5 step=1 input=uniform seed=23 "
      "rows=0",
      "model=small T=15 P=60 H=1 Hkv=1 D=64 dtype=f32 W=1 ref=5 step=1 input=gauss sigma=2.5 "
      "seed=24 "
      "rows=0",
      "model=small T=15 P=60 H=1 Hkv=1 D=128 dtype=bf16 p=bf16 W=1 ref=5 step=2 input=indicator "
      "seed=25 "
      "rows=0",
      "model=small T=15 P=60 H=1 Hkv=1 D=128 dtype=f16 p=f16 W=1 ref=5 step=2 input=gauss seed=26 "
      "rows=0",
      // Inputs at which other mistakes show.
      "model=small T=9 P=33 text=3 H=2 Hkv=2 D=64 dtype=bf16 W=1 ref=4 step=1 input=phantom "
      "seed=27 "
      "rows=0",
      "model=small T=9 P=35 H=1 Hkv=1 D=64 dtype=bf16 W=1 ref=4 step=1 input=large seed=28 rows=0",
      "model=small T=9 P=65 H=1 Hkv=1 D=64 dtype=bf16 W=1 ref=4 step=2 input=ties seed=29 rows=0",
      "model=small T=9 P=65 text=4 H=1 Hkv=1 D=64 dtype=f16 W=1 ref=4 step=2 input=sink seed=30 "
      "rows=0",
      "model=small T=9 P=129 text=4 H=1 Hkv=1 D=64 dtype=bf16 W=1 ref=4 step=2 input=beacon "
      "seed=31 "
      "rows=0",
      "model=small T=13 P=65 text=4 H=2 Hkv=1 D=64 dtype=bf16 W=1 ref=5 step=2 input=integers "
      "seed=32 rows=0",
      "model=small T=13 P=31 H=1 Hkv=1 D=64 dtype=f32 W=1 ref=5 step=2 input=integers seed=33 "
      "rows=0",
      "model=small T=9 P=65 H=1 Hkv=1 D=64 dtype=bf16 W=1 ref=4 step=2 input=indicator-tile "
      "seed=34 "
      "rows=0",
      "model=small T=9 P=65 H=1 Hkv=1 D=64 dtype=bf16 W=1 ref=4 step=2 input=indicator-key seed=35 "
      "rows=0",
      "model=small T=9 P=65 H=1 Hkv=1 D=64 dtype=bf16 W=1 ref=4 step=2 input=gauss sigma=0 seed=36 "
      "rows=0",
      "model=small T=9 P=65 H=1 Hkv=1 D=64 dtype=bf16 W=1 ref=4 step=2 input=gauss sigma=4 seed=37 "
      "rows=0",
      // Counts beyond what narrow integers hold: frames past 64 and past 255, lists past 64 frames
      // and 2^15 entries in all, text past 255 and 512, tokens past 2^16, heads past 8 and 16,
      // batch elements times heads past 63 and 2^16.
      "model=small T=130 P=2 H=1 Hkv=1 D=32 dtype=bf16 W=2 ref=21 step=3 input=indicator seed=61 "
      "rows=0",
      "model=small T=5 P=8 text=600 H=1 Hkv=1 D=64 dtype=bf16 W=1 ref=3 step=1 input=indicator "
      "seed=62 rows=128",
      "model=small T=45 P=1500 H=1 Hkv=1 D=16 dtype=bf16 W=1 ref=5 step=1 input=indicator seed=63 "
      "rows=50 compute=rows",
      "model=small T=300 P=1 H=1 Hkv=1 D=32 dtype=bf16 W=2 ref=150 step=3 input=indicator seed=64 "
      "rows=0",
      "model=small T=5 P=9 H=24 Hkv=24 D=32 dtype=bf16 W=1 ref=3 step=1 input=gauss seed=65 rows=0",
      "model=small T=3 P=9 text=2 B=2 H=40 Hkv=8 D=16 dtype=f32 W=1 ref=2 step=1 input=gauss "
      "seed=66 "
      "rows=0",
      "model=small T=1 P=1 B=66000 H=1 Hkv=1 D=8 dtype=bf16 ref=3 step=0 input=gauss seed=67 "
      "rows=64",
      // Groups and head sizes that are no powers of two, a last block of queries with one row.
      "model=small T=5 P=17 text=5 H=6 Hkv=2 D=40 dtype=f16 W=1 ref=3 step=1 input=gauss seed=68 "
      "rows=0",
      "model=small T=3 P=43 H=1 Hkv=1 D=33 dtype=bf16 W=0 ref=2 step=1 input=gauss seed=69 rows=0",
      "model=small T=3 P=9 H=1 Hkv=1 D=100 dtype=f32 W=1 ref=2 step=1 input=gauss seed=70 rows=0",
      "model=small T=3 P=20 H=1 Hkv=1 D=192 dtype=bf16 W=1 ref=2 step=1 input=gauss seed=71 rows=0",
      "model=small T=3 P=20 H=1 Hkv=1 D=320 dtype=f16 W=1 ref=2 step=1 input=gauss seed=72 rows=0",
  });
}

}  // namespace lvsa::analysis
