// Steps of the prediction's arithmetic against core's, bit by bit.

#include "cuda/prediction/arithmetic.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "core/exact/exact_functions.hpp"
#include "core/sparse/tensor_rows.hpp"
#include "core/tensor/tensor.hpp"
#include "cuda/prediction/probabilities.hpp"

namespace lvsa::cuda::prediction {
namespace {

template <typename Type>
constexpr DType kDtype = LVSA_BF16;
template <>
constexpr DType kDtype<F16> = LVSA_F16;

template <typename Type>
class SpargeArithmetic : public testing::Test {};
using Types = testing::Types<Bf16, F16>;
TYPED_TEST_SUITE(SpargeArithmetic, Types);

// A 16-bit number, finite.
template <typename Type>
std::uint16_t any_bits(std::mt19937& random) {
  while (true) {
    const auto bits = static_cast<std::uint16_t>(random());
    if (std::isfinite(Type::low(bits))) return bits;
  }
}

TYPED_TEST(SpargeArithmetic, ReadsAndWidensEveryFiniteNumberExactly) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = TypeParam::low(bits);
    EXPECT_EQ(std::bit_cast<std::uint32_t>(TypeParam::high(bits << 16)),
              std::bit_cast<std::uint32_t>(value));
    if (!std::isfinite(value)) continue;
    EXPECT_EQ(mul(widened(value), kUnscale), static_cast<double>(value)) << bits;
    EXPECT_EQ(TypeParam::pack(value, value), bits | bits << 16);
  }
}

TYPED_TEST(SpargeArithmetic, TakesOffTheCentreAsTheRuleDoes) {
  std::mt19937 random(1);
  for (int i = 0; i < 200000; ++i) {
    const std::uint16_t x = any_bits<TypeParam>(random);
    // Neighbours in size too, where bits are lost.
    const std::uint16_t c = i % 2 == 0 ? any_bits<TypeParam>(random)
                                       : static_cast<std::uint16_t>(x ^ (random() % 0x200));
    const float centre = TypeParam::low(c);
    if (!std::isfinite(centre)) continue;
    const double exact = static_cast<double>(TypeParam::low(x)) - static_cast<double>(centre);
    const double due = round_to_dtype(kDtype<TypeParam>, exact);
    EXPECT_EQ(static_cast<double>(TypeParam::low(centred<TypeParam>(x, centre, 0.0F))), due)
        << x << " " << c;
  }
}

TYPED_TEST(SpargeArithmetic, RoundsRunningSumsAsTheRuleDoes) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 100000; ++i) {
    const double sum = std::ldexp(static_cast<double>(random()), -static_cast<int>(random() % 220));
    if (sum > 0x1p14) continue;
    // Ties too.
    for (const double one : {sum, sparse::round_to_type(kDtype<TypeParam>, sum) * (1 + 0x1p-9),
                             sparse::round_to_type(kDtype<TypeParam>, sum) * (1 + 0x1p-12)}) {
      EXPECT_EQ(rounded_sum<TypeParam>(one), sparse::round_to_type(kDtype<TypeParam>, one)) << one;
    }
  }
}

// Numbers of a random span, some of it beyond what 53 bits hold. A quarter adds up to next to the
// middle of two numbers of fp32, of which one gives the next mean.
TYPED_TEST(SpargeArithmetic, IsCertainOfASumOnlyWhenAllOrdersAgree) {
  std::mt19937 random(3);
  int certain[2] = {0, 0};
  for (int i = 0; i < 4000; ++i) {
    const bool middle = i % 4 == 0;
    const unsigned spread = random() % 64;
    const std::size_t count = middle ? 128 : 2 + random() % 200;
    std::vector<double> numbers;
    if (middle) {
      const double large = std::ldexp(1.0, TypeParam::kSignificandBits);
      numbers = {large, 1.0, std::ldexp(large, -24)};
    }
    while (numbers.size() < count) {
      const double size =
          std::ldexp(static_cast<double>(random()) * 0x1p-32 - 0.5,
                     -static_cast<int>(random() % (spread + 1)) - (middle ? 30 : 0));
      numbers.push_back(round_to_dtype(kDtype<TypeParam>, size));
    }
    double largest = 0.0;
    for (const double one : numbers) largest = std::max(largest, std::fabs(one));
    const double forwards = std::accumulate(numbers.begin(), numbers.end(), 0.0);
    const auto rows = static_cast<std::int64_t>(count);
    float mean = 0.0F;
    float sum = 0.0F;
    const bool mean_known = mean_is_certain<TypeParam>(forwards, largest, rows, &mean);
    const bool sum_known = sum_is_certain(forwards, largest, rows, &sum);
    for (int order = 0; order < 4; ++order) {
      std::shuffle(numbers.begin(), numbers.end(), random);
      const double shuffled = std::accumulate(numbers.begin(), numbers.end(), 0.0);
      if (mean_known) {
        const float due = static_cast<float>(round_to_dtype(
            kDtype<TypeParam>, static_cast<double>(to_float(shuffled) / static_cast<float>(rows))));
        ASSERT_EQ(mean, due);
      }
      if (sum_known) {
        ASSERT_EQ(sum, to_float(shuffled));
      }
    }
    certain[0] += mean_known ? 1 : 0;
    certain[1] += sum_known ? 1 : 0;
  }
  EXPECT_GT(certain[0], 2000);
  EXPECT_LT(certain[0], 4000);
  EXPECT_GT(certain[1], 2000);
  EXPECT_LT(certain[1], 4000);
}

