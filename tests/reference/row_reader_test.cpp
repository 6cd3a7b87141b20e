// Rows of K and V as the oracle and the shadow read them.
#include "reference/attention/row_reader.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "core/numeric/small_floats.hpp"
#include "reference/attention/oracle_widen.hpp"
#include "reference/attention/simd_level.hpp"

namespace lvsa::reference {
namespace {

std::vector<const OracleWiden*> tables() {
  std::vector<const OracleWiden*> all = {&kOracleBaselineWiden};
#if LVSA_SIMD_X86
  if (machine_has(SimdLevel::kAvx2)) all.push_back(&kOracleAvx2Widen);
  if (machine_has(SimdLevel::kAvx512)) all.push_back(&kOracleAvx512Widen);
#endif
  return all;
}

bool same(double a, double b) {
  return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b);
}

TEST(RowReader, WidensEveryNumberOfSixteenBitsExactly) {
  std::vector<std::uint16_t> bits(65536);
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<std::uint16_t>(i);
  std::vector<double> bf16(bits.size());
  std::vector<double> f16(bits.size());
  for (const OracleWiden* table : tables()) {
    table->bf16(bits.data(), 65536, bf16.data());
    table->f16(bits.data(), 65536, f16.data());
    for (std::size_t i = 0; i < bits.size(); ++i) {
      ASSERT_TRUE(same(bf16[i], static_cast<double>(bf16_to_float(bits[i])))) << i;
      ASSERT_TRUE(same(f16[i], static_cast<double>(fp16_to_float(bits[i])))) << i;
    }
  }
}

TEST(RowReader, WritesNothingBehindTheLastNumber) {
  const std::vector<std::uint16_t> bits(32, 0x3f80);  // 1 in bf16
  for (const OracleWiden* table : tables()) {
    for (std::int64_t count = 0; count < 20; ++count) {
      std::vector<double> out(24, -7.0);
      // An odd address, too.
      std::vector<char> shifted(1 + 2 * bits.size());
      std::memcpy(shifted.data() + 1, bits.data(), 2 * bits.size());
      table->bf16(shifted.data() + 1, count, out.data());
      for (std::size_t i = 0; i < out.size(); ++i) {
        ASSERT_EQ(out[i], i < static_cast<std::size_t>(count) ? 1.0 : -7.0) << count << " " << i;
      }
    }
  }
}

// What TensorView::read_row() gives, in any type, layout and stride, near the last row too.
TEST(RowReader, ReadsTheRowsOfItsHeadWhereverTheyLie) {
  for (const DType dtype : {LVSA_F32, LVSA_BF16, LVSA_F16, LVSA_E4M3}) {
    for (const Layout layout : {Layout::kBSHD, Layout::kBHSD}) {
      Tensor tensor(dtype, {2, 19, 3, 21}, layout);
      for (std::size_t i = 0; i < tensor.size_bytes(); ++i) {
        tensor.bytes()[i] = static_cast<std::byte>(i * 37 % 119);
      }
      TensorView view = tensor.view();
      for (const bool gaps : {false, true}) {
        if (gaps) {  // every second element
          view.shape[3] = 10;
          view.strides[3] = 2;
        }
        const auto width = static_cast<std::size_t>(view.shape[3]);
        const RowReader reader(view, 1, 2);
        const std::vector<std::int64_t> tokens = {0, 3, 4, 17, 18};
        std::vector<double> got(5 * 24, 0.0);
        reader.read(tokens.data(), 3, 2, got.data(), 24);
        reader.read_run(17, 2, 0, got.data() + 3 * 24, 24);
        std::vector<double> due(width);
        for (std::size_t t = 0; t < tokens.size(); ++t) {
          view.read_row(1, tokens[t], 2, due.data());
          for (std::size_t i = 0; i < width; ++i) {
            ASSERT_TRUE(same(got[t * 24 + i], due[i])) << dtype_name(dtype) << " " << t << " " << i;
          }
          ASSERT_EQ(got[t * 24 + width], 0.0);
        }
      }
    }
  }
}

}  // namespace
}  // namespace lvsa::reference
