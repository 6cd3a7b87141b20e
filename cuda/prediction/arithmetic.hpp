#pragma once
// The arithmetic of the prediction, for host and device: what core/sparse computes, with the same
// bits. No operation here may be contracted: on the device each is an intrinsic that the compiler
// leaves alone; hosts that contract by default need -ffp-contract=off.

#include <bit>
#include <cmath>
#include <cstdint>

#include "core/numeric/small_floats.hpp"
#include "cuda/prediction/parameters.hpp"

#if defined(__CUDACC__)
#define LVSA_HOST_DEVICE __host__ __device__ __forceinline__
#else
#define LVSA_HOST_DEVICE inline
#endif
#if defined(__CUDA_ARCH__)
#define LVSA_UNROLL _Pragma("unroll")
#else
#define LVSA_UNROLL
#endif

namespace lvsa::cuda::prediction {

#if defined(__CUDA_ARCH__)
LVSA_HOST_DEVICE double add(double a, double b) { return __dadd_rn(a, b); }
LVSA_HOST_DEVICE double mul(double a, double b) { return __dmul_rn(a, b); }
LVSA_HOST_DEVICE double div(double a, double b) { return __ddiv_rn(a, b); }
LVSA_HOST_DEVICE double root(double a) { return __dsqrt_rn(a); }
LVSA_HOST_DEVICE double fused(double a, double b, double c) { return __fma_rn(a, b, c); }
LVSA_HOST_DEVICE float to_float(double a) { return __double2float_rn(a); }
LVSA_HOST_DEVICE float add(float a, float b) { return __fadd_rn(a, b); }
LVSA_HOST_DEVICE float mul(float a, float b) { return __fmul_rn(a, b); }
LVSA_HOST_DEVICE float div(float a, float b) { return __fdiv_rn(a, b); }
LVSA_HOST_DEVICE float near_inverse_root(float a) { return rsqrtf(a); }
LVSA_HOST_DEVICE float near_quotient(float a, float b) { return __fdividef(a, b); }
#else
LVSA_HOST_DEVICE double add(double a, double b) { return a + b; }
LVSA_HOST_DEVICE double mul(double a, double b) { return a * b; }
LVSA_HOST_DEVICE double div(double a, double b) { return a / b; }
LVSA_HOST_DEVICE double root(double a) { return std::sqrt(a); }
LVSA_HOST_DEVICE double fused(double a, double b, double c) { return std::fma(a, b, c); }
LVSA_HOST_DEVICE float to_float(double a) { return static_cast<float>(a); }
LVSA_HOST_DEVICE float add(float a, float b) { return a + b; }
LVSA_HOST_DEVICE float mul(float a, float b) { return a * b; }
LVSA_HOST_DEVICE float div(float a, float b) { return a / b; }
LVSA_HOST_DEVICE float near_inverse_root(float a) { return 1.0F / std::sqrt(a); }
LVSA_HOST_DEVICE float near_quotient(float a, float b) { return a / b; }
#endif

LVSA_HOST_DEVICE bool is_finite(double a) {
  return (std::bit_cast<std::uint64_t>(a) >> 52 & 0x7ff) != 0x7ff;
}

/// bf16, two of them in a word; the first is in the low half.
struct Bf16 {
  static constexpr int kSignificandBits = 8;
  static constexpr int kLeastExponent = -126;
  LVSA_HOST_DEVICE static float low(std::uint32_t word) { return std::bit_cast<float>(word << 16); }
  LVSA_HOST_DEVICE static float high(std::uint32_t word) {
    return std::bit_cast<float>(word & 0xffff0000U);
  }
  LVSA_HOST_DEVICE static std::uint32_t pack(float low, float high) {
#if defined(__CUDA_ARCH__)
    std::uint32_t word;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
    return word;
#else
    return float_to_bf16(low) | std::uint32_t{float_to_bf16(high)} << 16;
#endif
  }
};

/// fp16 likewise.
struct F16 {
  static constexpr int kSignificandBits = 11;
  static constexpr int kLeastExponent = -14;
  LVSA_HOST_DEVICE static float one(std::uint16_t bits) {
#if defined(__CUDA_ARCH__)
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
    return value;
#else
    return fp16_to_float(bits);
#endif
  }
  LVSA_HOST_DEVICE static float low(std::uint32_t word) {
    return one(static_cast<std::uint16_t>(word & 0xffffU));
  }
  LVSA_HOST_DEVICE static float high(std::uint32_t word) {
    return one(static_cast<std::uint16_t>(word >> 16));
  }
  LVSA_HOST_DEVICE static std::uint32_t pack(float low, float high) {
#if defined(__CUDA_ARCH__)
    std::uint32_t word;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
    return word;
#else
    return float_to_fp16(low) | std::uint32_t{float_to_fp16(high)} << 16;
#endif
  }
};

/// A number of the type, as float.
template <typename Type>
LVSA_HOST_DEVICE float rounded(float value) {
  return Type::low(Type::pack(value, 0.0F));
}

/// k' = x - centre rounded to the type; both are numbers of the type. The difference in fp32 gives
/// the same as the one in fp64 and as the exact one: 24 bits are at least 2 * 11 + 2, so that the
/// second rounding is innocuous, and where the type's numbers are subnormal the difference is exact
/// in both. Overflow agrees too, since every number that fp32 turns into infinity does so in 16
/// bits.
template <typename Type>
LVSA_HOST_DEVICE std::uint32_t centred(std::uint32_t word, float low_centre, float high_centre) {
  return Type::pack(add(Type::low(word), -low_centre), add(Type::high(word), -high_centre));
}

/// A 16-bit type's number, given as float, times 2^-896, as double: its bits moved to the place of
/// the longer format, exponent field and all, subnormals included. Numbers so scaled add up in fp64
/// with the same roundings as the numbers themselves: they are multiples of 2^-1029, so that no
/// sum of theirs needs a bit below 2^-1074. Infinities become finite.
LVSA_HOST_DEVICE double widened(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t moved =
      static_cast<std::uint32_t>(static_cast<std::int32_t>(bits) >> 3) & 0x8fffffffU;
  return std::bit_cast<double>(static_cast<std::uint64_t>(moved) << 32);
}
inline constexpr double kUnscale = 0x1p896;
/// The two numbers of a word, widened.
template <typename Type>
LVSA_HOST_DEVICE double widened_low(std::uint32_t word) {
  return widened(Type::low(word));
}
template <typename Type>
LVSA_HOST_DEVICE double widened_high(std::uint32_t word) {
  if constexpr (Type::kSignificandBits == 8) {  // the low half goes with the mask
    const auto moved = static_cast<std::uint32_t>(static_cast<std::int32_t>(word) >> 3);
    return std::bit_cast<double>(static_cast<std::uint64_t>(moved & 0x8fffe000U) << 32);
  }
  return widened(Type::high(word));
}

/// Least and largest size of numbers other than zero, as bits of the type without sign.
struct Span {
  std::uint32_t largest = 0;  ///< 0: no number but zero was seen
  std::uint32_t flipped = 0;  ///< 0x8000 - the least; 0 likewise
};

/// Both halves of a word for a packed span: sizes, and what a span has of the least size, from that
/// less 1; 0xffff: none other than zero.
LVSA_HOST_DEVICE std::uint32_t sizes(std::uint32_t word) { return word & 0x7fff7fffU; }
LVSA_HOST_DEVICE std::uint32_t flipped_of_least(std::uint32_t least_less_1) {
  return ~least_less_1 & 0x7fff7fffU;
}
LVSA_HOST_DEVICE std::uint32_t larger_half(std::uint32_t word) {
  const std::uint32_t low = word & 0xffffU;
  const std::uint32_t high = word >> 16;
  return low > high ? low : high;
}
LVSA_HOST_DEVICE std::uint32_t smaller_half(std::uint32_t word) {
  const std::uint32_t low = word & 0xffffU;
  const std::uint32_t high = word >> 16;
  return low < high ? low : high;
}

template <typename Type>
LVSA_HOST_DEVICE bool all_finite(const Span& span) {
  constexpr std::uint32_t kInfinity = 0x8000U - (1U << (Type::kSignificandBits - 1));
  return span.largest < kInfinity;
}

/// 2^exponent, -1022 .. 1023.
LVSA_HOST_DEVICE double power_of_2(int exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(1023 + exponent) << 52);
}
/// Exponent of a number other than zero; subnormals have the least one's.
template <typename Type>
LVSA_HOST_DEVICE int exponent_of(std::uint32_t size) {
  const int field = static_cast<int>(size >> (Type::kSignificandBits - 1));
  return (field > 1 ? field : 1) - 1 + Type::kLeastExponent;
}

