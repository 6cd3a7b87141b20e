#pragma once
// Rounding of weights to a small type, fast, for values in [0, 2^100].

#include <bit>
#include <cstdint>

#include "core/kernel/lvsa_kernel.h"

namespace lvsa::reference {

/// Rounds to a type as hardware does: subnormals kept, and the largest number where the type (e4m3)
/// has no infinity. Of f16, bf16, e4m3 and e5m2; other types are left as they are.
class PRounding {
 public:
  PRounding(lvsa_dtype dtype, bool toward_zero) : toward_zero_(toward_zero) {
    if (dtype == LVSA_BF16) set(8, -126, 0x1.fep127);
    if (dtype == LVSA_F16) set(11, -14, 65504.0);
    if (dtype == LVSA_E4M3) set(4, -6, 448.0);
    if (dtype == LVSA_E5M2) set(3, -14, 57344.0);
  }

  /// Whether anything is rounded.
  bool rounds() const { return shift_ > 0; }

  double operator()(double value) const {
    if (shift_ == 0) return value;
    const double rounded = value < smallest_normal_ ? subnormal(value) : normal(value);
    return rounded > largest_ ? largest_ : rounded;
  }

 private:
  void set(int significand_bits, int min_exponent, double largest) {
    shift_ = 53 - significand_bits;
    smallest_normal_ = std::bit_cast<double>(std::uint64_t(1023 + min_exponent) << 52);
    // In [magic, 2 magic) doubles lie as far apart as the subnormals of the type.
    magic_ = smallest_normal_ * static_cast<double>(std::uint64_t{1} << shift_);
    largest_ = largest;
  }
  double normal(double value) const {
    std::uint64_t bits = std::bit_cast<std::uint64_t>(value);
    const std::uint64_t mask = (std::uint64_t{1} << shift_) - 1;
    if (!toward_zero_) bits += (mask >> 1) + (bits >> shift_ & 1);
    return std::bit_cast<double>(bits & ~mask);
  }
  double subnormal(double value) const {
    const double nearest = (value + magic_) - magic_;
    if (!toward_zero_ || nearest <= value) return nearest;
    return nearest - magic_ * 0x1p-52;
  }

  bool toward_zero_;
  int shift_ = 0;
  double smallest_normal_ = 0.0;
  double magic_ = 0.0;
  double largest_ = 0.0;
};

}  // namespace lvsa::reference
