#pragma once
// Conversions between float/double and the 16-bit and 8-bit types, as their bits. Rounding is to
// nearest, ties to even, subnormals kept; a value beyond the largest finite one becomes infinity.

#include <bit>
#include <cmath>
#include <cstdint>

namespace lvsa {

/// bf16 bits to float; exact.
constexpr float bf16_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// float to bf16 bits, nearest even. NaN stays NaN (quiet).
constexpr std::uint16_t float_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
  return static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}

/// fp16 (IEEE binary16) bits to float; exact.
float fp16_to_float(std::uint16_t bits);

/// double to fp16 bits, nearest even, in one rounding.
std::uint16_t double_to_fp16(double value);

/// float to fp16 bits, nearest even.
inline std::uint16_t float_to_fp16(float value) {
  return double_to_fp16(static_cast<double>(value));
}

/// double to bf16 bits, nearest even, in one rounding (through float it would be two).
std::uint16_t double_to_bf16(double value);

/// e4m3 bits (OCP fp8, finite only) to float; exact. 0x7f and 0xff are NaN.
float e4m3_to_float(std::uint8_t bits);

/// double to e4m3 bits, nearest even, in one rounding. There is no infinity: beyond 448 it stays
/// 448.
std::uint8_t double_to_e4m3(double value);

/// `value` rounded to `significand_bits` bits (the leading one included) with the smallest normal
/// exponent `min_exponent`: nearest, ties to even. The generic step behind the conversions above.
double round_to_format(double value, int significand_bits, int min_exponent);

}  // namespace lvsa