/// A sum in fp64 of finite numbers of this span is exact, and so has the same bits in any order, as
/// long as no sum on the way is larger: all numbers, and so all sums, are multiples of the last
/// place of the least one's exponent, and 53 bits hold those up to here.
template <typename Type>
LVSA_HOST_DEVICE double exact_limit(const Span& span) {
  if (span.largest == 0) return 0x1p1000;
  return power_of_2(53 + exponent_of<Type>(0x8000U - span.flipped) - (Type::kSignificandBits - 1));
}
/// No sum of `count` such numbers reaches this.
template <typename Type>
LVSA_HOST_DEVICE double sum_bound(const Span& span, int count) {
  if (span.largest == 0) return 0.0;
  return mul(static_cast<double>(count), power_of_2(exponent_of<Type>(span.largest) + 1));
}
/// Whether any sum of at most `count` such numbers is exact, and so the same in any order.
template <typename Type>
LVSA_HOST_DEVICE bool sum_is_exact(const Span& span, int count) {
  return sum_bound<Type>(span, count) <= exact_limit<Type>(span);
}
/// Whether a sum in ascending order is exact that was made of sums of parts of at most `part`
/// numbers each, whose sizes add up to `parts_size`: no sum on the way is larger than that and one
/// part. The factor makes up for the rounding of parts_size, which may have come in any order.
template <typename Type>
LVSA_HOST_DEVICE bool sum_of_parts_is_exact(const Span& span, int part, double parts_size) {
  return mul(add(parts_size, sum_bound<Type>(span, part)), 1.0 + 0x1p-20) <=
         exact_limit<Type>(span);
}

