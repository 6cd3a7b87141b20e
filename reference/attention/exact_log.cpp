#include "reference/attention/exact_log.hpp"

#include <cmath>
#include <limits>

namespace lvsa::reference {

// x = 2^n f with f in [sqrt(1/2), sqrt(2)); ln f = 2 atanh(s) with s = (f - 1) / (f + 1),
// |s| <= 0.172, by its series, whose remainder is below 2^-60.
double exact_log(double x) {
  if (!(x > 0.0) || x > std::numeric_limits<double>::max()) return std::log(x);
  int n = 0;
  double f = std::frexp(x, &n);
  if (f < 0x1.6a09e667f3bcdp-1) {
    f *= 2.0;
    --n;
  }
  const double s = (f - 1.0) / (f + 1.0);
  const double square = s * s;
  double series = 0.0;
  for (int k = 23; k >= 3; k -= 2) series = (series + 1.0 / k) * square;
  const double high = 0x1.62e42feep-1;
  const double low = 0x1.a39ef35793c76p-33;
  return n * high + (2.0 * s + (2.0 * s * series + n * low));
}

}  // namespace lvsa::reference
