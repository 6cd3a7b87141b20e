#include "analysis/verify/selftest_cases.hpp"

#include <fmt/format.h>

#include "analysis/verify/selftest.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {

std::vector<SelftestCase> selftest_cases(std::int64_t long_keys) {
  if (long_keys < 512 || long_keys > (std::int64_t{1} << 20)) {
    throw Error(ErrorKind::kValue,
                fmt::format("selftest: {} keys: 512 .. 1048576 is due", long_keys));
  }
  using enum CasePurpose;
  std::vector<SelftestCase> cases = {
      // Everything at once: text, batch, groups.
      {"gauss", kBounds,
       "T=13 P=33 text=5 B=2 H=4 Hkv=2 D=32 dtype=bf16 W=1 ref=5 step=1 input=gauss seed=1 rows=0",
       ""},
      {"gauss", kBounds,
       "T=10 P=40 H=2 Hkv=2 D=64 dtype=f32 layout=bhsd W=1 ref=5 step=2 input=gauss seed=2 rows=0",
       ""},
      // The mask: windows at both ends, rotation that wraps, guards, no global frames at all.
      {"indicator", kBounds,
       "T=21 P=33 H=1 Hkv=1 D=32 dtype=bf16 W=2 ref=9 step=3 input=indicator seed=3 rows=336", ""},
      {"indicator", kBounds,
       "T=20 P=33 H=1 Hkv=1 D=32 dtype=bf16 W=2 interval=6 ref=9 step=5 condition=3,16 "
       "input=indicator seed=4 rows=320",
       ""},
      {"indicator", kBounds,
       "T=12 P=34 H=1 Hkv=1 D=32 dtype=f32 W=1 n_first=0 interval=0 ref=5 step=0 input=indicator "
       "seed=5 rows=192",
       ""},
      {"indicator", kBounds,
       "T=9 P=65 text=7 B=2 H=2 Hkv=1 D=32 dtype=bf16 W=1 ref=4 step=1 input=indicator seed=6 "
       "rows=320",
       ""},
      // Adaptive windows: rows of different lengths, which a padded table would even out.
      {"indicator", kBounds,
       "T=15 P=33 H=1 Hkv=1 D=32 dtype=bf16 W=2 ref=7 expand=0 step=1 input=indicator seed=14 "
       "rows=240",
       ""},
      {"phantom", kBounds,
       "T=9 P=33 text=3 H=2 Hkv=2 D=64 dtype=bf16 W=1 ref=4 step=1 input=phantom seed=7 rows=128",
       ""},
      {"large", kBounds,
       "T=9 P=35 H=1 Hkv=1 D=64 dtype=bf16 W=1 ref=4 step=1 input=large seed=8 rows=128", ""},
      {"poison", kPoison,
       "T=11 P=36 H=2 Hkv=1 D=32 dtype=bf16 W=1 ref=5 step=1 input=gauss seed=9 rows=0", ""},
      {"repeat", kRepeat,
       "T=9 P=37 text=2 H=2 Hkv=2 D=32 dtype=f32 W=1 ref=4 step=1 input=gauss seed=10 rows=0", ""},
      {"new-pattern", kSecondPattern,
       "T=13 P=38 H=1 Hkv=1 D=32 dtype=bf16 W=1 ref=5 step=2 input=indicator seed=11 rows=128",
       "T=13 P=38 H=1 Hkv=1 D=32 dtype=bf16 W=1 ref=5 step=1 input=indicator seed=11 rows=128"},
      // Global frames 2 and 9, then 3 and 8: rows of equal length and equal sum.
      {"equal-sums", kSecondPattern,
       "T=12 P=39 H=1 Hkv=1 D=32 dtype=bf16 W=0 n_first=0 interval=0 ref=5 step=0 condition=3,8 "
       "input=indicator seed=12 rows=128",
       "T=12 P=39 H=1 Hkv=1 D=32 dtype=bf16 W=0 n_first=0 interval=0 ref=5 step=0 condition=2,9 "
       "input=indicator seed=12 rows=128"},
  };
  // Twelve frames of which a row attends eight; a tile's remainder in every frame.
  const std::int64_t patches = long_keys / 8 + 1;
  for (const char* input : {"gauss", "indicator"}) {
    cases.push_back({fmt::format("long-{}", input), kBounds,
                     fmt::format("T=12 P={} H=1 Hkv=1 D=32 dtype=bf16 W=2 interval=4 ref=8 step=3 "
                                 "input={} seed=13 rows=36 compute=rows",
                                 patches, input),
                     ""});
  }
  return cases;
}

const std::vector<SelftestCheck>& SelftestCases::checks() {
  static const std::vector<SelftestCheck> list = {
      {"gauss", "output within its bounds, normal values"},
      {"indicator", "output within its bounds, V marks the frame of each key"},
      {"phantom", "output within its bounds, every real score near -110"},
      {"large", "output within its bounds, scores that rise from -120 to 120"},
      {"long-gauss", "output within its bounds, thousands of keys, normal values"},
      {"long-indicator", "output within its bounds, thousands of keys, V marks the frame"},
      {"lse", "log-sum-exp within its bounds, small cases"},
      {"long-lse", "log-sum-exp within its bounds, thousands of keys"},
      {"schedule", "output and log-sum-exp are what the declared schedule gives, small cases"},
      {"long-schedule", "the same, thousands of keys"},
      {"written", "every element of the output and the log-sum-exp written"},
      {"inputs", "q, k and v unchanged by the call"},
      {"poison", "NaN in a frame changes no bit of rows that do not attend it"},
      {"repeat", "the same call twice gives the same bits"},
      {"new-pattern", "bounds hold after a call with the pattern of another step"},
      {"equal-sums", "bounds hold after a call with another pattern of equal sums"},
      {"runs", "the kernel returns no error"},
  };
  return list;
}

}  // namespace lvsa::analysis
