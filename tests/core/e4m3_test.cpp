// e4m3 against its definition: sign, exponent of bias 7, three bits of fraction, no infinity.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/numeric/small_floats.hpp"

namespace lvsa {
namespace {

TEST(E4m3, HasTheValuesOfItsDefinition) {
  EXPECT_EQ(e4m3_to_float(0x00), 0.0F);
  EXPECT_EQ(e4m3_to_float(0x01), 0x1p-9F);  // the smallest
  EXPECT_EQ(e4m3_to_float(0x07), 7 * 0x1p-9F);
  EXPECT_EQ(e4m3_to_float(0x08), 0x1p-6F);  // the smallest normal one
  EXPECT_EQ(e4m3_to_float(0x38), 1.0F);
  EXPECT_EQ(e4m3_to_float(0xb9), -1.125F);
  EXPECT_EQ(e4m3_to_float(0x7e), 448.0F);  // the largest
  EXPECT_TRUE(std::isnan(e4m3_to_float(0x7f)));
  EXPECT_TRUE(std::isnan(e4m3_to_float(0xff)));
}

TEST(E4m3, ReadsBackEveryCode) {
  for (int code = 0; code < 256; ++code) {
    const auto bits = static_cast<std::uint8_t>(code);
    if (std::isnan(e4m3_to_float(bits))) continue;  // two codes, one value
    EXPECT_EQ(double_to_e4m3(static_cast<double>(e4m3_to_float(bits))), bits) << code;
  }
}

TEST(E4m3, RoundsToTheNearestTiesToEvenAndStaysFinite) {
  EXPECT_EQ(double_to_e4m3(1.0625), 0x38);  // between 1 and 1.125
  EXPECT_EQ(double_to_e4m3(1.1875), 0x3a);  // between 1.125 and 1.25
  EXPECT_EQ(double_to_e4m3(1.06251), 0x39);
  EXPECT_EQ(double_to_e4m3(0x1p-10), 0x00);  // half of the smallest
  EXPECT_EQ(double_to_e4m3(-0x1.8p-9), 0x82);
  EXPECT_EQ(double_to_e4m3(1e9), 0x7e);
  EXPECT_EQ(double_to_e4m3(-std::numeric_limits<double>::infinity()), 0xfe);
}

}  // namespace
}  // namespace lvsa