// Rows of few and of many binades; the sum in order of size and against it.
TYPED_TEST(SpargeArithmetic, CallsProductsExactOnlyWhenEveryOrderHasTheirSum) {
  std::mt19937 random(12);
  const auto row = [&](unsigned long spread) {
    std::vector<float> means(128);
    for (float& one : means) {
      const double size = std::ldexp(static_cast<double>(random()) * 0x1p-32 - 0.5,
                                     -static_cast<int>(random() % (spread + 1)));
      one = random() % 9 == 0 ? 0.0F : rounded<TypeParam>(static_cast<float>(size));
    }
    return means;
  };
  const auto span_of = [](const std::vector<float>& means) {
    std::uint32_t most = 0;
    std::uint32_t least = 0xffffffffU;
    for (const float one : means) {
      const std::uint32_t bits = std::bit_cast<std::uint32_t>(one) & 0x7fffffffU;
      most = std::max(most, bits);
      least = std::min(least, bits - 1);
    }
    return mean_span<TypeParam>(most, least);
  };
  int exact = 0;
  int inexact = 0;
  for (int i = 0; i < 2000; ++i) {
    const unsigned long widest = i % 2 == 0 ? 10 : 40;
    const std::vector<float> q = row(random() % widest);
    const std::vector<float> k = row(random() % widest);
    std::vector<double> products;
    for (std::size_t d = 0; d < q.size(); ++d) {
      products.push_back(static_cast<double>(q[d]) * static_cast<double>(k[d]));
    }
    const auto by_size = [](double a, double b) { return std::fabs(a) < std::fabs(b); };
    std::sort(products.begin(), products.end(), by_size);
    const double rising = std::accumulate(products.begin(), products.end(), 0.0);
    const double falling = std::accumulate(products.rbegin(), products.rend(), 0.0);
    const bool said = products_are_exact(span_of(q), span_of(k));
    if (said) {
      ASSERT_EQ(rising, falling);
    }
    exact += said ? 1 : 0;
    inexact += rising != falling ? 1 : 0;
  }
  EXPECT_GT(exact, 200);
  EXPECT_TRUE(kDtype<TypeParam> != LVSA_BF16 || inexact > 100);  // of fp16 all sums are exact
  EXPECT_TRUE(products_are_exact(span_of(std::vector<float>(128, 0.0F)), span_of(row(20))));
}

// A mean, noise, and one number that becomes ever smaller.
TEST(SpargeArithmeticOfParts, CallsASumExactOnlyWhenTheAscendingOneHasItsBits) {
  constexpr int kPart = 64;
  std::mt19937 random(10);
  int exact = 0;
  int inexact = 0;
  for (int i = 0; i < 3000; ++i) {
    const double mean = static_cast<double>(random() % 9) * 0.25;
    const int depth = static_cast<int>(random() % 60);
    std::vector<double> numbers;
    std::uint32_t largest = 0;
    std::uint32_t least = 0xffffU;  // less 1
    for (int n = 0; n < 1000; ++n) {
      const double noise = static_cast<double>(random()) * 0x1p-31 - 1.0;
      const double x = n == 40 ? std::ldexp(noise, -depth) : mean + noise;
      const std::uint32_t word = Bf16::pack(static_cast<float>(x), 0.0F);
      largest = std::max(largest, larger_half(sizes(word)));
      if (sizes(word) != 0) least = std::min(least, sizes(word) - 1);
      numbers.push_back(static_cast<double>(Bf16::low(word)));
    }
    double sum = 0.0;
    double size = 0.0;
    for (std::size_t first = 0; first < numbers.size(); first += kPart) {
      double part = 0.0;  // backwards
      for (std::size_t n = std::min(first + kPart, numbers.size()); n-- > first;)
        part += numbers[n];
      sum += part;
      size += std::fabs(part);
    }
    if (sum_of_parts_is_exact<Bf16>({largest, flipped_of_least(least) & 0xffffU}, kPart, size)) {
      EXPECT_EQ(sum, std::accumulate(numbers.begin(), numbers.end(), 0.0));
      ++exact;
    } else {
      ++inexact;
    }
  }
  EXPECT_GT(exact, 1000);
  EXPECT_GT(inexact, 500);
}

