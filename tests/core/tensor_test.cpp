#include "core/tensor/tensor.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "core/error.hpp"
#include "core/numeric/small_floats.hpp"

namespace lvsa {
namespace {

TEST(SmallFloats, KeepEveryBitPatternThroughARoundTrip) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto b = static_cast<std::uint16_t>(bits);
    const float half = fp16_to_float(b);
    const float brain = bf16_to_float(b);
    if (!std::isnan(half)) {
      EXPECT_EQ(float_to_fp16(half), b);
    } else {
      EXPECT_TRUE(std::isnan(fp16_to_float(float_to_fp16(half))));
    }
    if (!std::isnan(brain)) {
      EXPECT_EQ(float_to_bf16(brain), b);
      EXPECT_EQ(double_to_bf16(static_cast<double>(brain)), b);
    } else {
      EXPECT_TRUE(std::isnan(bf16_to_float(float_to_bf16(brain))));
    }
  }
}

TEST(SmallFloats, RoundToNearestEven) {
  EXPECT_EQ(bf16_to_float(float_to_bf16(1.0F + 0x1p-8F)), 1.0F);                      // tie, down
  EXPECT_EQ(bf16_to_float(float_to_bf16(1.0F + 0x1p-7F + 0x1p-8F)), 1.0F + 0x1p-6F);  // tie, up
  EXPECT_EQ(bf16_to_float(double_to_bf16(1.0 + 0x1p-8 + 0x1p-40)), 1.0F + 0x1p-7F);   // once only
  EXPECT_EQ(fp16_to_float(double_to_fp16(1.0 + 0x1p-11)), 1.0F);
  EXPECT_EQ(fp16_to_float(double_to_fp16(65519.0)), 65504.0F);
  EXPECT_EQ(fp16_to_float(double_to_fp16(65520.0)), INFINITY);
  EXPECT_EQ(fp16_to_float(double_to_fp16(0x1p-25)), 0.0F);  // tie to zero
  EXPECT_EQ(fp16_to_float(double_to_fp16(0x1.8p-25)), 0x1p-24F);
  EXPECT_EQ(fp16_to_float(double_to_fp16(-0.0)), 0.0F);
  EXPECT_TRUE(std::signbit(fp16_to_float(double_to_fp16(-0.0))));
  EXPECT_EQ(bf16_to_float(double_to_bf16(1e300)), INFINITY);
  EXPECT_EQ(bf16_to_float(double_to_bf16(0x1p-134)), 0.0F);
}

TEST(SmallFloats, KnowValuesOfBinary16) {
  EXPECT_EQ(fp16_to_float(0x3c00), 1.0F);
  EXPECT_EQ(fp16_to_float(0xc000), -2.0F);
  EXPECT_EQ(fp16_to_float(0x7bff), 65504.0F);
  EXPECT_EQ(fp16_to_float(0x0001), 0x1p-24F);
  EXPECT_EQ(fp16_to_float(0x7c00), INFINITY);
  EXPECT_EQ(fp16_to_float(0x3555), 0.333251953125F);
}

TEST(NextInType, IsTheNeighbour) {
  for (const DType dtype : {LVSA_F16, LVSA_BF16}) {
    const double one = 1.0;
    const double step = dtype == LVSA_F16 ? 0x1p-10 : 0x1p-7;
    EXPECT_EQ(next_in_dtype(dtype, one, 2.0), one + step);
    EXPECT_EQ(next_in_dtype(dtype, one, 0.0), one - step / 2);
    EXPECT_EQ(next_in_dtype(dtype, -one, 0.0), -one + step / 2);
    EXPECT_EQ(next_in_dtype(dtype, -one, -2.0), -one - step);
    EXPECT_GT(next_in_dtype(dtype, 0.0, 1.0), 0.0);
    EXPECT_LT(next_in_dtype(dtype, 0.0, -1.0), 0.0);
    EXPECT_EQ(next_in_dtype(dtype, one, one), one);
  }
  EXPECT_EQ(next_in_dtype(LVSA_F32, 1.0, 2.0), 1.0 + 0x1p-23);
  EXPECT_EQ(next_in_dtype(LVSA_F64, 1.0, 2.0), 1.0 + 0x1p-52);
}

TEST(Tensor, ReadsRowsInBothLayouts) {
  for (const Layout layout : {Layout::kBSHD, Layout::kBHSD}) {
    Tensor tensor(LVSA_F32, {2, 3, 4, 5}, layout);
    const TensorView view = tensor.view();
    auto* data = reinterpret_cast<float*>(tensor.bytes());
    const auto at = [&](std::int64_t b, std::int64_t s, std::int64_t h, std::int64_t d) {
      return b * view.strides[0] + s * view.strides[1] + h * view.strides[2] + d * view.strides[3];
    };
    for (std::int64_t i = 0; i < tensor.elements(); ++i) data[i] = static_cast<float>(i);
    std::vector<double> row(5);
    view.read_row(1, 2, 3, row.data());
    for (std::int64_t d = 0; d < 5; ++d) {
      EXPECT_EQ(row[static_cast<std::size_t>(d)], static_cast<double>(at(1, 2, 3, d)));
    }
    EXPECT_EQ(at(1, 2, 3, 4), 2 * 3 * 4 * 5 - 1);
  }
}

TEST(Tensor, RefusesSizesThatAreNone) {
  EXPECT_THROW(Tensor(LVSA_F32, {1, 0, 1, 1}, Layout::kBSHD), Error);
  EXPECT_THROW(Tensor(LVSA_F32, {1, -4, 1, 1}, Layout::kBSHD), Error);
  EXPECT_THROW(Tensor(LVSA_F32, {INT64_MAX, INT64_MAX, 1, 1}, Layout::kBSHD), Error);
}

TEST(DTypes, ParseTheirOwnNames) {
  for (const DType dtype :
       {LVSA_F64, LVSA_F32, LVSA_F16, LVSA_BF16, LVSA_E4M3, LVSA_E5M2, LVSA_DTYPE_NONE}) {
    EXPECT_EQ(parse_dtype(dtype_name(dtype)), dtype);
  }
  EXPECT_THROW(parse_dtype("float"), Error);
}

}  // namespace
}  // namespace lvsa
