#pragma once
// The inner loops of frame partials and of their merges as a table of functions, one table a set of
// instructions. All tables give the same bits: every sum has one order, no product joins a sum in
// one FMA, and exponential and logarithm are made of the same operations.
//
// Plain data and plain functions only, as in reference/attention/oracle_loops.hpp.

#include <stdint.h>

namespace lvsa::analysis {

/// Keys, or columns of V, that lie side by side in a panel [depth][kPartialsPanel].
constexpr int kPartialsPanel = 16;
/// Query rows come in multiples of this.
constexpr int kPartialsRows = 8;
/// Sums over keys and over columns have this many partial sums: number j goes to j mod 8, and
/// ((0+4) + (2+6)) + ((1+5) + (3+7)) ends it.
constexpr int kPartialsSums = 8;

/// c[r][j] = (fresh ? 0 : c[r][j]) + sum_i a[r][i] b[i][j] in the order of i, for kPartialsPanel
/// columns j.
struct PartialsProduct {
  const double* a;
  int64_t a_pitch;
  const double* b;
  int64_t depth;
  double* c;
  int64_t c_pitch;
  int64_t rows;  ///< a multiple of kPartialsRows
  bool fresh;
};

/// One row's q.k in place into weights exp(s - m), s = scale * q.k. Zeros behind the last, up to a
/// multiple of kPartialsPanel.
struct PartialsSoften {
  double* weights;
  int64_t keys;
  double scale;
  double max_score;   ///< out: m
  double normaliser;  ///< out: sum of the weights
};

/// Two slots that add up.
struct SlotPair {
  uint32_t left;
  uint32_t right;
};

/// A row's sums over sets of cells, kPartialsSums columns of them at a time: so many slots fit into
/// the nearer caches. table [slots][kPartialsSums].
struct PartialsCombine {
  double* table;
  const SlotPair* pairs;
  int64_t count;
  int64_t first;  ///< slot first + i becomes the sum of the slots pairs[i]
};

/// What sets of cells, each the sum of a pair of slots, make of these columns: o = factor * sum
/// against the dense output. To the sums over columns that begin at 0, those of these columns are
/// added; there is room for kPartialsSums - 1 numbers behind the last.
struct PartialsCompare {
  const double* table;
  const SlotPair* pairs;
  int64_t count;
  const double* factors;  ///< [count]
  const double* dense;    ///< [kPartialsSums]
  double* l1;             ///< [count] sum |o - dense|
  double* l2;             ///< [count] sum (o - dense)^2
  double* dot;            ///< [count] sum o dense
  double* norm;           ///< [count] sum o^2
};

/// sum[c] += sum over the set bits j of `keys`, ascending, of weights[j] values[j][c]. At most 64
/// keys; `width` a multiple of kPartialsPanel.
struct PartialsGather {
  uint64_t keys;
  const double* weights;
  const double* values;  ///< [64][width]
  int64_t width;
  double* sum;  ///< [width]
};

struct PartialsLoops {
  void (*multiply)(const PartialsProduct* args);
  void (*soften)(PartialsSoften* args);
  void (*combine)(const PartialsCombine* args);
  void (*compare)(const PartialsCompare* args);
  /// to[c] = factor * from[c].
  void (*scale)(const double* from, double factor, int64_t count, double* to);
  /// e^x for x <= 0.
  void (*exp_array)(const double* x, double* y, int64_t count);
  /// ln x for x > 0 that is no subnormal number; any finite number for others.
  void (*log_array)(const double* x, double* y, int64_t count);
  void (*gather)(const PartialsGather* args);
};

extern const PartialsLoops kPartialsBaselineLoops;
extern const PartialsLoops kPartialsAvx2Loops;    // defined in builds for x86-64 only
extern const PartialsLoops kPartialsAvx512Loops;  // likewise

}  // namespace lvsa::analysis
