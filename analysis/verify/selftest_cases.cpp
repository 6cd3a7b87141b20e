#include "analysis/verify/selftest_cases.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/verify/case.hpp"
#include "core/error.hpp"
#include "core/pattern/frame_pattern.hpp"

namespace lvsa::analysis {
namespace {

// One kind of case: what a small and a long one share, and what each has of its own.
struct Kind {
  const char* check;
  const char* shared;
  std::int64_t patches;  // of the small one; the long one's follow from its keys
  const char* small;     // rows of the small one
  const char* many;      // rows of the long one
  std::vector<std::string> relations;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> list = {
      // Everything at once: text, batch, groups.
      {"gauss",
       "T=13 text=5 B=2 H=4 Hkv=2 D=32 dtype=bf16 W=1 ref=5 step=1 input=gauss seed=1",
       33,
       "rows=0",
       "rows=64",
       {}},
      {"gauss",
       "T=10 H=2 Hkv=2 D=64 dtype=f32 layout=bhsd W=1 ref=5 step=2 input=gauss seed=2",
       40,
       "rows=0",
       "rows=40",
       {}},
      // The mask: windows at both ends, rotation that wraps, guards, no global frames at all.
      {"indicator",
       "T=21 H=1 Hkv=1 D=32 dtype=bf16 W=2 ref=9 step=3 input=indicator seed=3",
       33,
       "rows=336",
       "rows=42",
       {}},
      {"indicator",
       "T=20 H=1 Hkv=1 D=32 dtype=bf16 W=2 interval=6 ref=9 step=5 condition=3,16 input=indicator "
       "seed=4",
       33,
       "rows=320",
       "rows=40",
       {}},
      {"indicator",
       "T=12 H=1 Hkv=1 D=32 dtype=f32 W=1 n_first=0 interval=0 ref=5 step=0 input=indicator seed=5",
       34,
       "rows=192",
       "rows=36",
       {}},
      {"indicator",
       "T=9 text=7 B=2 H=2 Hkv=1 D=32 dtype=bf16 W=1 ref=4 step=1 input=indicator seed=6",
       65,
       "rows=320",
       "rows=60",
       {}},
      // Adaptive windows: rows of different lengths, which a padded table would even out.
      {"indicator",
       "T=15 H=1 Hkv=1 D=32 dtype=bf16 W=2 ref=7 expand=0 step=1 input=indicator seed=14",
       33,
       "rows=240",
       "rows=30",
       {}},
      // Rows without keys.
      {"indicator",
       "T=5 H=1 Hkv=1 D=32 dtype=bf16 W=0 n_first=0 interval=0 ref=5 step=0 input=indicator "
       "seed=15",
       33,
       "rows=0",
       "rows=10",
       {}},
      // All frames global, as in dense attention, and the text in a class of its own: its mass is
      // due however small a share of the keys it is.
      {"indicator",
       "T=6 text=3 H=2 Hkv=1 D=32 dtype=bf16 W=1 interval=1 ref=4 step=1 input=indicator seed=18",
       37,
       "rows=256",
       "rows=24",
       {}},
      {"phantom",
       "T=9 text=3 H=2 Hkv=2 D=64 dtype=bf16 W=1 ref=4 step=1 input=phantom seed=7",
       33,
       "rows=128",
       "rows=36",
       {}},
      {"large",
       "T=9 H=1 Hkv=1 D=64 dtype=bf16 W=1 ref=4 step=1 input=large seed=8",
       35,
       "rows=128",
       "rows=36",
       {}},
      {"beacon",
       "T=9 text=4 H=1 Hkv=1 D=32 dtype=bf16 W=1 ref=4 step=1 input=beacon seed=16",
       69,
       "rows=128",
       "rows=36",
       {}},
      {"integers",
       "T=9 text=2 H=2 Hkv=1 D=32 dtype=bf16 W=1 ref=4 step=1 input=integers seed=17",
       41,
       "rows=256",
       "rows=36",
       {"integers"}},
      {"relations",
       "T=11 text=5 B=2 H=2 Hkv=1 D=32 dtype=bf16 W=1 ref=5 step=1 input=gauss seed=9",
       36,
       "rows=11 compute=rows",
       "rows=9 compute=rows",
       {"all"}},
      // One batch element, one head, no text, and no lists of computed rows.
      {"relations",
       "T=7 H=1 Hkv=1 D=32 dtype=f32 W=1 ref=4 step=1 input=gauss seed=10",
       19,
       "rows=0",
       "rows=8 compute=rows",
       {"all"}},
  };
  return list;
}

// Patches at which the longest row has about `keys` keys, and a part tile in every frame.
std::int64_t patches_for(const Kind& kind, std::int64_t keys) {
  const Case one = parse_case(fmt::format("P=1 rows=0 {}", kind.shared));
  const FramePattern pattern = build_frame_pattern(case_pattern_spec(one));
  std::int64_t frames = 1;
  for (std::int64_t f = 0; f < one.grid.frames; ++f) {
    frames = std::max(frames, static_cast<std::int64_t>(pattern.row(f).size()));
  }
  const std::int64_t patches = keys / frames + 1;
  return patches % 32 == 0 ? patches + 1 : patches;
}

bool computes_rows(const Kind& kind) {
  return std::string_view(kind.many).find("compute") != std::string_view::npos;
}

}  // namespace

std::vector<SelftestCase> selftest_cases(std::int64_t long_keys) {
  if (long_keys < 512 || long_keys > (std::int64_t{1} << 20)) {
    throw Error(ErrorKind::kValue,
                fmt::format("selftest: {} keys: 512 .. 1048576 is due", long_keys));
  }
  std::vector<SelftestCase> cases;
  for (const Kind& kind : kinds()) {
    cases.push_back({kind.check, fmt::format("P={} {} {}", kind.patches, kind.shared, kind.small),
                     false, kind.relations});
  }
  for (const Kind& kind : kinds()) {
    cases.push_back({kind.check,
                     fmt::format("P={} {} {}{}", patches_for(kind, long_keys), kind.shared,
                                 kind.many, computes_rows(kind) ? "" : " compute=rows"),
                     true, kind.relations});
  }
  return cases;
}

}  // namespace lvsa::analysis
