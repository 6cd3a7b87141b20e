#include "core/exact/exact_functions.hpp"

#include <algorithm>
#include <cmath>

namespace lvsa::exact {
namespace {

// Nearest integer by truncation, which is exact everywhere.
double nearest(double x) {
  return static_cast<double>(static_cast<long long>(x + (x < 0 ? -0.5 : 0.5)));
}

}  // namespace

double exp(double x) {
  constexpr double kLn2High = 0x1.62e42fee00000p-1;  // 32 bits, so that n times it is exact
  constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
  constexpr double kPerLn2 = 0x1.71547652b82fep+0;
  x = std::clamp(x, -700.0, 700.0);
  const double n = nearest(x * kPerLn2);
  const double r = (x - n * kLn2High) - n * kLn2Low;
  double sum = 1.0;  // Taylor's series from its end; |r| <= 0.35
  for (int i = 14; i > 0; --i) sum = 1.0 + sum * r / i;
  return std::ldexp(sum, static_cast<int>(n));
}

SinCos sincos(double angle) {
  // pi / 2 in two parts, the first of 33 bits.
  constexpr double kHalfPiHigh = 0x1.921fb54400000p+0;
  constexpr double kHalfPiLow = 0x1.0b4611a626331p-34;
  constexpr double kPerHalfPi = 0x1.45f306dc9c883p-1;
  const double n = nearest(angle * kPerHalfPi);
  const double r = (angle - n * kHalfPiHigh) - n * kHalfPiLow;
  const double square = r * r;
  double s = 1.0;  // |r| <= 0.79
  double c = 1.0;
  for (int i = 18; i > 0; i -= 2) {
    s = 1.0 - s * square / (i * (i + 1));
    c = 1.0 - c * square / (i * (i - 1));
  }
  s *= r;
  switch (static_cast<long long>(n) & 3) {
    case 0:
      return {s, c};
    case 1:
      return {c, -s};
    case 2:
      return {-s, -c};
    default:
      return {-c, s};
  }
}

}  // namespace lvsa::exact