/// A mean from a finite sum.
template <typename Type>
LVSA_HOST_DEVICE float mean_of(double sum, std::int64_t rows) {
  const auto count = static_cast<float>(rows);
  // The quotient by a power of two is the product with its inverse, rounded once either way.
  return rounded<Type>((rows & (rows - 1)) == 0 ? mul(to_float(sum), 1.0F / count)
                                                : div(to_float(sum), count));
}

/// Twice what sums of `count` numbers, none larger than `largest`, can differ by in two orders:
/// each is off by (count - 1) 2^-53 of the sum of sizes, which is count * largest at most.
LVSA_HOST_DEVICE double order_error(std::int64_t count, double largest) {
  const auto n = static_cast<double>(count);
  return mul(mul(mul(n, n), 0x1p-51), largest);
}

/// Whether the sum of `count` numbers, none larger than `largest`, is the same fp32 number in any
/// other order; then *value is it.
LVSA_HOST_DEVICE bool sum_is_certain(double sum, double largest, std::int64_t count, float* value) {
  const double error = order_error(count, largest);
  *value = to_float(add(sum, -error));
  return std::bit_cast<std::uint32_t>(*value) ==
         std::bit_cast<std::uint32_t>(to_float(add(sum, error)));
}

/// Whether the sum of `rows` numbers, none larger than `largest`, has the same mean in any other
/// order; then *mean is it. The steps from sum to mean never fall where their argument grows.
template <typename Type>
LVSA_HOST_DEVICE bool mean_is_certain(double sum, double largest, std::int64_t rows, float* mean) {
  const double error = order_error(rows, largest);
  *mean = mean_of<Type>(add(sum, -error), rows);
  return std::bit_cast<std::uint32_t>(*mean) ==
         std::bit_cast<std::uint32_t>(mean_of<Type>(add(sum, error), rows));
}

/// From the bits of the largest size in a mean, and of the least one other than zero less 1.
template <typename Type>
LVSA_HOST_DEVICE MeanSpan mean_span(std::uint32_t most, std::uint32_t least) {
  if (most == 0) return {0.0F, 0.0F};
  const auto field = static_cast<int>((least + 1) >> 23);
  const int place = (field > 1 ? field : 1) - 127 - (Type::kSignificandBits - 1);
  const float largest = std::bit_cast<float>(most);
  return {largest, to_float(mul(static_cast<double>(largest), power_of_2(-place)))};
}
/// Whether the sum of at most 128 products of elements of two such means is exact in fp64, and so
/// the same in any order: all are multiples of one number, and no sum reaches 2^53 times that.
LVSA_HOST_DEVICE bool products_are_exact(const MeanSpan& a, const MeanSpan& b) {
  return mul(a.ratio, b.ratio) <= 0x1p45F;
}

/// The likeness in fp32 with any order of sums is off by less than this, provided that all squared
/// lengths are in kLeastSquare .. kLargestSquare; blocks of 128 rows, 128 elements, u = 2^-24. A
/// squared length adds up positive terms: 128 u. Its inverse root: half of that and 2 ulp of
/// rsqrt, so that a row of length 1 is off by 2^-17 in each element, relatively; the sum over rows
/// adds 128 u once more, relative to the sum of sizes. Thus the sum of n rows of length 1 is off by
/// a vector no longer than n 2^-16, its squared length over n^2 by 2^-15 + 2^-32, and adding that
/// up by 2^-17: below 2^-14. Rounding in core/sparse (fp64, then fp32) is below 2^-23.
inline constexpr float kLikenessError = 0x1p-13F;
inline constexpr float kLeastSquare = 0x1p-60F;
inline constexpr float kLargestSquare = 0x1p60F;

/// Squared length of a row: eight interleaved sums, then those in order. `element(d)` is float.
template <typename Elements>
LVSA_HOST_DEVICE double squared_length(int dim, const Elements& element) {
  double sums[8] = {0, 0, 0, 0, 0, 0, 0, 0};
  for (int first = 0; first < dim; first += 8) {
    LVSA_UNROLL
    for (int lane = 0; lane < 8; ++lane) {
      const double x = static_cast<double>(element(first + lane));
      sums[lane] = add(sums[lane], mul(x, x));
    }
  }
  double sum = 0.0;
  for (int lane = 0; lane < 8; ++lane) sum = add(sum, sums[lane]);
  return sum;
}

/// One of the eight interleaved sums of squares of `values`, which are any doubles.
LVSA_HOST_DEVICE double interleaved_squares(const double* values, int dim, int lane) {
  double sum = 0.0;
  for (int d = lane; d < dim; d += 8) sum = add(sum, mul(values[d], values[d]));
  return sum;
}

}  // namespace lvsa::cuda::prediction
