// The exponential of the tiled kernel, measured against what the kernel declares.

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "reference/attention/tiled/tile_ops.hpp"
#include "tests/reference/tiled_case.hpp"

namespace tiled_test {
namespace {

using lvsa::reference::TileOps;

std::vector<const TileOps*> tables() {
  using lvsa::reference::cpu_kernel_at;
  using lvsa::reference::SimdLevel;
  std::vector<const TileOps*> all = {&lvsa::reference::kBaselineOps};
#if LVSA_SIMD_X86
  if (cpu_kernel_at(SimdLevel::kAvx2) != nullptr) all.push_back(&lvsa::reference::kAvx2Ops);
  if (cpu_kernel_at(SimdLevel::kAvx512) != nullptr) all.push_back(&lvsa::reference::kAvx512Ops);
#endif
  return all;
}

TEST(TiledExp2, StaysWithinTheDeclaredError) {
  for (const TileOps* ops : tables()) {
    double worst = 0.0;
    // Floats from -2^-26 to -126 in steps of 997 (a prime) units in the last place.
    const auto first = std::bit_cast<std::uint32_t>(0x1p-26F);
    const auto last = std::bit_cast<std::uint32_t>(126.0F);
    std::vector<float> x;
    for (std::uint32_t bits = first; bits <= last; bits += 997) {
      x.push_back(-std::bit_cast<float>(bits));
    }
    std::vector<float> y(x.size());
    ops->exp2_array(x.data(), y.data(), static_cast<std::int64_t>(x.size()));
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double exact = std::exp2(static_cast<double>(x[i]));
      worst = std::max(worst, std::fabs(static_cast<double>(y[i]) / exact - 1.0) * 0x1p24);
    }
    RecordProperty(ops->name, std::to_string(worst));
    EXPECT_LE(worst, ops->exp_ulps) << ops->name;
    EXPECT_GT(worst, 0.5 * ops->exp_ulps) << ops->name << " declares more than it needs";
  }
}

TEST(TiledExp2, IsExactAtIntegersAndItsEnds) {
  for (const TileOps* ops : tables()) {
    std::vector<float> x;
    for (int n = 0; n <= 170; ++n) x.push_back(static_cast<float>(-n));
    x.push_back(-0.0F);
    x.push_back(-std::numeric_limits<float>::denorm_min());
    x.push_back(-std::numeric_limits<float>::infinity());
    x.push_back(std::numeric_limits<float>::lowest());
    x.push_back(std::numeric_limits<float>::quiet_NaN());
    std::vector<float> y(x.size());
    ops->exp2_array(x.data(), y.data(), static_cast<std::int64_t>(x.size()));
    for (std::size_t i = 0; i + 1 < x.size(); ++i) {
      EXPECT_EQ(y[i], std::exp2(x[i])) << ops->name << " at " << x[i];
    }
    EXPECT_TRUE(std::isnan(y.back())) << ops->name;
  }
}

TEST(TiledExp2, KeepsSubnormalResults) {
  for (const TileOps* ops : tables()) {
    std::vector<float> x;
    for (float value = -126.0F; value > -151.0F; value -= 0.0371F) x.push_back(value);
    std::vector<float> y(x.size());
    ops->exp2_array(x.data(), y.data(), static_cast<std::int64_t>(x.size()));
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double exact = std::exp2(static_cast<double>(x[i]));
      EXPECT_LE(std::fabs(static_cast<double>(y[i]) - exact), 0x1.02p-150 + exact * 0x1p-22)
          << ops->name << " at " << x[i];
    }
  }
}

}  // namespace
}  // namespace tiled_test
