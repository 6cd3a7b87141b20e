#pragma once
// Exponential, sine and cosine from operations that every machine rounds alike, which the system's
// own do not promise. Compiled without contraction of products and sums.

namespace lvsa::exact {

struct SinCos {
  double sin;
  double cos;
};

/// e^x for |x| <= 700; relative error below 1e-14. Outside it is that of the nearer end.
double exp(double x);
/// For |angle| <= 1e6 rad; absolute error below 1e-9, below 1e-14 for |angle| <= 10.
SinCos sincos(double angle);

}  // namespace lvsa::exact
