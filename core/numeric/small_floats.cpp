#include "core/numeric/small_floats.hpp"

#include <algorithm>
#include <limits>

namespace lvsa {

double round_to_format(double value, int significand_bits, int min_exponent) {
  if (!std::isfinite(value) || value == 0.0) return value;
  int exponent = 0;
  std::frexp(value, &exponent);  // |value| in [2^(exponent-1), 2^exponent)
  // Position of the last kept bit; below the normal range it stays where the range ends.
  const int last_bit = std::max(exponent - 1, min_exponent) - (significand_bits - 1);
  // std::nearbyint follows the rounding mode, which this library never changes: nearest even.
  return std::ldexp(std::nearbyint(std::ldexp(value, -last_bit)), last_bit);
}

float fp16_to_float(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000) << 16;
  const std::uint32_t magnitude = static_cast<std::uint32_t>(bits & 0x7fff) << 13;
  if (magnitude >= 0x7c00U << 13) return std::bit_cast<float>(sign | 0x7f800000U | magnitude);
  // The fields now stand where binary32 has them; the factor mends the exponent's bias, and turns
  // a subnormal of binary16 into the normal number that it is here. Exact.
  return std::copysign(std::bit_cast<float>(magnitude) * 0x1p112F, std::bit_cast<float>(sign | 1U));
}

std::uint16_t double_to_fp16(double value) {
  const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | 0x7e00);
  const double rounded = std::fabs(round_to_format(value, 11, -14));
  if (rounded > 65504.0) return static_cast<std::uint16_t>(sign | 0x7c00);
  if (rounded < 0x1p-14) {  // subnormal: a multiple of 2^-24
    return static_cast<std::uint16_t>(sign | static_cast<unsigned>(std::ldexp(rounded, 24)));
  }
  int exponent = 0;
  const double fraction = std::frexp(rounded, &exponent);  // [0.5, 1)
  const auto significand = static_cast<unsigned>(std::ldexp(fraction, 11));
  return static_cast<std::uint16_t>(sign | (static_cast<unsigned>(exponent + 14) << 10) |
                                    (significand & 0x3ffU));
}

std::uint16_t double_to_bf16(double value) {
  if (std::isnan(value)) return float_to_bf16(static_cast<float>(value));
  // Rounded to bf16's own grid first, so that the conversion to float is exact.
  const double rounded = round_to_format(value, 8, -126);
  if (std::fabs(rounded) > 0x1.fep127) {
    return static_cast<std::uint16_t>(std::signbit(value) ? 0xff80 : 0x7f80);
  }
  return float_to_bf16(static_cast<float>(rounded));
}

float e4m3_to_float(std::uint8_t bits) {
  const int exponent = bits >> 3 & 15;
  const int fraction = bits & 7;
  if ((bits & 0x7f) == 0x7f) return std::numeric_limits<float>::quiet_NaN();
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -9) : std::ldexp(8 + fraction, exponent - 10);
  return static_cast<float>((bits & 0x80) != 0 ? -magnitude : magnitude);
}

std::uint8_t double_to_e4m3(double value) {
  const std::uint8_t sign = std::signbit(value) ? 0x80 : 0;
  if (std::isnan(value)) return static_cast<std::uint8_t>(sign | 0x7f);
  const double rounded = std::fabs(round_to_format(value, 4, -6));
  if (rounded > 448.0) return static_cast<std::uint8_t>(sign | 0x7e);
  if (rounded < 0x1p-6) {  // subnormal: a multiple of 2^-9
    return static_cast<std::uint8_t>(sign | static_cast<unsigned>(std::ldexp(rounded, 9)));
  }
  int exponent = 0;
  const double fraction = std::frexp(rounded, &exponent);  // [0.5, 1)
  const auto significand = static_cast<unsigned>(std::ldexp(fraction, 4));
  return static_cast<std::uint8_t>(sign | (static_cast<unsigned>(exponent + 6) << 3) |
                                   (significand & 7U));
}

}  // namespace lvsa