TEST(SpargeArithmeticOfParts, CallsASumExactOnlyWhenAllOrdersAgree) {
  std::mt19937 random(17);
  int exact = 0;
  int inexact = 0;
  for (int i = 0; i < 4000; ++i) {
    const int count = 1 + static_cast<int>(random() % 128);
    const auto binades = static_cast<unsigned>(1 + random() % 60);
    std::uint32_t largest = 0;
    std::uint32_t least = 0xffffffffU;
    std::vector<double> numbers;
    for (int n = 0; n < count; ++n) {
      auto word = static_cast<std::uint32_t>((100U << 7) + random() % (binades * 128U));
      if (random() % 7 == 0) word = 0;
      if (random() % 2 == 0) word |= 0x8000U;
      largest = std::max(largest, larger_half(sizes(word)));
      if (sizes(word) != 0) least = std::min(least, sizes(word) - 1);
      numbers.push_back(static_cast<double>(Bf16::low(word)));
    }
    const double ascending = std::accumulate(numbers.begin(), numbers.end(), 0.0);
    if (sum_is_exact<Bf16>({largest, flipped_of_least(least) & 0xffffU}, count)) {
      for (int order = 0; order < 4; ++order) {
        std::shuffle(numbers.begin(), numbers.end(), random);
        ASSERT_EQ(ascending, std::accumulate(numbers.begin(), numbers.end(), 0.0));
      }
      ++exact;
    } else {
      ++inexact;
    }
  }
  EXPECT_GT(exact, 1000);
  EXPECT_GT(inexact, 500);
}

TEST(SpargeExponential, HasTheBitsOfCores) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 300000; ++i) {
    const double scale = std::ldexp(1.0, static_cast<int>(random() % 40) - 30);
    const double x = -scale * static_cast<double>(random() >> 11) * 0x1p-53;
    ASSERT_EQ(std::bit_cast<std::uint64_t>(exponential(x)),
              std::bit_cast<std::uint64_t>(exact::exp(x)))
        << x;
  }
  for (const double x : {0.0, -700.0, -699.999, -1e300, -0x1p-149, -0.34657359027997264,
                         -0.34657359027997270, -1.0397207708399179}) {
    EXPECT_EQ(exponential(x), exact::exp(x)) << x;
  }
}

TEST(SpargeExponential, DividesBySmallNumbersAsADivisionDoes) {
  std::mt19937_64 random(5);
  constexpr Inverse kThird{0x1.5555555555555p-2, 0x1.5555555555555p-56};
  constexpr Inverse kThirteenth{0x1.3b13b13b13b14p-4, -0x1.3b13b13b13b14p-58};
  for (int i = 0; i < 300000; ++i) {
    const double a = std::ldexp(static_cast<double>(static_cast<std::int64_t>(random())),
                                static_cast<int>(random() % 200) - 100);
    ASSERT_EQ(quotient(a, 3.0, kThird), a / 3.0) << a;
    ASSERT_EQ(quotient(a, 13.0, kThirteenth), a / 13.0) << a;
  }
}

TEST(SpargeSoftmax, IsCertainOfATotalOnlyWhenAllOrdersAgree) {
  std::mt19937_64 random(6);
  int certain = 0;
  for (int i = 0; i < 3000; ++i) {
    std::vector<double> weights(1 + random() % 600);
    for (double& w : weights) {
      w = static_cast<double>(
          static_cast<float>(std::ldexp(static_cast<double>(random()), -64 - int(random() % 60))));
    }
    weights[0] = 1.0;
    // Often next to a boundary of fp32.
    double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    if (i % 2 == 0) {
      const auto below = static_cast<float>(sum);
      const float above = std::nextafter(below, 2 * below);
      weights.back() += (static_cast<double>(below) + static_cast<double>(above)) / 2 - sum;
    }
    sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    float total = 0.0F;
    const bool sure = total_is_certain(sum, static_cast<int>(weights.size()), &total);
    std::sort(weights.begin(), weights.end());
    const auto other = static_cast<float>(std::accumulate(weights.begin(), weights.end(), 0.0));
    if (!sure) continue;
    EXPECT_EQ(total, other);
    ++certain;
  }
  EXPECT_GT(certain, 1000);
}

}  // namespace
}  // namespace lvsa::cuda::prediction
