#pragma once
// The oracle's inner loops as a table of functions, one table a set of instructions. All tables
// give the same bits: every sum has one order that does not depend on the length of a vector, no
// product joins a sum in one FMA, and the exponential is made of the same operations.
//
// Layouts, all fp64:
//   key panel    [head_dim][kOraclePanel]      one panel holds kOraclePanel keys
//   key block    [panels] key panels
//   value block  [keys][width]                 width: head_dim up to a multiple of kOraclePanel
//   a row's numbers of its keys, and of its columns: one array each, behind a pointer for each row
//
// Plain data and plain functions only: this header is compiled with several sets of instructions,
// and an inline function here would leave the linker to choose between them.

#include <stdint.h>

namespace lvsa::reference {

constexpr int kOraclePanel = 16;
/// The sums over a row's keys have this many partial sums: key j goes to number j mod 8, and the
/// eight are added in order at the end.
constexpr int kOracleSums = 8;

/// products[r][j] = sum_i q_ri k_ji and magnitudes[r][j] = sum_i |q_ri k_ji|, both in the order of
/// i, for all kOraclePanel * panels keys.
struct OracleScoreArgs {
  const double* const* queries;
  int64_t rows;
  const double* key_block;
  int64_t panels;
  int64_t head_dim;
  double* const* products;
  double* const* magnitudes;
};

/// One row: scores into weights. Room for kOracleSums - 1 numbers behind the last is due.
struct OracleSoftenArgs {
  double* products;    ///< in: q.k; out: p_j = exp(s_j - m), s_j = scale * q.k
  double* magnitudes;  ///< in: sum |q_i k_ji|; out: p_j eta_j
  int64_t keys;        ///< at least 1
  double scale;
  /// eta_j = dot |scale| sum |q_i k_ji| + (score |s_j| + exponent (m - s_j) + constant) unit
  double dot;
  double score;
  double exponent;
  double constant;
  double unit;
  // Results.
  double max_score;     ///< m
  double normaliser;    ///< sum p_j
  double weighted_eta;  ///< sum p_j eta_j
  double max_eta;
};

/// Adds to each column, in the order of the keys: sums[r][c] += p_rj v_jc and
/// magnitudes[r][c] += |p_rj v_jc|.
struct OracleValueArgs {
  const double* const* weights;  ///< p >= 0
  int64_t rows;
  const double* value_block;
  int64_t keys;
  int64_t width;
  double* const* sums;
  double* const* magnitudes;
};

/// The same for deviations[r][c] += p_rj |v_jc - centres[r][c]| and
/// shifts[r][c] += (p_rj eta_rj) |v_jc - centres[r][c]|.
struct OracleDeviationArgs {
  const double* const* weights;      ///< p
  const double* const* eta_weights;  ///< p eta
  int64_t rows;
  const double* value_block;
  int64_t keys;
  int64_t width;
  const double* const* centres;
  double* const* deviations;
  double* const* shifts;
};

struct OracleLoops {
  void (*score)(const OracleScoreArgs* args);
  void (*soften)(OracleSoftenArgs* args);
  void (*add_values)(const OracleValueArgs* args);
  void (*add_deviations)(const OracleDeviationArgs* args);
  /// sums[c] += |v_jc| in the order of the keys.
  void (*add_absolute)(const double* value_block, int64_t keys, int64_t width, double* sums);
  /// e^x for x <= 0; within 1 unit in the last place, exactly 1 at 0.
  void (*exp_array)(const double* x, double* y, int64_t count);
};

extern const OracleLoops kOracleBaselineLoops;
extern const OracleLoops kOracleAvx2Loops;    // defined in builds for x86-64 only
extern const OracleLoops kOracleAvx512Loops;  // likewise

/// The best of them that this machine can run.
const OracleLoops& best_oracle_loops();

}  // namespace lvsa::reference
