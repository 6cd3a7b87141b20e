#pragma once
// Tier A bounds: how far a right kernel's output may be from the exact one, per element, knowing
// nothing of its schedule but what it declares. Worst case throughout; docs/bounds.md proves each
// term.

#include <cstdint>

#include "core/kernel/lvsa_kernel.h"
#include "core/tensor/tensor.hpp"
#include "reference/attention/oracle.hpp"

namespace lvsa::analysis {

/// What the denominator L sums: P as it was, or P rounded to its type.
enum class Denominator { kUnknown, kExactP, kRoundedP };

/// What the bounds assume of a kernel's arithmetic.
struct BoundModel {
  double p_roundoff = 0.0;            ///< u_P: P rounded before P.V
  double p_underflow = 0.0;           ///< mu_P: what P loses below its smallest number
  double accumulator_roundoff = 0.0;  ///< u_a
  std::int64_t key_tile = 0;          ///< B; 0: unknown, the worst case counts
  /// K: keys that are summed among themselves before they join a running sum; 0: unknown, one.
  std::int64_t sum_step = 0;
  std::int32_t tiles_cross_frames = 0;  ///< as lvsa_numerics has it
  std::int64_t splits = 1;              ///< partial results merged by log-sum-exp
  double partial_roundoff = 0x1p-24;    ///< of the type that they are kept in
  Denominator denominator = Denominator::kUnknown;
  bool normalise_first = false;  ///< P is divided by L before it is rounded
  bool rescales = true;          ///< sums are rescaled when the running maximum moves
  bool rescales_drift = false;   ///< a rescale costs |m| 2^-24 even where the maximum stays
  /// Roundings that factors of q and k cost a score besides, and one that v's costs the output:
  /// those of fp8 tensors (lvsa_problem).
  double factor_roundings = 0.0;
  reference::ScoreErrorModel scores;

  /// Of a row's end, relative to A_c + |o_c|: reciprocal (2) or quotient, product, the last
  /// rescale, v's factor.
  double last_roundings() const { return factor_roundings > 0.0 ? 5.0 : 4.0; }
};

/// The model of a kernel that declares `numerics` (null: nothing) and reads `dtype` inputs of head
/// size D. Unknown fields take the worst case: P in the type of the inputs, any tile, and the worst
/// accumulators that are known for the type (accumulators.hpp).
BoundModel make_bound_model(const lvsa_numerics* numerics, DType dtype, std::int64_t head_dim);

/// Roundings that a term of a row's sums passes through, for `keys` keys in `tiles` tiles: K within
/// its step, one for each later step, one for each rescale; the worst case where the tile is
/// unknown.
double accumulation_steps(const BoundModel& model, std::int64_t keys, std::int64_t tiles);

/// What the bounds of a row depend on besides its numbers.
struct RowSteps {
  double sums = 0.0;   ///< accumulation_steps()
  double tiles = 0.0;  ///< N; as many as keys where the tile is unknown
};
RowSteps row_steps(const BoundModel& model, std::int64_t keys, std::int64_t tiles);

/// Key tiles of a row over token ranges of whole frames and text.
std::int64_t count_tiles(const BoundModel& model, const FrameGrid& grid,
                         std::int64_t frames_attended, std::int64_t keys);

/// Relative error that rescaling by exp(m_old - m_new), and merging of splits, adds to a weight
/// besides its eta.
double rescale_error(const BoundModel& model, const reference::RowResult& row,
                     const RowSteps& steps);

/// Factor on the sum of first-order terms that covers what is of higher order: 1 + 2^-6, and more
/// where the errors are so large that this does not do (P in fp8).
double higher_order_factor(const BoundModel& model, const reference::RowResult& row,
                           const RowSteps& steps);

/// Tolerance t_c of output column c, and its four terms.
struct Tolerance {
  double p_rounding = 0.0;    ///< u_P A_c, or u_P D_c where L sums the rounded P
  double scores = 0.0;        ///< sum p_j |v_jc - o_c| eta_j / L, and rescale_error() D_c
  double accumulation = 0.0;  ///< (steps + 4) u_a (A_c + |o_c|), fp8: 5
  double underflow = 0.0;     ///< mu_P sum |v_jc| / L
  double total = 0.0;         ///< the sum times higher_order_factor()
};
Tolerance output_tolerance(const BoundModel& model, const reference::RowResult& row, std::size_t c,
                           const RowSteps& steps);

/// Tolerance of the natural log-sum-exp, and its terms.
struct LseTolerance {
  double scores = 0.0;        ///< sum p_j eta_j / L, and rescale_error()
  double p_rounding = 0.0;    ///< u_P and underflow, where L sums the rounded P
  double accumulation = 0.0;  ///< steps u_a
  double logarithm = 0.0;     ///< 3 (|m| + ln L + |lse|) 2^-24
  double total = 0.0;
};
LseTolerance lse_terms(const BoundModel& model, const reference::RowResult& row,
                       const RowSteps& steps);
inline double lse_tolerance(const BoundModel& model, const reference::RowResult& row,
                            const RowSteps& steps) {
  return lse_terms(model, row, steps).total;
}

/// RN(exact - t) <= output <= RN(exact + t): rounding is monotone, so a right kernel's rounded
/// output cannot leave this interval. NaN never does lie in it.
struct Interval {
  double low = 0.0;
  double high = 0.0;
  bool contains(double value) const { return value >= low && value <= high; }
};
/// The smallest error before the last rounding that explains `got`: 0 when `exact` rounds to it,
/// else from `exact` to the nearest value that does. An output is accepted when this is at most its
/// tolerance, up to ties in rounding. Infinity when `got` is not finite and `exact` is.
double unrounded_error(double exact, double got, DType out_dtype);

Interval accept_interval(double exact, double tolerance, DType out_dtype);

/// Scores so uncertain that the bound says little: some eta_j >= 2^-8.
bool scores_are_weak(const reference::RowResult& row);

}  // namespace lvsa::analysis
