#pragma once
// The shadow's inner loops as a table of functions, one table a set of instructions. All tables
// give the same bits: every sum has one order, and no product joins a sum in one FMA.
//
// Plain data and plain functions only: this header is compiled with several sets of instructions,
// and an inline function here would leave the linker to choose between them.

#include <stdint.h>

namespace lvsa::reference {

/// Keys a panel, [head_dim][kShadowPanel].
constexpr int kShadowPanel = 32;

/// One query row against one panel; the results have kShadowPanel entries.
struct ShadowScoreArgs {
  const double* query;
  const double* panel;
  int64_t head_dim;
  int64_t step;        ///< elements of the head dimension that join the accumulator at once
  double* sums;        ///< q.k in the order of the head dimension
  double* magnitudes;  ///< sum |q_i k_i|
  double* partials;    ///< sum over steps of |sum before the step|
};

struct ShadowLoops {
  void (*score)(const ShadowScoreArgs* args);
  /// sums[c] += weights[j] values[j][c] for `keys` keys in order; values [keys][width].
  void (*add_values)(const double* weights, const double* values, int64_t keys, int64_t width,
                     double* sums);
};

extern const ShadowLoops kShadowBaselineLoops;
extern const ShadowLoops kShadowAvx2Loops;    // defined in builds for x86-64 only
extern const ShadowLoops kShadowAvx512Loops;  // likewise

}  // namespace lvsa::reference
