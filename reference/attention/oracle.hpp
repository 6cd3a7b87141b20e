#pragma once
// The oracle: LVSA attention in fp64 with the terms that error bounds need. Any sample of rows can
// be computed, so full-size geometry costs seconds.
//
// Every sum of a row has one fixed order, and nothing but products, sums, quotients and roundings
// of IEEE 754 goes into it: a row has the same bits on any number of threads, on any set of
// instructions and whichever rows are computed beside it. Source: published LVSA behaviour,
// attention.

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "core/geometry/frame_grid.hpp"
#include "core/tensor/tensor.hpp"
#include "reference/attention/simd_level.hpp"

namespace lvsa::reference {

/// A query row.
struct RowId {
  std::int64_t batch = 0;
  std::int64_t token = 0;
  std::int64_t head = 0;
  bool operator==(const RowId&) const = default;
};

/// Key tokens [first, second), ascending and not touching.
using TokenRanges = std::vector<std::pair<std::int64_t, std::int64_t>>;

/// One attention call. q [B, S, H, D]; k, v [B, S, Hkv, D]; S = grid.seq_len(); H a multiple of
/// Hkv. `attended[f]`: the frames that frame f attends, ascending and unique.
struct AttentionProblem {
  TensorView q;
  TensorView k;
  TensorView v;
  FrameGrid grid;
  double scale = 1.0;
  std::vector<std::vector<std::int32_t>> attended;
  /// For patterns that are not frame by frame: the keys of a row. When given, grid and `attended`
  /// are not looked at, and k and v may have another number of tokens than q. Called from several
  /// threads at a time; the same row has the same keys each time. Rows of one head with equal keys,
  /// next to each other by token, share the reading of K and V.
  std::function<TokenRanges(const RowId&)> key_ranges = {};
};

/// Throws Error(kValue) that names what does not fit: shapes, heads, lists.
void check_problem(const AttentionProblem& problem);

/// Throws Error(kValue) for a row outside q.
void check_row(const AttentionProblem& problem, const RowId& row);

/// How far a kernel's weights may be off, relatively: eta_j = dot * scale * sum_i |q_i k_ji|
/// + (score * |s_j| + exponent * |s_j - m| + constant) * unit. docs/bounds.md derives the factors.
struct ScoreErrorModel {
  double dot = 0.0;  ///< 2 D u_a
  double score = 1.0;
  double exponent = 3.0;
  double constant = 4.0;  ///< error of the exponential in units
  double unit = 0x1p-24;
};

/// What the oracle knows of one row. Vectors have D entries. A row without keys has out = 0,
/// lse = -inf and all other terms 0.
struct RowResult {
  std::vector<double> out;          ///< o_c = sum p_j v_jc / L
  std::vector<double> magnitude;    ///< A_c = sum p_j |v_jc| / L
  std::vector<double> deviation;    ///< D_c = sum p_j |v_jc - o_c| / L
  std::vector<double> score_shift;  ///< sum p_j |v_jc - o_c| eta_j / L
  std::vector<double> value_sum;    ///< sum |v_jc| / L, for the underflow of P
  double lse = 0.0;                 ///< m + ln L
  double max_score = 0.0;           ///< m
  double normaliser = 0.0;          ///< L = sum exp(s_j - m)
  double lse_shift = 0.0;           ///< sum p_j eta_j / L
  double max_eta = 0.0;             ///< the largest eta_j
  std::int64_t keys = 0;
};

/// The tokens that a query row attends, as half-open ranges in ascending order: the attended
/// frames, neighbours joined, and the text; everything for a text query.
TokenRanges visible_ranges(const AttentionProblem& problem, std::int64_t query_token);
/// The same for problems with key_ranges, too. Throws Error(kValue) for ranges that do not ascend,
/// touch, or end past the keys.
TokenRanges visible_ranges(const AttentionProblem& problem, const RowId& row);

/// One row.
RowResult attend_row(const AttentionProblem& problem, const RowId& row,
                     const ScoreErrorModel& errors);

/// Many rows, in parallel; `done`, if given, is called for each (from any thread, one at a time).
/// Rows of one kv head are computed together, in pieces that take at most 1 GiB on all threads.
std::vector<RowResult> attend_rows(const AttentionProblem& problem, std::span<const RowId> rows,
                                   const ScoreErrorModel& errors,
                                   const std::function<void()>& done = {});

/// The same with the loops of one set of instructions: the same bits, for tests and measurements.
/// Throws Error(kValue) when the machine or the build lacks it.
std::vector<RowResult> attend_rows_at(SimdLevel level, const AttentionProblem& problem,
                                      std::span<const RowId> rows, const ScoreErrorModel& errors,
                                      const std::function<void()>& done = {});

/// What one key adds to a row.
struct KeyTerm {
  std::int64_t token = 0;
  double score = 0.0;      ///< s_j
  double magnitude = 0.0;  ///< scale * sum_i |q_i k_ji|
  double p = 0.0;          ///< exp(s_j - m)
  double eta = 0.0;        ///< eta_j
};

/// The keys of one row, ascending.
std::vector<KeyTerm> attend_keys(const AttentionProblem& problem, const RowId& row,
                                 const ScoreErrorModel& errors);

}  // namespace lvsa::reference
