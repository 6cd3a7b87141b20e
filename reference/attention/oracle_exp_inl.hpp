// The exponential of the oracle, written once for all sets of instructions. Included inside an
// unnamed namespace by files that have defined before:
//   Vec, Bits  vectors of doubles and of unsigned 64-bit integers of one length
//   splat(x)   a Vec of equal numbers
// Compiled with -ffp-contract=off.

// e^x for x <= 0, NaN stays NaN. x = n ln 2 + r with |r| <= ln 2 / 2; e^r by its Taylor polynomial
// of degree 13, whose remainder is below 2^-57. n ln2_high is exact, ln2_high having 32 bits.
inline Vec exp_nonpositive(Vec x) {
  x = x < -800.0 ? splat(-800.0) : x;
  const Vec shifted = x * 0x1.71547652b82fep+0 + 0x1.8p52;  // n in the low bits
  const Vec n = shifted - 0x1.8p52;
  const Vec r = (x - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33;
  Vec p = splat(1.0 / 6227020800.0);
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r * r + r + 1.0;
  // Two steps, since 2^n alone may be too small for a double: the first is exact, the second rounds
  // once where the result is subnormal. n >= -1155.
  const Bits bits = reinterpret_cast<Bits>(shifted) - 0x4338000000000000ULL;  // n, two's complement
  const Bits half = ((bits + 4096) >> 1) - 2048;
  const Vec first = reinterpret_cast<Vec>((half + 1023) << 52);
  const Vec second = reinterpret_cast<Vec>((bits - half + 1023) << 52);
  return (p * first) * second;
}
