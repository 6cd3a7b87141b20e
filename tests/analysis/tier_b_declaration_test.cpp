// What counts as a declared schedule, and the rounding of P that goes with it.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "analysis/verify/tier_b.hpp"
#include "reference/attention/p_rounding.hpp"
#include "tests/analysis/schedule_emulation.hpp"

namespace lvsa::analysis {
namespace {

using schedule_test::plain_schedule;

TEST(TierBDeclaration, TakesOnlyACompleteDeclaration) {
  EXPECT_TRUE(declared_schedule(plain_schedule()));
  void (*const gaps[])(lvsa_numerics&) = {
      [](lvsa_numerics& n) { n.key_tile = 0; },
      [](lvsa_numerics& n) { n.p_dtype = LVSA_DTYPE_NONE; },
      [](lvsa_numerics& n) { n.key_order = 0; },
      [](lvsa_numerics& n) { n.key_order = 17; },
      [](lvsa_numerics& n) { n.max_rule = 0; },
      [](lvsa_numerics& n) { n.p_rounding = 5; },
      [](lvsa_numerics& n) { n.p_scale_log2 = 1000; },
      [](lvsa_numerics& n) { n.tiles_cross_frames = 3; },
      [](lvsa_numerics& n) { n.normalise_first = 1; },
      [](lvsa_numerics& n) { n.split_keys = 3; },
      [](lvsa_numerics& n) {
        n.tiles_cross_frames = 1;
        n.key_order = LVSA_KEYS_TEXT_FIRST;
      },
  };
  for (std::size_t i = 0; i < std::size(gaps); ++i) {
    lvsa_numerics n = plain_schedule();
    gaps[i](n);
    EXPECT_FALSE(declared_schedule(n)) << i;
  }
  EXPECT_FALSE(make_schedule_judge(nullptr, LVSA_BF16, 64));
}

TEST(TierBDeclaration, RoundsPAsATableOfAllNumbersSays) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> exponent(-30.0, 9.0);
  for (const lvsa_dtype dtype : {LVSA_BF16, LVSA_F16, LVSA_E4M3, LVSA_E5M2}) {
    for (const bool toward_zero : {false, true}) {
      const reference::PRounding round(dtype, toward_zero);
      for (int i = 0; i < 3000; ++i) {
        double value = std::exp2(exponent(random));
        // Every third a tie, every third a number of the type.
        if (i % 3 > 0) {
          const double below = schedule_test::round_by_table(dtype, value, true);
          const double above = schedule_test::round_by_table(dtype, below * (1 + 0x1p-20), false);
          value = i % 3 == 1 ? below : 0.5 * (below + std::max(above, value));
        }
        ASSERT_EQ(round(value), schedule_test::round_by_table(dtype, value, toward_zero))
            << "type " << static_cast<int>(dtype) << " " << value;
      }
    }
  }
}

}  // namespace
}  // namespace lvsa::analysis
